import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type Stages, stageNames } from './stages.ts'

export interface Metrics {
  observe(service: string, status: number, stages: Stages | undefined, durationMs: number, body: ByteCounts): void
  /** Prometheus text format 0.0.4. */
  render(): Promise<string>
  readonly contentType: string
}

export interface ByteCounts {
  readonly request: number
  readonly response: number
}

/** What a scrape reads of each service at that moment. */
export interface ServiceGauges {
  readonly name: string
  readonly queued: number
  readonly workers: number
  readonly ready: boolean
}

/** From half a millisecond to a minute: a small model answers within the first, a cold start within the last. */
const durationBucketsMs = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000]

/**
 * Prometheus metrics under names of our own: those of PAI-EAS monitoring are not published. Durations are milliseconds, as
 * in its documents. The only labels are service names that exist, statuses and stages, so their number is bounded.
 */
export function createMetrics(gauges: () => readonly ServiceGauges[]): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'eas_requests_total',
    help: 'Requests answered, by service and status; 499 is a client that left first.',
    labelNames: ['service', 'code'],
    registers,
  })
  const duration = new Histogram({
    name: 'eas_request_duration_ms',
    help: 'Milliseconds from the first byte of a prediction request until its answer exists.',
    labelNames: ['service'],
    buckets: durationBucketsMs,
    registers,
  })
  const stageDuration = new Histogram({
    name: 'eas_stage_duration_ms',
    help: 'Milliseconds of one stage of a prediction: receive, queue, decode, compute, encode.',
    labelNames: ['service', 'stage'],
    buckets: durationBucketsMs,
    registers,
  })
  const requestBytes = new Counter({
    name: 'eas_request_bytes_total',
    help: 'Bytes of request bodies as received.',
    labelNames: ['service'],
    registers,
  })
  const responseBytes = new Counter({
    name: 'eas_response_bytes_total',
    help: 'Bytes of response bodies as sent.',
    labelNames: ['service'],
    registers,
  })
  const live = {
    queued: gauge('eas_queue_length', 'Requests waiting for a worker.'),
    workers: gauge('eas_workers', 'Workers that have the model loaded.'),
    ready: gauge('eas_ready', '1 when the model is loaded, else 0.'),
  }
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory size in bytes.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })

  function gauge(name: string, help: string) {
    return new Gauge({ name, help, labelNames: ['service'], registers })
  }

  return {
    contentType: registry.contentType,
    observe(service, status, stages, durationMs, body) {
      requests.inc({ service, code: status })
      if (!stages) return
      duration.observe({ service }, durationMs)
      for (const stage of stageNames) stageDuration.observe({ service, stage }, stages[stage])
      requestBytes.inc({ service }, body.request)
      responseBytes.inc({ service }, body.response)
    },
    render() {
      for (const { name, queued, workers, ready } of gauges()) {
        live.queued.set({ service: name }, queued)
        live.workers.set({ service: name }, workers)
        live.ready.set({ service: name }, ready ? 1 : 0)
      }
      return registry.metrics()
    },
  }
}
