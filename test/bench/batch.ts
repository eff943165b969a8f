import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type ListedObject, planTargets, planWork } from '@eas/batch'
import { memoryStore } from '@eas/storage'
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
/** Bytes of the input that shows whether memory stays flat. */
const largeBytes = Number(process.env.BENCH_BYTES || 5e9)

/** Scoring files with the command, against the model alone and against a loop in Python. */
export const batch: Bench = {
  name: 'batch',
  summary:
    'eas score over NDJSON and Parquet, against bare session.run and a Python loop (BENCH_BYTES for less than 5 GB)',
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
    for (const format of ['ndjson', 'parquet'] as const) await contest(model, format, python, report)
  }
  await memory(report)
  await planner(report)
}

async function contest(model: BatchModel, format: 'ndjson' | 'parquet', python: string | undefined, report: Report) {
  const rows = 40_000
  const file = await rowsFile(model, rows, format)
  const bare = startChild<BareBatch, number>('bare-batch.ts')
  const out = join(folder, 'out')
  try {
    const samples = await interleave(
      {
        ours: async () => (await score(model, file, out, format)).rowsPerSecond,
        bare: () =>
          bare.ask({
            model: model.model,
            input: model.input.dtype,
            rows: batchRows,
            width: model.input.width,
            calls: Math.floor(rows / batchRows),
          }),
        python: async () => {
          if (!python) return Number.NaN
          const script = join(import.meta.dirname, 'batch_loop.py')
          const { stdout } = await run(python, [script, model.model, file, `${out}.python`, `${batchRows}`])
          return Number(stdout)
        },
      },
      { rounds: roundsFromEnv(5), warmUps: 1 },
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

/** Largest resident memory over a large input, beside that over a hundredth of it. */
async function memory(report: Report): Promise<void> {
  const model = batchModel(folder, 'light')
  const peaks: number[] = []
  for (const bytes of [largeBytes / 100, largeBytes]) {
    const file = await rowsFile(model, Math.round(bytes / 220), 'ndjson')
    peaks.push((await score(model, file, join(folder, 'out'), 'ndjson')).peakBytes)
    rmSync(file)
  }
  const [small = 0, large = 0] = peaks
  report.figure({
    figure: `largest memory over ${(largeBytes / 1e9).toPrecision(2)} GB of NDJSON`,
    value: large / 1e6,
    unit: 'MB',
    against: `${Math.round(small / 1e6)} MB over a hundredth of it`,
    goal: { max: Math.max(1.25 * (small / 1e6), small / 1e6 + 100) },
  })
}

async function planner(report: Report): Promise<void> {
  const store = memoryStore('s3://in')
  const count = 1_000_000
  async function* objects(): AsyncGenerator<ListedObject> {
    for (let i = 0; i < count; i++) yield { store, info: { key: `day=1/${i}.ndjson`, size: i, version: `${i}` } }
  }
  const start = process.cpuUsage()
  let tasks = 0
  for await (const task of planWork(objects(), planTargets['fc-task'])) tasks += task.items.length > 0 ? 1 : 0
  const { user, system } = process.cpuUsage(start)
  report.figure({
    figure: 'planner, per object',
    value: (user + system) / count,
    unit: 'us',
    against: `a million objects into ${tasks} tasks`,
    goal: { max: 20 },
  })
}

interface Scored {
  readonly rowsPerSecond: number
  readonly peakBytes: number
}

async function score(model: BatchModel, file: string, out: string, format: string): Promise<Scored> {
  rmSync(out, { recursive: true, force: true })
  const args = [
    main,
    'score',
    model.service,
    file,
    '--out',
    out,
    '--format',
    format,
    '--batch-rows',
    `${batchRows}`,
    '--json',
  ]
  // GNU time's figure is the largest of the whole life; /proc has it only while the process lives.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (piece) => {
    text += piece
  })
  let peakBytes = 0
  const watch = setInterval(async () => {
    peakBytes = Math.max(peakBytes, await residentBytes(child.pid ?? 0))
  }, 100)
  const [code] = await once(child, 'close')
  clearInterval(watch)
  if (code !== 0) throw new Error(`eas score ended with ${code}: ${text}`)
  const { rowsPerSecond } = JSON.parse(text) as { rowsPerSecond: number } // --json
  return { rowsPerSecond, peakBytes }
}

async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', `${pid}`]).catch(() => ({ stdout: '0' }))
  return Number(stdout) * 1024
}

/** A file of rows with an id, made once. */
async function rowsFile({ name, input }: BatchModel, rows: number, format: 'ndjson' | 'parquet'): Promise<string> {
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
