import { Session } from 'node:inspector/promises'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { compileFg, fgRequest } from '@eas/fg'
import { type Bench, roundsFromEnv } from './bench.ts'
import { cpuMs } from './fg-cpu.ts'
import { decode, type FgModel, mixedModel } from './fg-models.ts'
import { interleave, median, medianRatio } from './interleave.ts'

/** Requests over which garbage collections are watched. */
const watched = Number(process.env.BENCH_REQUESTS || 10_000)
/** Requests over which allocations are sampled. */
const sampled = 200

/** How the cost of features grows, and what they leave to the garbage collector. */
export const fgScale: Bench = {
  name: 'fg-scale',
  summary: `300 items of 100 mixed features: processor time against rows and features, allocation, and garbage collection over ${watched} requests`,
  async run(report) {
    const options = { rounds: roundsFromEnv(31), warmUps: 20 }
    const samples = await interleave(
      {
        plain: await runner(mixedModel(100, 300)),
        rows: await runner(mixedModel(100, 1200)),
        features: await runner(mixedModel(400, 300)),
      },
      options,
    )
    report.figure({
      figure: '100 mixed features of 300 items',
      value: median(samples.plain),
      unit: 'ms',
      against: 'ten kinds of features, half of them of the item cache',
      goal: { max: 10 },
    })
    // Four times as much takes less than four times as long, as what is done once per request is not repeated.
    for (const part of ['rows', 'features'] as const) {
      report.figure({
        figure: `four times the ${part}`,
        value: medianRatio(samples[part], samples.plain),
        unit: 'x',
        against: 'the same features of 300 items; linear is 4',
        goal: { max: 4.4 },
      })
    }

    const run = await runner(mixedModel(100, 300))
    const bytes = await allocated(run)
    report.figure({
      figure: 'allocated for one request of 300 items',
      value: bytes.heap + bytes.buffers,
      unit: 'MB',
      against: `${bytes.heap.toFixed(2)} MB of it on the heap, the rest arrays`,
      goal: { max: 10 },
    })
    const { longest, count, total } = await pauses(run)
    report.figure({
      figure: `longest pause for garbage collection in ${watched} requests`,
      value: longest,
      unit: 'ms',
      against: `${count} collections, ${(total / watched).toPrecision(2)} ms a request`,
      goal: { max: 20 },
    })
  },
}

/** Milliseconds of one request, decoded before. */
async function runner(model: FgModel): Promise<() => number> {
  const generator = await compileFg(JSON.stringify(model.document))
  return () => {
    const request = decode(model)
    return cpuMs(() => generator.generate(fgRequest(request, model.items)).tensors())
  }
}

/** Megabytes that a request allocates, by samples of V8's allocator; what was collected since is counted too. */
async function allocated(run: () => number): Promise<{ readonly heap: number; readonly buffers: number }> {
  for (let i = 0; i < 50; i++) run()
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 8192,
    ...{ includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true },
  })
  let buffers = 0
  let before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < sampled; i++) {
    run()
    const now = process.memoryUsage().arrayBuffers
    // Less is a collection: what the request took is then not seen, and not many are hit.
    buffers += Math.max(0, now - before)
    before = now
  }
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  let heap = 0
  for (const nodes = [profile.head]; nodes.length > 0; ) {
    const node = nodes.pop()
    heap += node?.selfSize ?? 0
    nodes.push(...(node?.children ?? []))
  }
  return { heap: heap / sampled / 1e6, buffers: buffers / sampled / 1e6 }
}

async function pauses(run: () => number) {
  const durations: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) durations.push(duration)
  })
  observer.observe({ entryTypes: ['gc'] })
  for (let i = 0; i < watched; i++) {
    run()
    // The observer is told between turns.
    if (i % 50 === 49) await nextTurn()
  }
  await nextTurn()
  observer.disconnect()
  return {
    longest: durations.reduce((a, b) => Math.max(a, b), 0),
    count: durations.length,
    total: durations.reduce((a, b) => a + b, 0),
  }
}
