import { EasError, oneLine } from '@eas/base'
import { FeatureStoreError, ItemCache, requestItems, snapshotSource } from '@eas/feature-store'
import type { FeatureGenerator, Generated, ItemTable } from '@eas/fg'
import { StoreError } from '@eas/storage'
import { Command, InvalidArgumentError } from 'commander'
import { Diff, type FeatureDiff } from '../fg/diff.ts'
import { parseFeatureText } from '../fg/feature-text.ts'
import { type OpenGenerator, openGenerator } from '../fg/open-generator.ts'
import type { Sample } from '../fg/sample.ts'
import { readSamples } from '../fg/samples.ts'
import { toJson } from '../json-output.ts'
import { print, styled } from '../print.ts'

interface SharedOptions {
  readonly items?: string
  readonly key: string
  readonly farmHash?: boolean
  readonly limit?: number
  readonly json?: boolean
}

export const fgCommand = () =>
  shared(new Command('fg'))
    .description('Generate the features of rows or requests by an fg.json, and compare them with what PAI logged.')
    .option('--counters', 'print what was missing, out of vocabulary and out of range instead, by feature')
    .option('--raw', 'print the inputs instead, as raw_features has them')
    .addHelpText(
      'after',
      `
Examples:
  eas fg fg.json rows.ndjson                      a JSON object per line: columns by name, or a request
  eas fg export/ rows.parquet --key request_id    a column per input; --key names rows
  eas fg export/ log.pb --items items/            a PBLogData or PBRequest with the item cache's snapshot
  eas fg diff export/ logs/ --items items/        what is different from the generate_features of the logs

Prints name:value | name:value per row, as generate_features has it. Files that the fg.json names, and model_acc.json, lie
beside it. Without --items, what a PBLogData's items have is taken from its raw_features.
Exit code: 0 done, 1 a file cannot be read or used, or features differ, 2 wrong use.`,
    )
    .action((place: string, input: string, options: GenerateOptions) => orEasError(generate(place, input, options)))
    .addCommand(
      shared(new Command('diff'))
        .description('Compare features with the generate_features that were logged with their inputs.')
        .option('--tolerance <share>', 'relative difference of floats that counts as the same', share, 1e-6)
        // Options that both have are parsed as those of `fg`, wherever they stand.
        .action((place: string, input: string, _own: unknown, command: Command) =>
          orEasError(diff(place, input, command.optsWithGlobals<DiffOptions>())),
        ),
    )

const shared = (command: Command) =>
  command
    .argument('<fg.json>', 'the document, or the folder of an exported model')
    .argument(
      '<input>',
      'rows.ndjson, rows.parquet, rows.csv, a PBLogData or PBRequest file, or a folder of such files',
    )
    .option('--items <snapshot>', 'folder or URL of Parquet, NDJSON or CSV files that hold what items have')
    .option('--key <column>', 'column that names rows of a table, and items of --items', 'item_id')
    .option('--farm-hash', 'hash as USE_FARM_HASH_TO_BUCKETIZE=true does')
    .option('--limit <rows>', 'rows to read at most; requests are read whole (default: all)', count)
    .option('--json', 'print JSON')

function count(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1 up.')
  return value
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value < 1)) throw new InvalidArgumentError('It must be from 0 up to 1.')
  return value
}

interface GenerateOptions extends SharedOptions {
  readonly counters?: boolean
  readonly raw?: boolean
}

async function generate(place: string, input: string, options: GenerateOptions): Promise<void> {
  const { generator, samples } = await open(place, input, options)
  const totals = new Totals(generator)
  for await (const { names, request } of samples) {
    const generated = generator.generate(request)
    totals.add(generated)
    if (options.counters) continue
    const lines = options.raw ? generated.rawFeatures() : generated.generateFeatures()
    for (const [i, line] of lines.slice(0, names.length).entries()) {
      const row = names[i] ?? ''
      if (options.json) print(JSON.stringify({ row, features: Object.fromEntries(parseFeatureText(line)) }))
      else print(`${styled('bold', oneLine(row))}\t${oneLine(line, line.length)}`)
    }
  }
  if (options.counters) print(options.json ? toJson(totals.rows()) : table(totals.rows()))
}

/** Counters of all rows, by feature. */
class Totals {
  private readonly generator: FeatureGenerator
  private readonly sums = new Map<string, number[]>()

  constructor(generator: FeatureGenerator) {
    this.generator = generator
  }

  add({ counters }: Generated): void {
    for (const [name, counts] of Object.entries(counters)) {
      const sums = this.sums.get(name) ?? []
      this.sums.set(name, sums)
      for (const [i, value] of (counts as Uint32Array).entries()) sums[i] = (sums[i] ?? 0) + value // all of them are
    }
  }

  rows(): Readonly<Record<string, string | number>>[] {
    return this.generator.features.map(({ name }, i) => ({
      feature: name,
      ...Object.fromEntries([...this.sums].map(([counter, values]) => [counter, values[i] ?? 0])),
    }))
  }
}

interface DiffOptions extends SharedOptions {
  readonly tolerance: number
}

async function diff(place: string, input: string, options: DiffOptions): Promise<void> {
  const { generator, samples } = await open(place, input, options)
  const differences = new Diff(options.tolerance)
  for await (const { names, request, logged } of samples) {
    const lines = generator.generate(request).generateFeatures()
    for (const [i, name] of names.entries()) differences.add(name, lines[i] ?? '', logged[i])
  }
  const { rows, unlogged, features, isSame } = differences
  if (rows === 0) throw new EasError('invalid_request', `Cannot compare ${input}: it has no generate_features`)
  const other = features.filter((feature) => !isAlike(feature))
  if (options.json) print(toJson({ rows, unlogged, features: features.map((feature) => ({ ...feature })) }))
  else {
    const without = unlogged > 0 ? `; ${unlogged} rows are not in the log` : ''
    print(`${rows} rows of ${features.length} features: ${features.length - other.length} are the same${without}`)
    if (other.length > 0) print(`\n${table(other.map(shown))}`)
  }
  if (!isSame) process.exitCode = 1
}

const isAlike = ({ reordered, different, notLogged }: FeatureDiff) => reordered + different + notLogged === 0

function shown({ name, same, reordered, different, notLogged, first }: FeatureDiff) {
  const cut = (text = '') => oneLine(text, 40)
  return {
    ...{ feature: cut(name), same, reordered, different, 'not logged': notLogged },
    ...{ 'first row': cut(first?.row), ours: cut(first?.ours), logged: cut(first?.logged) },
  }
}

async function open(
  place: string,
  input: string,
  { items, key, farmHash = false, limit = Number.POSITIVE_INFINITY }: SharedOptions,
): Promise<OpenGenerator & { readonly samples: AsyncIterable<Sample> }> {
  const opened = await openGenerator(place, farmHash)
  const table = items === undefined ? () => undefined : await openItems(items, key)
  const { candidateSequence } = opened
  return { ...opened, samples: readSamples(input, { key, items: table, candidateSequence, limit }) }
}

async function openItems(place: string, key: string): Promise<() => ItemTable> {
  const cache = new ItemCache(snapshotSource(place, { key }))
  await cache.refresh()
  await cache.close()
  const view = cache.current()
  if (!view)
    throw new EasError('invalid_request', `Cannot read items: ${cache.status().failure?.message ?? 'there are none'}`)
  return () => requestItems(view)
}

/** Objects of the same keys as a table. */
function table(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const head = Object.keys(rows[0] ?? {})
  const cells = [head, ...rows.map((row) => head.map((name) => String(row[name])))]
  const widths = head.map((_, column) => cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0))
  return cells
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** What the sources of items and files throw, as the commands report it. */
async function orEasError(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (thrown) {
    if (!(thrown instanceof FeatureStoreError || thrown instanceof StoreError)) throw thrown
    throw new EasError('invalid_request', thrown.message, { cause: thrown })
  }
}
