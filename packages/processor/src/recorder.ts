import type { EasError } from '@eas/base'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Stages } from './stages.ts'

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
    for (const record of records) {
      this.metrics.observe(record)
      this.write(record)
    }
  }

  private write(record: RequestRecord): void {
    const { service, method, request_id, status, error, stages, totalMs, requestBytes, responseBytes } = record
    const isProbe = method === 'GET' && service === ''
    const level = error?.code === 'internal' ? 'error' : isProbe ? 'debug' : 'info'
    if (!this.log.isLevelEnabled(level)) return
    this.log[level](
      {
        service,
        method,
        status,
        totalMs: round(totalMs),
        receiveMs: stages && round(stages.receive),
        queueMs: stages && round(stages.queue),
        decodeMs: stages && round(stages.decode),
        computeMs: stages && round(stages.compute),
        encodeMs: stages && round(stages.encode),
        requestBytes,
        responseBytes,
        request_id,
        error: error?.message,
        cause: error?.code === 'internal' ? describeCause(error.cause) : undefined,
      },
      'request',
    )
  }
}

const describeCause = (cause: unknown) =>
  cause instanceof Error ? cause.stack : cause === undefined ? undefined : String(cause)
const round = (ms: number) => Math.round(ms * 1000) / 1000
