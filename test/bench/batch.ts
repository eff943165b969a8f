import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { BareBatch } from './bare-batch.ts'
import { type BatchModel, batchModel } from './batch-models.ts'
import { type Bench, type Report, roundsFromEnv } from './bench.ts'
import { startChild } from './child.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import { preparePython } from './python.ts'
import { root } from './servers.ts'

const run = promisify(execFile)
const folder = join(root, '.cache/bench-batch')
const main = resolve(process.env.BENCH_MAIN || join(root, 'dist/cli/main.js'))
/** Rows of each call, of ours and of what is compared. */
const batchRows = 512
/** Rows of a file, which then takes some twenty seconds: starting up and compiling are a small part of that. */
const fileRows = { dense: 240_000, embedding: 480_000 } as const
/** Of a file of which they are not. */
const shortFileRows = { dense: 60_000, embedding: 120_000 } as const
/** Nobody asks for it: a bound that shows when starting becomes slower. */
const shortFileGoal = 0.6
/** Bytes of the input that shows whether memory stays flat; for 5 GB half an hour may pass. */
const largeBytes = Number(process.env.BENCH_BYTES || 200e6)

/** Scoring files with the command, against the model alone and against a loop in Python. */
export const batch: Bench = {
  name: 'batch',
  summary:
    'eas score over NDJSON and Parquet, against bare session.run and a Python loop (BENCH_BYTES=5e9 for memory over 5 GB)',
  async run(report) {
    mkdirSync(folder, { recursive: true })
    const python = await preparePython().then(
      ({ command }) => command,
      (error: Error) => {
        report.missing('against Python', error.message)
        return undefined
      },
    )
    await batchAgainst(python, report)
  },
}

/** The benchmark with a given Python that has onnxruntime and pyarrow; without one, what can be measured without it. */
export async function batchAgainst(python: string | undefined, report: Report): Promise<void> {
  for (const name of ['dense', 'embedding'] as const) {
    const model = batchModel(folder, name)
    for (const format of ['ndjson', 'parquet'] as const) await contest(model, fileRows[name], format, python, report)
    await shortFile(model, shortFileRows[name], 'parquet', report)
  }
  await memory(report)
  await planner(report)
}

type Format = 'ndjson' | 'parquet'

async function contest(model: BatchModel, rows: number, format: Format, python: string | undefined, report: Report) {
  const file = await rowsFile(model, rows, format)
  const bare = startChild<BareBatch, number>('bare-batch.ts')
  const out = join(folder, 'out')
  try {
    const samples = await interleave(
      {
        ours: async () => (await score(model, file, out, format)).rowsPerSecond,
        bare: () => bare.ask(bareBatch(model, rows)),
        python: async () => {
          if (!python) return Number.NaN
          const script = join(import.meta.dirname, 'batch_loop.py')
          const { stdout } = await run(python, [script, model.model, file, `${out}.python`, `${batchRows}`])
          return Number(stdout)
        },
      },
      { rounds: roundsFromEnv(3), warmUps: 1 },
    )
    const figure = `${model.name} model, ${format}`
    report.figure({
      figure: `${figure}: rows per second`,
      value: medianRatio(samples.ours, samples.bare),
      unit: 'x',
      against: `bare session.run of ${batchRows} rows, ${Math.round(median(samples.bare))} rows/s`,
      goal: { min: 0.85 },
    })
    if (!python) return
    report.figure({
      figure: `${figure}: rows per second`,
      value: medianRatio(samples.ours, samples.python),
      unit: 'x',
      against: `a loop of Python, onnxruntime and ${format === 'parquet' ? 'pyarrow' : 'json'}, ${Math.round(median(samples.python))} rows/s`,
      goal: { min: format === 'parquet' ? 1 : 2 },
    })
  } finally {
    await bare.stop()
  }
}

/** A command that is over soon: from its start to its end, which is more than the rows per second that it tells. */
async function shortFile(model: BatchModel, rows: number, format: Format, report: Report): Promise<void> {
  const file = await rowsFile(model, rows, format)
  const bare = startChild<BareBatch, number>('bare-batch.ts')
  try {
    const samples = await interleave(
      {
        ours: async () => rows / (await score(model, file, join(folder, 'out'), format)).seconds,
        bare: () => bare.ask(bareBatch(model, rows)),
      },
      { rounds: roundsFromEnv(3), warmUps: 1 },
    )
    report.figure({
      figure: `${model.name} model, ${format}: rows per second of a whole command of ${rows} rows`,
      value: medianRatio(samples.ours, samples.bare),
      unit: 'x',
      against: `bare session.run of ${batchRows} rows, loaded and warm, ${Math.round(median(samples.bare))} rows/s`,
      goal: { min: shortFileGoal },
    })
  } finally {
    await bare.stop()
  }
}

const bareBatch = ({ model, input }: BatchModel, rows: number): BareBatch => ({
  model,
  input: input.dtype,
  rows: batchRows,
  width: input.width,
  calls: Math.floor(rows / batchRows),
})

/** Resident memory over a large input: the largest, and what it has grown by. */
async function memory(report: Report): Promise<void> {
  const model = batchModel(folder, 'light')
  const file = await rowsFile(model, Math.round(largeBytes / 220), 'ndjson')
  const { rowsPerSecond, residentBytes } = await score(model, file, join(folder, 'out'), 'ndjson')
  rmSync(file)
  rmSync(join(folder, 'out'), { recursive: true, force: true })
  const share = (from: number, to: number) =>
    median(residentBytes.slice(Math.floor(residentBytes.length * from), Math.ceil(residentBytes.length * to)))
  const input = `${(largeBytes / 1e9).toPrecision(2)} GB of NDJSON`
  report.figure({
    figure: `memory over ${input}`,
    value: residentBytes.reduce((most, bytes) => Math.max(most, bytes), 0) / 1e6,
    unit: 'MB',
    against: `the largest of ${residentBytes.length} samples, at ${Math.round(rowsPerSecond)} rows/s`,
    goal: { max: 300 },
  })
  report.figure({
    figure: `growth of memory over ${input}`,
    value: (share(0.8, 1) - share(0.2, 0.4)) / 1e6,
    unit: 'MB',
    against: `from the second fifth of the time to the last, of ${Math.round(share(0.2, 0.4) / 1e6)} MB`,
    goal: { max: 50 },
  })
}

/** A million objects of a bucket, listed and cut by the command. */
async function planner(report: Report): Promise<void> {
  const count = 1_000_000
  const bucket = createServer((request, response) => {
    const from = Number(new URL(request.url ?? '', 'http://h').searchParams.get('continuation-token') ?? 0)
    response.setHeader('content-type', 'application/xml')
    response.end(listingOf(from, Math.min(count, from + 1000), count))
  })
  await once(bucket.listen(0, '127.0.0.1'), 'listening')
  const { port } = bucket.address() as AddressInfo // it listens on one
  const env = {
    ...process.env,
    EAS_S3_ENDPOINT: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
  }
  let tasks = 0
  const start = performance.now()
  const { residentBytes } = await watched(
    [main, 'score', batchModel(folder, 'light').service, 's3://in', '--out', 's3://out', '--plan', 'fc-task'],
    (piece) => {
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) tasks++
    },
    env,
  )
  const ms = performance.now() - start
  bucket.close()
  bucket.closeAllConnections()
  const against = `a million objects of a loopback bucket, cut into ${tasks} tasks`
  report.figure({ figure: 'planner, per object', value: (ms * 1000) / count, unit: 'us', against, goal: { max: 40 } })
  report.figure({
    figure: 'planner, largest memory',
    value: residentBytes.reduce((most, bytes) => Math.max(most, bytes), 0) / 1e6,
    unit: 'MB',
    against: `${count / 1000} requests for listings`,
    goal: { max: 200 },
  })
}

/** A page of the bucket, as `ListObjectsV2` answers. */
function listingOf(from: number, to: number, count: number): string {
  let contents = ''
  for (let i = from; i < to; i++) {
    contents += `<Contents><Key>day=1/part-${String(i).padStart(7, '0')}.ndjson</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${i.toString(16).padStart(32, '0')}&quot;</ETag><Size>${i}</Size></Contents>`
  }
  const more = to < count ? `<NextContinuationToken>${to}</NextContinuationToken>` : ''
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${to < count}</IsTruncated>${more}${contents}</ListBucketResult>`
}

interface Watched {
  /** Resident memory, ten times a second. */
  readonly residentBytes: readonly number[]
}

async function score(
  model: BatchModel,
  file: string,
  out: string,
  format: string,
): Promise<Watched & { readonly rowsPerSecond: number; readonly seconds: number }> {
  rmSync(out, { recursive: true, force: true })
  const options = ['--out', out, '--format', format, '--batch-rows', `${batchRows}`, '--json']
  let text = ''
  const start = performance.now()
  const { residentBytes } = await watched([main, 'score', model.service, file, ...options], (piece) => {
    text += piece
  })
  const seconds = (performance.now() - start) / 1000
  const { rowsPerSecond } = JSON.parse(text) as { rowsPerSecond: number } // --json
  return { rowsPerSecond, seconds, residentBytes }
}

/** Runs a command of Node. @throws when it fails. */
async function watched(
  args: readonly string[],
  onOutput: (piece: Buffer) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Watched> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  child.stdout.on('data', onOutput)
  const residentBytes: number[] = []
  const watch = setInterval(async () => {
    const bytes = await residentBytesOf(child.pid ?? 0)
    if (bytes > 0) residentBytes.push(bytes)
  }, 100)
  const [code] = await once(child, 'close')
  clearInterval(watch)
  if (code !== 0) throw new Error(`eas ${args[1]} ended with ${code}`)
  return { residentBytes }
}

/** 0 once the process has ended, or where there is no such file. */
async function residentBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

/** A file of rows with an id, made once. */
async function rowsFile({ name, input }: BatchModel, rows: number, format: Format): Promise<string> {
  const file = join(folder, `${name}-${rows}.${format}`)
  if (existsSync(file)) return file
  const value = (i: number) => (input.dtype === 'float32' ? ((i * 7919) % 100_003) / 100_003 : (i * 7919) % 10_000)
  const listOf = (row: number) => Array.from({ length: input.width }, (_, i) => value(row * input.width + i))
  if (format === 'parquet') {
    const { parquetWriteFile } = await import('hyparquet-writer')
    const ids = Array.from({ length: rows }, (_, i) => BigInt(i))
    const lists = Array.from({ length: rows }, (_, i) => (input.dtype === 'int64' ? listOf(i).map(BigInt) : listOf(i)))
    const type = input.dtype === 'int64' ? 'INT64' : 'FLOAT'
    parquetWriteFile({
      filename: file,
      columnData: [
        { name: 'id', data: ids },
        { name: input.name, data: lists },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
        { name: input.name, converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type, repetition_type: 'REQUIRED' },
      ],
      rowGroupSize: 10_000,
    })
    return file
  }
  const stream = createWriteStream(file)
  for (let from = 0; from < rows; from += 1000) {
    let text = ''
    for (let row = from; row < Math.min(rows, from + 1000); row++) {
      text += `{"id":${row},"${input.name}":[${listOf(row)
        .map((x) => +x.toPrecision(7))
        .join(',')}]}\n`
    }
    if (!stream.write(text)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return file
}
