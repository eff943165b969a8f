import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { buildChild } from './support/child.ts'

// 40 with EAS_FULL=1.
const rounds = process.env.EAS_FULL ? 40 : 2
const rowCount = 4000
const chunkRows = 500

const folder = await mkdtemp(join(tmpdir(), 'eas-batch-freeze-'))
const children: ChildProcess[] = []
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true, maxRetries: 5 })
})

it(`a worker that is frozen while others finish, and while its object is replaced, does no harm when it wakes up: ${rounds} rounds (40 with EAS_FULL=1)`, async () => {
  const script = join(folder, 'child.mjs')
  await buildChild(script)
  for (let round = 0; round < rounds; round++) {
    const input = join(folder, `rows-${round}.ndjson`)
    const output = join(folder, `out-${round}`)
    const start = (log: string) => {
      const child = spawn(process.execPath, [script, input, output, join(folder, log), String(chunkRows)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      children.push(child)
      return { child, ended: once(child, 'exit') }
    }
    const computed = async (log: string) =>
      (await readFile(join(folder, log), 'utf8').catch(() => '')).split('\n').length - 1
    const rows = (from: number) =>
      Array.from({ length: rowCount }, (_, i) => `{"id":${from + i},"x":${from + i}}\n`).join('')
    const expected = (from: number) =>
      Array.from({ length: rowCount }, (_, i) => `{"id":${from + i},"y":${(from + i) ** 2}}\n`).join('')

    await writeFile(input, rows(0))
    const frozen = start(`frozen-${round}`)
    // Anywhere in the object, the chunk and the call.
    const until = Math.random() * rowCount * 0.9
    while ((await computed(`frozen-${round}`)) < until && frozen.child.exitCode === null) await sleep(1)
    frozen.child.kill('SIGSTOP')

    // Whoever is handed the same object does not wait for it.
    expect((await start(`same-${round}`).ended)[0]).toBe(0)
    expect((await resultOf(output, round)).text === expected(0)).toBe(true)
    // Every other round another version comes before it wakes up.
    const first = round % 2 === 0 ? rowCount : 0
    if (first > 0) {
      await writeFile(input, rows(first))
      expect((await start(`newer-${round}`).ended)[0]).toBe(0)
    }
    const before = await resultOf(output, round)

    frozen.child.kill('SIGCONT')
    expect((await frozen.ended)[0]).toBe(0)
    const after = await resultOf(output, round)
    expect(after.manifests).toEqual(before.manifests)
    expect(after.text === expected(first)).toBe(true)
    // Of the part that it had under way, nothing is left.
    expect(after.parts).toEqual(after.named)
  }
}, 600_000)

async function resultOf(output: string, round: number) {
  const results = join(output, `rows-${round}.ndjson`)
  const manifests = (await readdir(results)).filter((name) => name.startsWith('manifest-')).sort()
  const manifest = JSON.parse(await readFile(join(results, manifests.at(-1) ?? ''), 'utf8'))
  const named: string[] = manifest.parts.map(({ key }: { key: string }) => key.split('/').at(-1))
  const texts = await Promise.all(named.map((name) => readFile(join(results, manifest.job, name), 'utf8')))
  const parts = (await readdir(join(results, manifest.job))).filter((name) => name.startsWith('part-')).sort()
  return { manifests, named, parts, text: texts.join('') }
}
