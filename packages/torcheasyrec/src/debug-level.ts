/** What a request's `debug_level` changes. */
export interface DebugLevel {
  readonly level: number
  readonly what: string
  /** Whether the model runs. */
  readonly predicts: boolean
  /** Whether the answer has `raw_features`, the inputs of feature generation. */
  readonly rawFeatures: boolean
  /** Whether it has `generate_features`, what came out. */
  readonly generateFeatures: boolean
  /** Whether it has the model's input tensors, under their names in `map_outputs`. */
  readonly modelInputs: boolean
  /** Whether it has the user embedding that items are recalled by. */
  readonly userEmbedding: boolean
  /** Whether the request and its features are kept under `request_log_path`. */
  readonly isKept: boolean
  /** Whether the log gets the time of every stage. */
  readonly logsStages: boolean
  /** Whether the log gets the names of features that are missing. */
  readonly logsMissing: boolean
}

const plain: DebugLevel = {
  level: 0,
  what: 'the prediction, or the items recalled',
  predicts: true,
  rawFeatures: false,
  generateFeatures: false,
  modelInputs: false,
  userEmbedding: false,
  isKept: false,
  logsStages: false,
  logsMissing: false,
}
const validating = { ...plain, generateFeatures: true, logsMissing: true }

/**
 * The levels that are published; any other one is as 0.
 * @see Alibaba Cloud help, "TorchEasyRec processor", table of `debug_level`
 */
export const debugLevels: readonly DebugLevel[] = [
  plain,
  { ...validating, level: 1, what: 'input and output features, no prediction', predicts: false, rawFeatures: true },
  {
    ...validating,
    level: 2,
    what: 'input and output features, the tensors the model is given, and the prediction',
    rawFeatures: true,
    modelInputs: true,
  },
  { ...validating, level: 3, what: 'output features, no prediction', predicts: false },
  { ...plain, level: 100, what: 'the prediction', isKept: true },
  {
    ...validating,
    level: 102,
    what: 'as 2; of a recall also the user embedding',
    rawFeatures: true,
    modelInputs: true,
    userEmbedding: true,
  },
  { ...plain, level: 903, what: 'the prediction', logsStages: true },
  { ...plain, level: 904, what: 'the prediction', logsMissing: true },
]

const byLevel = new Map(debugLevels.map((row) => [row.level, row]))

export const debugLevelOf = (level: number): DebugLevel => byLevel.get(level) ?? plain

/** The levels as a Markdown table, padded as the formatter of this repository wants it. */
export function renderDebugLevels(): string {
  const yes = (isSo: boolean) => (isSo ? 'yes' : '')
  const head = ['`debug_level`', 'answers with', 'the model runs', 'written elsewhere']
  const rows = debugLevels.map((row) => [
    String(row.level),
    row.what,
    yes(row.predicts),
    [row.isKept && 'file', row.logsStages && 'stages', row.logsMissing && 'missing features']
      .filter(Boolean)
      .join(', '),
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
