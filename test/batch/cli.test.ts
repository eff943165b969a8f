import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { cleanEnv } from '../support/server.ts'
import { farthest, heldOut } from './support/digits.ts'
import { linesOf } from './support/results.ts'

/** The built command, over files. */

const root = join(import.meta.dirname, '../..')
const main = join(root, 'dist/cli/main.js')
const service = join(root, 'packages/cli/examples/digits/service.json')
const folder = await mkdtemp(join(tmpdir(), 'eas-score-'))
afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }))

const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ id: i, image: heldOut[i % 12]?.input })}\n`).join('')
await mkdir(join(folder, 'in/day=1'), { recursive: true })
await writeFile(join(folder, 'in/day=1/a.ndjson'), rowsOf(60))
await writeFile(join(folder, 'in/day=1/notes.txt'), 'not rows')
await writeFile(join(folder, 'in/b.csv'), 'id,image\n1,2\n')

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
const eas = (...args: readonly string[]) =>
  new Promise<Ran>((resolve) => {
    execFile(process.execPath, [main, ...args], { env: cleanEnv(), cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })

/** The rows of an object's result. */
async function resultOf(out: string, key: string) {
  const manifests = (await readdir(join(folder, out, key))).filter((name) => name.startsWith('manifest-')).sort()
  const manifest = JSON.parse(await readFile(join(folder, out, key, manifests.at(-1) ?? ''), 'utf8'))
  const parts = manifest.parts.map(({ key: part }: { key: string }) => readFile(join(folder, part), 'utf8'))
  return { manifest, rows: linesOf((await Promise.all(parts)).join('')) }
}

describe('eas score', () => {
  it('scores what is in a folder, and says which of it could not be', async () => {
    const ran = await eas('score', service, 'in', '--out', 'out', '--json')
    expect(ran.stderr).toBe('')
    expect(ran.code).toBe(1) // b.csv is poison
    const report = JSON.parse(ran.stdout)
    expect(report).toMatchObject({
      objects: { scored: 1, stopped: 1, failed: 0, unfinished: 0 },
      rows: 61,
      failures: 1,
    })
    expect(report.problems[0].error).toMatch(/^All 1 rows failed: row 0: image takes \[64\]/)
    const { manifest, rows } = await resultOf('out', 'in/day=1/a.ndjson')
    expect(manifest).toMatchObject({ status: 'scored', rows: 60 })
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 60 }, (_, i) => i))
    for (const { id, scores } of rows) {
      expect(farthest(scores as number[], heldOut[Number(id) % 12]?.torchScores ?? [])).toBeLessThan(1e-5)
    }
  })

  it('finds done what is done, and prints a report for people', async () => {
    const args = ['score', service, 'in/day=1/a.ndjson', '--out', 'again', '--format', 'csv', '--chunk-rows', '20']
    const first = await eas(...args)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/objects +1 scored\nrows +60\nspeed/)
    expect((await eas(...args)).stdout).toMatch(/rows +60; 60 found done/)
  })

  it('leaves results of an earlier run alone that lie among its inputs', async () => {
    const args = ['score', service, 'in/day=1', '--out', 'in/day=1/scores', '--json']
    for (const _ of ['first', 'again']) expect(JSON.parse((await eas(...args)).stdout).objects.scored).toBe(1)
    await rm(join(folder, 'in/day=1/scores'), { recursive: true })
  })

  it('stops at SIGTERM, and goes on where it was', async () => {
    await writeFile(join(folder, 'long.ndjson'), rowsOf(6000))
    const args = ['score', service, 'long.ndjson', '--out', 'long', '--chunk-rows', '50', '--json']
    const child = spawn(process.execPath, [main, ...args], {
      env: cleanEnv(),
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    child.stdout.on('data', (text) => {
      stdout += text
    })
    // Once the first chunk is there.
    const results = join(folder, 'long/long.ndjson')
    const isBegun = async () => {
      const [job] = await readdir(results).catch(() => [])
      return job !== undefined && (await readdir(join(results, job))).includes('chunk-00000.json')
    }
    while (!(await isBegun())) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    const stopped = JSON.parse(stdout)
    expect(stopped).toMatchObject({ objects: { scored: 0, unfinished: 1 } })
    const ran = await eas('score', service, 'long.ndjson', '--out', 'long', '--chunk-rows', '50', '--json')
    expect(ran.code).toBe(0)
    const rest = JSON.parse(ran.stdout)
    expect(stopped.computedRows).toBeGreaterThan(0)
    expect(stopped.computedRows + rest.computedRows).toBe(6000)
    expect((await resultOf('long', 'long.ndjson')).rows.map(({ id }) => id)).toEqual(
      Array.from({ length: 6000 }, (_, i) => i),
    )
  }, 240_000)

  it('tells how much there would be to do, without writing', async () => {
    const { code, stdout } = await eas('score', service, 'in/day=1', '--out', 'dry', '--dry-run', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ objects: 1, rows: 60, chunks: 1, isCounted: true })
    expect(await readdir(folder)).not.toContain('dry')
  })

  it('scores what is there, and fails for what is not', async () => {
    const ran = await eas('score', service, 'in/day=1', 'in/day=2', '--out', 'partly')
    expect(ran.stdout).toMatch(/objects +1 scored\nrows +60\n/)
    expect(ran).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nothing to score at in\/day=2: no such object/),
    })
    for (const how of [['--dry-run'], ['--plan', 'sqs']]) {
      expect((await eas('score', service, 'in/day=1', 'nosuch.ndjson', '--out', 'x', ...how)).code).toBe(1)
    }
  })

  it('takes files of any name where the format is given, but for hidden ones', async () => {
    await mkdir(join(folder, 'spark'))
    for (const name of ['part-00000', '_metadata', '.part-00000.crc'])
      await writeFile(join(folder, 'spark', name), rowsOf(2))
    expect((await eas('score', service, 'spark', '--out', 'spark-scores')).code).toBe(1)
    const { code, stdout } = await eas('score', service, 'spark', '--out', 'spark-scores', '--input-format', 'ndjson')
    expect(stdout).toMatch(/objects +1 scored\nrows +2\n/)
    expect(code).toBe(0)
  })

  it('prints a plan for an engine', async () => {
    const { stdout } = await eas('score', service, 'in/day=1/', '--out', 'x', '--plan', 'fc-task')
    const [task] = linesOf(stdout)
    expect(task).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      payload: { items: [{ size: rowsOf(60).length }] },
    })
  })

  it.each([
    [['--mapping', 'absent.json'], 1, /Cannot read absent\.json: no such file/],
    [['--format', 'xml'], 2, /Allowed choices are ndjson/],
    [['--chunk-rows', '0'], 2, /whole number from 1 up/],
    [['--max-failures', '2'], 2, /number from 0 to 1/],
  ])('refuses %j', async (args, code, error) => {
    const ran = await eas('score', service, 'in', '--out', 'out', ...args)
    expect(ran.code).toBe(code)
    expect(ran.stderr).toMatch(error)
  })
})
