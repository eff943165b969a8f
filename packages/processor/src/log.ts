import pino, { type Logger } from 'pino'

export type { Logger }

const { streamSym } = pino.symbols

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
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 1, sync: !buffered, minLength: buffered ? 16 * 1024 - 1 : 0, periodicFlush: 100 }),
  )
}
