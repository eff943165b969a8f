import { readFile } from 'node:fs/promises'
import type { Metafile } from 'esbuild'

/**
 * Sources of a bundle that are evaluated when one of its entries is imported: without what waits behind an `import()`.
 *
 * @param bundle Its folder below `dist/`.
 * @param hot Sources behind an `import()` that count too.
 * @returns Bytes in the output, by source file.
 */
export async function staticInputs(
  bundle: string,
  entry: string,
  hot: readonly string[] = [],
): Promise<ReadonlyMap<string, number>> {
  const path = new URL(`../dist/meta/${bundle}/meta.json`, import.meta.url)
  const { outputs } = JSON.parse(await readFile(path, 'utf8')) as Metafile // as bundle.ts has written it
  const start = Object.keys(outputs).find((output) => outputs[output]?.entryPoint === entry)
  if (start === undefined) throw new Error(`${bundle} has no entry ${entry}`)
  const seen = new Set<string>()
  const found = new Map<string, number>()
  const waiting = [start]
  for (let output = waiting.pop(); output !== undefined; output = waiting.pop()) {
    if (seen.has(output)) continue
    seen.add(output)
    for (const [input, { bytesInOutput }] of Object.entries(outputs[output]?.inputs ?? {}))
      found.set(input, bytesInOutput)
    for (const { path: next, kind } of outputs[output]?.imports ?? [])
      if (kind === 'import-statement' || hot.includes(outputs[next]?.entryPoint ?? '')) waiting.push(next)
  }
  return found
}
