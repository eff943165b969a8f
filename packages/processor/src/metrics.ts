import type { Metric, Registry } from 'prom-client'
import type { FileCounts } from './logs/file-writers.ts'
import type { RequestRecord } from './recorder.ts'
import { stageNames } from './stages.ts'

export interface Metrics {
  observe(record: RequestRecord): void
  /** Prometheus text format 0.0.4. */
  render(): Promise<string>
  readonly contentType: string
}

/** What a scrape reads of each service at that moment. */
export interface ServiceGauges {
  readonly name: string
  readonly inside: number
  readonly queued: number
  readonly workers: number
  readonly ready: boolean
  /** Of the files of the model that is loaded; 0 when none is. */
  readonly modelBytes: number
  /** Of a service that keeps requests in files. */
  readonly requestFiles: Readonly<FileCounts> | undefined
}

/** From half a millisecond to a minute: a small model answers within the first, a cold start within the last. */
const durationBucketsMs = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000]

/**
 * Prometheus metrics under names of our own: those of PAI-EAS monitoring are not published. Durations are milliseconds, as
 * in its documents. The only labels are service names that exist, statuses and stages, so their number is bounded.
 *
 * Counting is ours, an addition per figure; prom-client's registry writes the text.
 */
export function createMetrics(gauges: () => readonly ServiceGauges[]): Metrics {
  const counts = new Map<string, ServiceCounts>()
  const families: { readonly name: string; get(): object }[] = []
  let registry: Promise<Registry> | undefined

  const family = (name: string, type: 'counter' | 'gauge' | 'histogram', help: string, values: () => Sample[]) =>
    void families.push({ name, get: () => ({ name, type, help, values: values() }) })
  const perService = (samples: (counts: ServiceCounts, labels: Labels) => Sample[]) => () =>
    [...counts].flatMap(([service, of]) => samples(of, { service }))
  const live = (value: (gauges: ServiceGauges) => number) => () =>
    gauges().map((of) => ({ labels: { service: of.name }, value: value(of) }))

  family(
    'eas_requests_total',
    'counter',
    'Requests answered, by service and status; 499 is a client that left first.',
    perService(({ byCode }, labels) => [...byCode].map(([code, value]) => ({ labels: { ...labels, code }, value }))),
  )
  family(
    'eas_request_duration_ms',
    'histogram',
    'Milliseconds from the head of a prediction request until its answer exists.',
    perService(({ duration }, labels) => duration.samples('eas_request_duration_ms', labels)),
  )
  family(
    'eas_stage_duration_ms',
    'histogram',
    'Milliseconds of one stage of a prediction: receive, queue, decode, compute, encode.',
    perService(({ stages }, labels) =>
      stageNames.flatMap((stage) => stages[stage].samples('eas_stage_duration_ms', { ...labels, stage })),
    ),
  )
  family(
    'eas_request_bytes_total',
    'counter',
    'Bytes of the bodies of prediction requests as received.',
    perService(({ requestBytes: value }, labels) => [{ labels, value }]),
  )
  family(
    'eas_response_bytes_total',
    'counter',
    'Bytes of the answers to prediction requests.',
    perService(({ responseBytes: value }, labels) => [{ labels, value }]),
  )
  family(
    'eas_requests_in_flight',
    'gauge',
    'Requests waiting or worked on.',
    live(({ inside }) => inside),
  )
  family(
    'eas_queue_length',
    'gauge',
    'Requests waiting for a worker.',
    live(({ queued }) => queued),
  )
  family(
    'eas_workers',
    'gauge',
    'Workers that have the model loaded.',
    live(({ workers }) => workers),
  )
  family(
    'eas_ready',
    'gauge',
    '1 when the model is loaded, else 0.',
    live(({ ready }) => (ready ? 1 : 0)),
  )
  family(
    'eas_model_bytes',
    'gauge',
    'Bytes of the files of the model that is loaded.',
    live(({ modelBytes }) => modelBytes),
  )
  family(
    'eas_request_files_total',
    'counter',
    'Files of requests kept: written; dropped, as too many waited; failed.',
    () =>
      gauges().flatMap(({ name, requestFiles = {} }) =>
        Object.entries(requestFiles).map(([outcome, value]) => ({ labels: { service: name, outcome }, value })),
      ),
  )
  family('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.', () => [
    { labels: {}, value: process.memoryUsage.rss() },
  ])

  return {
    // Prometheus's own, as prom-client has it.
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    observe({ service, status, stages, totalMs, requestBytes, responseBytes }) {
      const of = counts.get(service) ?? new ServiceCounts()
      counts.set(service, of)
      of.byCode.set(status, (of.byCode.get(status) ?? 0) + 1)
      if (!stages) return
      of.duration.add(totalMs)
      for (const stage of stageNames) of.stages[stage].add(stages[stage])
      of.requestBytes += requestBytes
      of.responseBytes += responseBytes
    },
    async render() {
      registry ??= registryOf(families)
      return (await registry).metrics()
    },
  }
}

/** Loaded with the first scrape: a function that is never asked for its metrics need not wait for it to start. */
async function registryOf(families: readonly { readonly name: string; get(): object }[]): Promise<Registry> {
  const { default: prometheus } = await import('prom-client') // a bundler gives a CommonJS package this name alone
  const registry = new prometheus.Registry()
  // The registry asks a metric for its name and for `get()`, and nothing else of what its own classes have.
  for (const family of families) registry.registerMetric(family as unknown as Metric)
  return registry
}

type Labels = Readonly<Record<string, string | number>>

/** A line of the text: `metricName` where it differs from its family's. */
interface Sample {
  readonly labels: Labels
  readonly value: number
  readonly metricName?: string
}

class ServiceCounts {
  readonly byCode = new Map<number, number>()
  readonly duration = new Histogram()
  readonly stages = {
    receive: new Histogram(),
    queue: new Histogram(),
    decode: new Histogram(),
    compute: new Histogram(),
    encode: new Histogram(),
  }
  requestBytes = 0
  responseBytes = 0
}

class Histogram {
  /** Values up to each bound and over the one before; last, those over all. */
  private readonly counts = new Float64Array(durationBucketsMs.length + 1)
  private sum = 0

  add(ms: number): void {
    let bucket = 0
    while (bucket < durationBucketsMs.length && ms > (durationBucketsMs[bucket] ?? 0)) bucket++
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += ms
  }

  /** Prometheus counts everything up to a bound, so each bucket has those before it too. */
  samples(name: string, labels: Labels): Sample[] {
    let count = 0
    const buckets = [...durationBucketsMs, '+Inf'].map((le, i) => {
      count += this.counts[i] ?? 0
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count }
    })
    if (count === 0) return []
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  }
}
