import type { EasError } from '@eas/base'
import { type Logger, type LogKeys, logKeys, writeLines } from './log.ts'
import type { Metrics } from './metrics.ts'
import { type Stages, stageNames } from './stages.ts'

/** What remains of a request once it is answered. No value of it, and no token. */
export interface RequestRecord {
  /** The service it was for; empty for none, so that a client cannot add labels to the metrics. */
  readonly service: string
  readonly method: string
  readonly request_id: string | undefined
  readonly status: number
  /** Why it failed, if it did. */
  readonly error: EasError | undefined
  readonly stages: Stages | undefined
  readonly totalMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  /** When it was answered, in milliseconds since 1970. */
  readonly at: number
}

/** Milliseconds that records are gathered for: done together they cost half of what they cost one by one. */
const gatherMs = 5

/** Counts and logs answered requests, behind their answers: nobody waits for a log line. */
export class Recorder {
  private readonly metrics: Metrics
  private readonly log: Logger
  private records: RequestRecord[] = []
  private timer: NodeJS.Timeout | undefined

  constructor(metrics: Metrics, log: Logger) {
    this.metrics = metrics
    this.log = log
  }

  record(record: RequestRecord): void {
    this.records.push(record)
    this.timer ??= setTimeout(this.flush, gatherMs)
  }

  /** Counts and logs what has been gathered. */
  readonly flush = (): void => {
    clearTimeout(this.timer)
    this.timer = undefined
    const { records } = this
    this.records = []
    let lines = ''
    for (const record of records) {
      this.metrics.observe(record)
      const level = levelOf(record)
      if (this.log.isLevelEnabled(level)) lines += lineOf(record, level, logKeys)
    }
    if (lines !== '') writeLines(this.log, lines)
  }
}

function levelOf({ method, service, error }: RequestRecord) {
  const isProbe = method === 'GET' && service === ''
  return error?.code === 'internal' ? 'error' : isProbe ? 'debug' : 'info'
}

/** As pino would write it, whose own way takes three times as long. */
export function lineOf(record: RequestRecord, level: string, { level: levelKey, message, names }: LogKeys): string {
  const { service, method, request_id, status, error, stages, totalMs, requestBytes, responseBytes, at } = record
  let line = `{"${levelKey}":"${names[level] ?? level}","time":"${new Date(at).toISOString()}"`
  line += `,"service":${JSON.stringify(service)},"method":${JSON.stringify(method)},"status":${status}`
  line += `,"totalMs":${round(totalMs)}`
  if (stages) for (const name of stageNames) line += `,"${name}Ms":${round(stages[name])}`
  line += `,"requestBytes":${requestBytes},"responseBytes":${responseBytes}`
  if (request_id !== undefined) line += `,"request_id":${JSON.stringify(request_id)}`
  if (error) line += `,"error":${JSON.stringify(error.message)}`
  const cause = error?.code === 'internal' ? describeCause(error.cause) : undefined
  if (cause !== undefined) line += `,"cause":${JSON.stringify(cause)}`
  return `${line},"${message}":"request"}\n`
}

const describeCause = (cause: unknown) =>
  cause instanceof Error ? cause.stack : cause === undefined ? undefined : String(cause)
const round = (ms: number) => Math.round(ms * 1000) / 1000
