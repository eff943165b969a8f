import { outputRoot, type Ran } from './scenario.ts'

interface ManifestJson {
  readonly status: string
  readonly job: string
  readonly input: { readonly version: string }
  readonly rows: number
  readonly failures: number
  readonly parts: readonly { readonly key: string; readonly rows: number }[]
  readonly errors?: string
}

/** What is wrong with the end of a seed, one line each; none when all is as if nothing had gone wrong. */
export function problemsOf(ran: Ran): string[] {
  const problems: string[] = []
  const { results, written, inputs, kind } = ran
  if (!ran.ended) problems.push('it has not come to an end')
  const textOf = (key: string) => Buffer.from(results.objects.get(key)?.bytes ?? []).toString()

  for (const [key, versions] of written) {
    const prefix = `${outputRoot}/${key}/manifest-`
    const manifests = [...results.objects.keys()]
      .filter((name) => name.startsWith(prefix))
      .sort()
      .map((name) => JSON.parse(textOf(name)) as ManifestJson) // the engine's own
    const newest = manifests.at(-1)
    if (!newest) {
      problems.push(`${key} has no result`)
      continue
    }
    const present = inputs.objects.get(key)?.info.version
    if (newest.input.version !== present) problems.push(`the result of ${key} is of version ${newest.input.version}`)
    if (newest.status !== 'scored') problems.push(`${key} is ${newest.status}`)

    // A version's turn comes once, and never after that of a newer one.
    for (const [i, manifest] of manifests.entries()) {
      const before = manifests[i - 1]
      if (before?.job === manifest.job) problems.push(`${key} was committed twice`)
      const at = (version: string) => versions.findIndex((each) => each.version === version)
      if (before && !ran.versionsAreDigests && at(before.input.version) > at(manifest.input.version)) {
        problems.push(`an older version of ${key} was committed over a newer one`)
      }
    }

    for (const manifest of manifests) {
      const rows = versions.find(({ version }) => version === manifest.input.version)?.rows ?? []
      const good = rows.flatMap(({ id, result }) => (result === undefined ? [] : `{"id":${id},"y":${result}}\n`))
      // Which of the workers computed a row, whose results differ by a half, is all one.
      const parts = manifest.parts.map((part) => textOf(part.key).replaceAll('.5}', '}'))
      if (parts.join('') !== good.join(''))
        problems.push(`${key} ${manifest.input.version}: rows are lost, doubled or torn`)
      for (const [i, part] of manifest.parts.entries()) {
        if (parts[i]?.split('\n').length !== part.rows + 1) problems.push(`${part.key} has other rows than it should`)
      }
      if (manifest.rows !== rows.length)
        problems.push(`${key}: the manifest counts ${manifest.rows} of ${rows.length} rows`)
      const failed = rows.flatMap(({ result }, row) => (result === undefined ? [row] : []))
      const named = manifest.errors === undefined ? '' : textOf(manifest.errors)
      const listed = named.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line) as { row: number }).row)) // ours
      if (listed.join() !== failed.join()) problems.push(`${key}: rows ${failed} are poison, and ${listed} are named`)
    }
  }

  if (kind === 'kills') {
    const again = [...ran.computed.values()].reduce((sum, count) => sum + count - 1, 0)
    if (again > ran.kills * ran.chunkRows) {
      problems.push(`${again} rows were computed again after ${ran.kills} kills, and a chunk has ${ran.chunkRows}`)
    }
  }
  return problems
}
