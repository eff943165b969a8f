import { oneLine } from '@eas/base'
import { BatchError } from './batch-error.ts'
import type { ChunkSize } from './engine/row-chunks.ts'
import type { FailureRule } from './engine/score-object.ts'
import { inputFormats } from './read/formats.ts'
import { type Mapping, parseMapping } from './rows/mapping.ts'
import { type OutputFormatName, outputFormats } from './write/formats.ts'

/** How objects are scored. What of it changes results stands in the names of results. */
export interface BatchOptions {
  /** Format of every object; by its name when not set. */
  readonly inputFormat: string | undefined
  readonly outputFormat: OutputFormatName
  readonly mapping: Mapping
  readonly chunk: ChunkSize
  readonly failures: FailureRule
  /** Rows of each call; found out when not set. */
  readonly batchRows: number | undefined
}

export const defaultOptions: BatchOptions = {
  inputFormat: undefined,
  outputFormat: 'ndjson',
  mapping: {},
  // A chunk is what a kill costs, and each takes two writes: some seconds of work, and memory that every function has.
  chunk: { rows: 32_768, bytes: 32 * 1024 * 1024 },
  failures: { count: 10, share: 0.1 }, // failuresAbove(0.1)
  batchRows: undefined,
}

/** At most this share of an object's rows may fail; up to ten rows are let pass, unless none is. */
export const failuresAbove = (share: number): FailureRule => ({ count: share === 0 ? 0 : 10, share })

/** What results depend on besides the input and the model, as text. */
export function configOf({ inputFormat, outputFormat, mapping, chunk, failures }: BatchOptions): string {
  return JSON.stringify([formatVersion, inputFormat ?? '', outputFormat, mapping, chunk, failures])
}

/** Of what stands in results; another one makes other names. */
const formatVersion = 3

interface Variable {
  readonly env: string
  readonly meaning: string
  read(text: string): Partial<BatchOptions> | undefined
}

const count = (env: string, meaning: string, set: (value: number) => Partial<BatchOptions>): Variable => ({
  env,
  meaning,
  read: (text) => (/^\d{1,12}$/.test(text) && Number(text) > 0 ? set(Number(text)) : undefined),
})

/** Settings of functions that score batches. Printed into the README. */
export const batchVariables: readonly Variable[] = [
  {
    env: 'EAS_BATCH_OUTPUT',
    meaning: 'Where results go: `oss://bucket/prefix/`. Needed.',
    read: () => ({}), // by `batchScorerFromEnv`
  },
  {
    env: 'EAS_BATCH_INPUT',
    meaning: `Format of the objects: ${Object.keys(inputFormats).join(', ')}. Default: by their names.`,
    read: (text) => (Object.hasOwn(inputFormats, text) ? { inputFormat: text } : undefined),
  },
  {
    env: 'EAS_BATCH_FORMAT',
    meaning: `Format of the results: ${Object.keys(outputFormats).join(', ')}. Default: ndjson, or the recorded requests' own.`,
    read: (text) => (Object.hasOwn(outputFormats, text) ? { outputFormat: text as OutputFormatName } : undefined), // has it
  },
  {
    env: 'EAS_BATCH_MAPPING',
    meaning:
      'JSON with `inputs`, `keep`, `outputs` and `csv`: which columns feed the model, what goes out, how CSV is written. Default: by names.',
    read: (text) => ({ mapping: parseMapping(parsed(text)) }),
  },
  count(
    'EAS_BATCH_CHUNK_ROWS',
    'Rows of a chunk, the most that is computed again after a kill. Default: 32768.',
    (rows) => ({
      chunk: { ...defaultOptions.chunk, rows },
    }),
  ),
  count('EAS_BATCH_ROWS', 'Rows of each call of the model. Default: found out.', (batchRows) => ({ batchRows })),
  {
    env: 'EAS_BATCH_FAILURES',
    meaning: 'Share of rows that may fail before a job is stopped, from 0 to 1. Default: 0.1.',
    read: (text) => (/^(?:0|1|0?\.\d{1,9})$/.test(text) ? { failures: failuresAbove(Number(text)) } : undefined),
  },
]

/** The variables as a table of Markdown, for the README. */
export function renderBatchVariables(): string {
  const rows = batchVariables.map(({ env, meaning }) => `| \`${env}\` | ${meaning.replaceAll('|', '\\|')} |`)
  return ['| variable | meaning |', '|---|---|', ...rows].join('\n')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Options from environment variables; an empty one counts as not set.
 * @throws {BatchError} `unsupported` naming every variable that is wrong.
 */
export function batchOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): BatchOptions {
  const wrong: string[] = []
  let options = defaultOptions
  for (const { env: name, read } of batchVariables) {
    const text = env[name]
    if (text === undefined || text === '') continue
    const set = read(text)
    if (set) options = { ...options, ...set }
    else wrong.push(`${name}=${oneLine(text, 60)}`)
  }
  if (wrong.length > 0) throw new BatchError('unsupported', `Cannot read the environment: ${wrong.join('; ')}`)
  return options
}
