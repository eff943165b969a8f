import { once } from '@eas/base'
import pino, { type Logger } from 'pino'

export type { Logger }

const { streamSym } = pino.symbols

/** How a line says how grave it is and what happened. */
export interface LogKeys {
  readonly level: string
  readonly message: string
  /** The value of `level`, where it is another than pino's name. */
  readonly names: Readonly<Record<string, string>>
}

const pinoKeys: LogKeys = { level: 'level', message: 'msg', names: {} }

/** Without these every line is `DEFAULT`, and no alert finds an error. @see Cloud Logging, "Structured logging" */
const cloudLoggingKeys: LogKeys = {
  level: 'severity',
  message: 'message',
  names: { trace: 'DEBUG', debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR', fatal: 'CRITICAL' },
}

/** @param env Cloud Run sets `K_SERVICE`. */
export const logKeysOf = (env: Readonly<Record<string, string | undefined>>): LogKeys =>
  env.K_SERVICE === undefined ? pinoKeys : cloudLoggingKeys

/** Of this process. */
export const logKeys = logKeysOf(process.env)

/**
 * Hands over finished lines, past pino's assembling of each: for what is written per request. A level must have been asked
 * about before.
 */
export function writeLines(log: Logger, lines: string): void {
  const parts = log as unknown as { readonly [streamSym]?: { write(text: string): void } } // pino's types leave it out
  parts[streamSym]?.write(lines)
}

/**
 * JSON lines on standard output. Control characters in a value are escaped by JSON itself; no request value and no token is
 * ever given to it.
 *
 * @param buffered Lines are written ten times a second, for a server that runs on; else each before the next statement, for a
 *   function that may be frozen. A buffered logger's lines are out after `flush`.
 */
export function createLogger(level: string, buffered: boolean): Logger {
  const lines = pino.destination({
    dest: 1,
    sync: !buffered,
    minLength: buffered ? 16 * 1024 - 1 : 0,
    periodicFlush: 100,
    maxLength: unwrittenBytesMax,
  })
  surviveFailures(lines)
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: logKeys.message,
      formatters: { level: (label) => ({ [logKeys.level]: logKeys.names[label] ?? label }) },
    },
    lines,
  )
}

/** What is kept of lines that cannot be written, or not so fast. */
const unwrittenBytesMax = 16 * 1024 * 1024

type Lines = ReturnType<typeof pino.destination>

/** Those whose last attempt to write failed. */
const failing = new Set<Lines>()

/**
 * A full disk costs lines, not requests. Nor does the process stay for it: sonic-boom, pino's writer, tries at the end to write
 * what is left, over and over.
 */
function surviveFailures(lines: Lines): void {
  lines.on('error', () => failing.add(lines))
  lines.on('write', () => failing.delete(lines))
  giveUpAtExit()
}

const giveUpAtExit = once(() =>
  process.prependListener('exit', () => {
    for (const lines of failing) lines.destroy()
  }),
)
