import { availableParallelism } from 'node:os'
import { basename } from 'node:path/posix'
import { EasError, limits } from '@eas/base'
import {
  type Batch,
  BatchError,
  type BatchOptions,
  type BatchScorer,
  batchService,
  createBatch,
  defaultOptions,
  estimateWork,
  failuresAbove,
  hasRows,
  inputFormatNames,
  type ListedObject,
  listObjects,
  outputFormatNames,
  type Place,
  type PlanTarget,
  type PlanTargetName,
  parseMapping,
  planTargetNames,
  planTargets,
  planWork,
  type RunReport,
  runAll,
  serviceOf,
  serviceScorer,
} from '@eas/batch'
import { createLogger, createProcessor, loadServices, machineOf, settingsFromEnv } from '@eas/processor'
import { openStore, StoreError, type StoreSettings } from '@eas/storage'
import { Command, InvalidArgumentError, Option } from 'commander'
import { formatBytes, labelled, print, styled } from '../print.ts'
import { readText } from '../read-file.ts'
import { scoreProgress } from '../score-progress.ts'
import { readServiceFile } from '../services.ts'
import { showing } from '../show-after.ts'

interface ScoreOptions {
  readonly out: string
  readonly mapping?: string
  readonly inputFormat?: string
  readonly format: BatchOptions['outputFormat']
  readonly chunkRows: number
  readonly batchRows?: number
  readonly maxFailures: number
  readonly objects: number
  readonly dryRun?: boolean
  readonly plan?: PlanTargetName
  readonly json?: boolean
}

export const scoreCommand = () =>
  new Command('score')
    .description('Score the rows of files or of objects in a bucket, each once, however often it is interrupted.')
    .argument('<service>', 'service.json, or a model file to use with defaults')
    .argument('<inputs...>', 'files, folders or URLs: rows.ndjson, data/, oss://bucket/day=1/')
    .requiredOption('--out <place>', 'where results go: a folder or a URL')
    .option(
      '--mapping <file>',
      'JSON: which columns feed which inputs, which are kept, which outputs are written, how CSV is written',
    )
    .addOption(
      new Option('--input-format <format>', 'format of the inputs (default: by name)').choices(inputFormatNames),
    )
    .addOption(
      new Option('--format <format>', 'format of the results')
        .choices(outputFormatNames)
        .default(defaultOptions.outputFormat),
    )
    .option('--chunk-rows <n>', 'rows that are committed at once', wholeNumber, defaultOptions.chunk.rows)
    .option('--batch-rows <n>', 'rows of each call of the model (default: found out)', wholeNumber)
    .option('--max-failures <share>', 'share of rows that may fail before an object is stopped', share, 0.1)
    .option('--objects <n>', 'objects under way at once', wholeNumber, 2)
    .option('--dry-run', 'say how much there is to do and how long it would take; write nothing')
    .addOption(
      new Option(
        '--plan <engine>',
        'print the objects as tasks for an engine of a cloud, a line each; score nothing',
      ).choices(planTargetNames),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  eas score service.json rows.ndjson --out scores/
  eas score service.json oss://bucket/in/ --out oss://bucket/out/ --format parquet
  eas score service.json rows.csv --out scores/ --mapping mapping.json
  eas score service.json s3://bucket/in/ --out s3://bucket/out/ --plan distributed-map > items.jsonl

A mapping: { "inputs": { "image": "pixels" }, "keep": ["id"], "outputs": ["scores"] }. Without one, columns feed the inputs
of the same name, and the others are kept. Results of rows.ndjson are scores/rows.ndjson/…; its manifest with the highest
number lists the parts, in the order of the rows, and the file of failed rows. Ctrl-C stops; the same command goes on.
Exit code: 0 all is scored, 1 something is not, 2 wrong use.`,
    )
    .action(score)

async function score(serviceFile: string, inputs: readonly string[], options: ScoreOptions): Promise<void> {
  const settings = settingsFromEnv(process.env)
  const { stores } = machineOf(settings)
  if (options.plan) return await plan(inputs, stores, options, planTargets[options.plan]).catch(rethrown)
  const file = await readServiceFile(serviceFile, { processor: 'pytorch_cpu_1.10', name: undefined })
  const { services } = await loadServices([file], settings)
  const [spec] = services
  if (!spec) throw new EasError('invalid_request', `Cannot score with ${serviceFile}: it has no service`)
  // A batch on this machine is what it is there for, whatever the service has elsewhere.
  const service = batchService(spec, availableParallelism())
  const processor = createProcessor({ services: [service], settings, log: createLogger('silent', true) })
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  try {
    const batchOptions = await batchOptionsOf(options)
    const out = openStore(options.out, stores)
    const scorer = serviceScorer(serviceOf({ processor, service }))
    await showing(`Loading ${service.name}`, scorer.facts({ signal: stop.signal }))
    const places = inputs.map((name) => ({ name, place: openStore(name, stores) }))
    const run: Run = { inputs: places, empty: new Set(), out, signal: stop.signal, options }
    if (options.dryRun) await estimate(scorer, batchOptions, run)
    else await scoreAll(createBatch(scorer, out, batchOptions), run)
    if (!stop.signal.aborted) sayEmpty(run.empty)
  } catch (thrown) {
    rethrown(thrown)
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
    await processor.close()
  }
}

/** What the user can do something about is said in one line. */
function rethrown(thrown: unknown): never {
  if (!(thrown instanceof BatchError || thrown instanceof StoreError)) throw thrown
  throw new EasError('invalid_request', thrown.message, { cause: thrown })
}

async function plan(
  inputs: readonly string[],
  stores: StoreSettings,
  options: ScoreOptions,
  target: PlanTarget,
): Promise<void> {
  const empty = new Set<string>()
  for (const input of inputs) {
    let tasks = 0
    for await (const task of planWork(listObjects(openStore(input, stores), {}, isInput(options)), target)) {
      const isTaken = process.stdout.write(`${target.line(task)}\n`)
      tasks++
      if (!isTaken) await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
    if (tasks === 0) empty.add(input)
  }
  sayEmpty(empty)
}

/** Below a folder or prefix, names tell. Where the format is given they need not, but for those that engines hide. */
const isInput = ({ inputFormat }: ScoreOptions) =>
  inputFormat === undefined ? hasRows : (key: string) => !/^[._]/.test(basename(key))

/** As other commands do with several files: what is there is done, and what is not there is a failure. */
function sayEmpty(inputs: ReadonlySet<string>): void {
  if (inputs.size === 0) return
  const where = [...inputs].join(', ')
  const known = 'no such object, and none below it whose name ends like a format; --input-format takes any name'
  throw new EasError('not_found', `There is nothing to score at ${where}: ${known}`)
}

/** A place by the name that it was given on the command line. */
interface Input {
  readonly name: string
  readonly place: Place
}

interface Run {
  readonly inputs: readonly Input[]
  /** Those of `inputs` where nothing was found. */
  readonly empty: Set<string>
  readonly out: Place
  readonly signal: AbortSignal
  readonly options: ScoreOptions
}

async function batchOptionsOf(options: ScoreOptions): Promise<BatchOptions> {
  return {
    ...defaultOptions,
    inputFormat: options.inputFormat,
    outputFormat: options.format,
    mapping: options.mapping === undefined ? {} : parseMapping(await readJson(options.mapping)),
    chunk: { ...defaultOptions.chunk, rows: options.chunkRows },
    failures: failuresAbove(options.maxFailures),
    batchRows: options.batchRows,
  }
}

/** What lies below the output has come from an earlier run. */
async function* objectsOf({ inputs, empty, out, signal, options }: Run): AsyncGenerator<ListedObject, void, void> {
  const results = `${out.store.url}/${out.key === '' ? '' : `${out.key}/`}`
  for (const { name, place } of inputs) {
    let found = 0
    for await (const object of listObjects(place, { signal }, isInput(options))) {
      if (`${object.store.url}/${object.info.key}`.startsWith(results)) continue
      found++
      yield object
    }
    if (found === 0) empty.add(name)
  }
}

async function estimate(scorer: BatchScorer, batchOptions: BatchOptions, run: Run): Promise<void> {
  const found = await showing('Looking at the inputs', estimateWork(scorer, batchOptions, objectsOf(run), run.signal))
  if (run.options.json) return print(JSON.stringify(found, null, 2))
  const { objects, bytes, rows, chunks, rowsPerSecond, seconds, isCounted } = found
  const about = isCounted ? '' : 'about '
  print(
    labelled([
      ['objects', `${objects}, ${formatBytes(bytes)}`],
      ['rows', `${about}${rows}`],
      ['chunks', `${about}${chunks}`],
      ['speed', rowsPerSecond > 0 ? `${Math.round(rowsPerSecond)} rows/s, by a sample` : undefined],
      ['time', rowsPerSecond > 0 ? `about ${formatSeconds(seconds)}` : undefined],
    ]),
  )
}

async function scoreAll(batch: Batch, run: Run): Promise<void> {
  const { signal, options } = run
  const progress = await scoreProgress(objectsOf(run), options.json ?? false)
  const report = await runAll(batch, objectsOf(run), { concurrency: options.objects, signal, ...progress.listener })
  progress.stop()
  if (options.json) print(JSON.stringify(report, null, 2))
  else if (Object.values(report.objects).some((count) => count > 0)) print(reportText(report, options.out))
  const { stopped, failed, unfinished } = report.objects
  if (signal.aborted || stopped + failed + unfinished > 0) process.exitCode = 1
}

function reportText(report: RunReport, out: string): string {
  const { objects, rows, failures, computedRows, seconds, rowsPerSecond, inputBytes, outputBytes, writes } = report
  const others = (['stopped', 'failed', 'unfinished'] as const).filter((status) => objects[status] > 0)
  const found = rows - computedRows
  return [
    labelled([
      ['objects', [`${objects.scored} scored`, ...others.map((status) => `${objects[status]} ${status}`)].join(', ')],
      [
        'rows',
        `${rows}${failures > 0 ? `, of which ${failures} failed` : ''}${found > 0 ? `; ${found} found done` : ''}`,
      ],
      ['speed', computedRows > 0 ? `${Math.round(rowsPerSecond)} rows/s over ${formatSeconds(seconds)}` : undefined],
      ['read', formatBytes(inputBytes)],
      ['written', writes > 0 ? `${formatBytes(outputBytes)} in ${writes} writes` : undefined],
      ['model', report.model || undefined], // empty where no object came to its end
      ['configuration', report.config || undefined],
      ['results', out],
    ]),
    ...report.problems.map(({ url, error }) => styled('yellow', `${url}: ${error}`)),
  ].join('\n')
}

const formatSeconds = (seconds: number) =>
  seconds < 120
    ? `${seconds.toFixed(1)} s`
    : seconds < 7200
      ? `${(seconds / 60).toFixed(0)} min`
      : `${(seconds / 3600).toFixed(1)} h`

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path, limits.serviceJsonBytes)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EasError('invalid_request', `Cannot read ${path}: it is not JSON`, { cause })
  }
}

function wholeNumber(text: string): number {
  if (/^\d{1,12}$/.test(text) && Number(text) > 0) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 up.')
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}
