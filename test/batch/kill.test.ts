import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { buildChild } from './support/child.ts'

// 1,000 with EAS_FULL=1.
const kills = process.env.EAS_FULL ? 1000 : 15
const rowCount = process.env.EAS_FULL ? 100_000 : 20_000
const chunkRows = 1000

const folder = await mkdtemp(join(tmpdir(), 'eas-batch-kill-'))
afterAll(() => rm(folder, { recursive: true }))

const started = (child: ChildProcess) =>
  new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (text) => `${text}`.includes('ready') && resolve())
    child.on('exit', () => reject(new Error('The child has ended before it was ready')))
  })
const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode)
    child.on('exit', resolve)
  })

it(`${kills} processes killed while they score: no row is lost, doubled or torn, and at most a chunk is computed again for each (1000 with EAS_FULL=1)`, async () => {
  const script = join(folder, 'child.mjs')
  await buildChild(script)
  const input = join(folder, 'rows.ndjson')
  const lines = Array.from({ length: rowCount }, (_, i) => `{"id":${i},"x":${i}}`)
  lines[1234] = '{"id":1234,"x":nothing}'
  await writeFile(input, `${lines.join('\n')}\n`)
  const expected = Array.from({ length: rowCount }, (_, i) => (i === 1234 ? '' : `{"id":${i},"y":${i * i}}\n`)).join('')

  const output = join(folder, 'out')
  const log = join(folder, 'log')
  const start = () =>
    spawn(process.execPath, [script, input, output, log, String(chunkRows)], { stdio: ['ignore', 'pipe', 'inherit'] })

  let killed = 0
  let killedOfJob = 0
  let longestMs = 1000
  while (killed < kills || killedOfJob > 0) {
    const child = start()
    await started(child)
    const from = performance.now()
    const isLast = killed >= kills
    if (!isLast) {
      const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * longestMs)
      await ended(child)
      clearTimeout(timer)
    }
    if ((await ended(child)) === null) {
      killed++
      killedOfJob++
      continue
    }
    expect(child.exitCode).toBe(0)
    longestMs = Math.max(longestMs / 2, performance.now() - from)
    await check(killedOfJob)
    await rm(output, { recursive: true })
    await rm(log)
    killedOfJob = 0
  }

  async function check(killsOfJob: number): Promise<void> {
    const results = join(output, 'rows.ndjson')
    const manifests = (await readdir(results)).filter((name) => name.startsWith('manifest-'))
    expect(manifests).toEqual(['manifest-000001.json'])
    const manifest = JSON.parse(await readFile(join(results, 'manifest-000001.json'), 'utf8'))
    const parts = await Promise.all(
      manifest.parts.map(async ({ key }: { key: string }) => {
        const bytes = await readFile(join(folder, key))
        // A part's name says what is in it.
        expect(key).toContain(createHash('sha256').update(bytes).digest('hex').slice(0, 12))
        return bytes.toString()
      }),
    )
    expect(parts.join('') === expected).toBe(true)
    expect(await readFile(join(folder, manifest.errors), 'utf8')).toMatch(/^\{"row":1234,"error":"[^\n]*\}\n$/)
    const computed = (await readFile(log, 'utf8')).split('\n').length - 1
    expect(computed - (rowCount - 1)).toBeLessThanOrEqual(killsOfJob * chunkRows)
  }
}, 3_600_000)
