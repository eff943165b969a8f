import { EasError } from '@eas/base'

/** Where a key or a value begins, both 1-based; columns count UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One value that cannot be used. */
export interface BadOption {
  /** Path of the key, as `metadata.rpc.keepalive` or `storage[0].oss.path`; empty for the file as a whole. */
  readonly path: string
  /** What is wrong and what is allowed. Shows the value unless it is a secret. */
  readonly message: string
  readonly at?: Position | undefined
}

/**
 * What a warning is about:
 * `unknown_key` no table has the key, `no_effect` the key means nothing on a function platform, `duplicate_key` the same
 * key twice in one object, `conflict` a flat and a nested spelling disagree, `unusual` a value that runs but deserves a
 * look, `left_out` a value that is not used, `more` warnings past the first hundred, only counted.
 */
export type WarningCode = 'unknown_key' | 'no_effect' | 'duplicate_key' | 'conflict' | 'unusual' | 'left_out' | 'more'

/** Order of the file; what has no place comes last. */
export function comparePositions(a: Position | undefined, b: Position | undefined): number {
  if (!a || !b) return a ? -1 : b ? 1 : 0
  return a.line - b.line || a.column - b.column
}

/** Something the author of the file should hear once. Never shows a value of the file that may be a secret. */
export interface ConfigWarning {
  readonly code: WarningCode
  readonly path: string
  /** Begins with the path or paths it is about. */
  readonly message: string
  readonly at?: Position | undefined
}

/**
 * A `service.json` that cannot be used. `options` has every bad value, not the first. The message names unknown keys too:
 * what is missing may stand there under a name of its own.
 */
export class ConfigError extends EasError {
  override readonly name: string = 'ConfigError'
  readonly options: readonly BadOption[]
  readonly warnings: readonly ConfigWarning[]

  constructor(file: string, options: readonly BadOption[], warnings: readonly ConfigWarning[] = []) {
    const lines = [...options.map(formatBadOption), ...unknownKeys(warnings)]
    super('invalid_request', `Cannot read ${file}: ${lines.join('; ')}`)
    this.options = options
    this.warnings = warnings
  }
}

/** The first few messages about keys that no table has. */
export const unknownKeys = (warnings: readonly ConfigWarning[]): readonly string[] =>
  warnings
    .filter(({ code }) => code === 'unknown_key')
    .map(({ message }) => message)
    .slice(0, 5)

/** One bad value on one line: path, place, message. */
export function formatBadOption({ path, message, at }: BadOption): string {
  const place = at ? `line ${at.line} column ${at.column}` : ''
  const where = path && place ? `${path} (${place})` : path || place
  return where ? `${where}: ${message}` : message
}

/** Problems named one by one; more are only counted, so that a hostile file cannot make an endless report. */
const reportedCount = 100

/** Collects what is found while a file is read. */
export class Findings {
  readonly #bad: BadOption[] = []
  readonly #warnings: ConfigWarning[] = []
  #unreportedBad = 0
  #unreportedWarnings = 0

  bad(path: string, message: string, at?: Position): void {
    if (this.#bad.length < reportedCount) this.#bad.push({ path, message, at })
    else this.#unreportedBad++
  }

  hasBad(path: string): boolean {
    return this.#bad.some((option) => option.path === path)
  }

  /** @param message Made only when it will be reported: finding the nearest key costs time. */
  warn(code: WarningCode, path: string, message: () => string, at?: Position): void {
    if (this.#warnings.length < reportedCount) this.#warnings.push({ code, path, message: message(), at })
    else this.#unreportedWarnings++
  }

  /** @throws {ConfigError} when anything bad was found. */
  throwIfBad(file: string): void {
    if (this.#bad.length === 0) return
    const rest = this.#unreportedBad
    const sorted = this.#bad.toSorted((a, b) => comparePositions(a.at, b.at))
    const options = rest ? [...sorted, { path: '', message: `and ${rest} more` }] : sorted
    throw new ConfigError(file, options, this.warnings)
  }

  get warnings(): readonly ConfigWarning[] {
    const rest = this.#unreportedWarnings
    const sorted = this.#warnings.toSorted((a, b) => comparePositions(a.at, b.at))
    return rest ? [...sorted, { code: 'more', path: '', message: `and ${rest} more warnings` }] : sorted
  }
}
