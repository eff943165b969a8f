import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Bench, Report } from './bench.ts'
import { getRequest, predictRequest } from './http-request.ts'
import { median, quantile } from './interleave.ts'
import { allOk, countsOf } from './load.ts'
import { slowRequest } from './messages.ts'
import { root, token, withServers } from './servers.ts'

/** Multiplies two matrices as often as a request says. */
const slow = join(root, 'test/sdk/models/slow.onnx')
/** As a large ranking model on a processor without its kind of instructions. */
const inferenceMs = 140
const queue = 4
const windowMs = Number(process.env.BENCH_MS || 10_000)

/** Whether a server whose models compute without a break still answers what needs no model. */
export const responsiveness: Bench = {
  name: 'responsiveness',
  summary: `answers of a server that computes without a break, ${inferenceMs} ms at a time, and whose queue is full`,
  async run(report) {
    await measure(report, 1, '', 5)
    // No core is left: what answers must take turns with what computes. The bound is ours.
    await measure(report, availableParallelism(), ', every core computing', 10)
  },
}

async function measure(report: Report, workers: number, circumstance: string, msMax: number): Promise<void> {
  await withServers(async ({ startEas, startLoad }) => {
    const rpc = { worker_threads: workers, max_queue_size: queue, keepalive: 60_000 }
    const { port } = await startEas({ name: 'slow', model: slow, rpc })
    const busy = startLoad()
    const probe = startLoad()
    const predict = (count: number) => [predictRequest('slow', token, slowRequest(count))]

    const trial = 500
    const trials = await busy.run({ port, requests: predict(trial), connections: 1, until: { count: 7 } })
    const requests = predict(Math.round((trial * inferenceMs) / median(allOk(trials))))
    // Every worker has loaded the model before time is taken; a second one is started when the first is busy.
    await busy.run({ port, requests, connections: workers * 2, until: { count: workers * 6 } })

    const [full, health] = await Promise.all([
      busy.run({ port, requests, connections: workers + queue * 3, restMs: 10, until: { ms: windowMs } }),
      probe.run({ port, requests: [getRequest('/healthz')], connections: 1, restMs: 5, until: { ms: windowMs } }),
    ])
    const refusals = full.latenciesMs.get(450)
    if (!refusals) throw new Error(`The queue was not full: answers were ${countsOf(full.latenciesMs)}`)
    const computed = full.latenciesMs.get(200)?.length ?? 0
    const each = ((workers * full.elapsedMs) / computed).toFixed(0)
    const goal = { max: msMax }
    const p99 = (figure: string, samples: Float64Array) =>
      report.figure({
        figure: `p99 of ${figure}${circumstance}`,
        value: quantile(samples, 0.99),
        unit: 'ms',
        against: `${samples.length} of them; ${workers} ${workers === 1 ? 'worker' : 'workers'} busy, ${each} ms each`,
        goal,
      })
    p99('/healthz', allOk(health))
    p99('450 queue full', refusals)
  })
}
