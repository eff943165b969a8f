import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { requestItems, startItemThread } from '@eas/feature-store'
import { median, quantile } from './interleave.ts'
import { randomNumbers } from './messages.ts'

/** Loads the snapshot of a folder, asks for items, loads it again under load, and prints what that took as one JSON line. */
const [folder = '', count = '0'] = process.argv.slice(2)
const rows = Number(count)
const requestIds = 200

/** What is left when what loading needed has been given back, which happens on other threads. */
async function resident(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await setTimeout(500)
  }
  return process.memoryUsage.rss()
}

const entry = new URL('../../packages/feature-store/src/thread/item-worker-main.ts', import.meta.url).href
const startCode = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(entry)})))`
const cache = startItemThread(
  { type: 'snapshot', url: folder },
  (workerData) => new Worker(startCode, { eval: true, workerData }),
)

const before = await resident()
const loadStart = performance.now()
const cpuBefore = process.cpuUsage()
await cache.refresh()
const loadMs = performance.now() - loadStart
const loadCpu = process.cpuUsage(cpuBefore)
const { failure, bytes } = cache.status()
if (failure) throw new Error(failure.message)
const peakBytes = process.resourceUsage().maxRSS * 1024 - before
const residentBytes = (await resident()) - before

/** Lookups of random ids per second of processor time: what else the machine does is hardly in it. */
function lookupsPerSecond(): number {
  const random = randomNumbers(11)
  const ids = Array.from({ length: 100_000 }, () => `item_${Math.floor(random() * rows)}`)
  const timed = () => {
    const start = process.cpuUsage()
    for (let round = 0; round < 10; round++) {
      if (cache.current()?.entriesOf(ids).includes(-1)) throw new Error('An item is not found')
    }
    const { user, system } = process.cpuUsage(start)
    return (10 * ids.length * 1e6) / (user + system)
  }
  return median(Array.from({ length: 12 }, timed).slice(3))
}

/** A request: 200 items, of which every column is read. */
function serve(first: number): void {
  const view = cache.current()
  if (!view) return
  const items = requestItems(view)
  const ids = Array.from({ length: requestIds }, (_, i) => `item_${(first + i * 7919) % rows}`)
  for (const { name } of view.schema.columns) items.column(name)
  if (items.entriesOf(ids).includes(-1)) throw new Error('An item is gone')
}

/** How long requests took that came a while after each other, in milliseconds from when each was due, until `end` settles. */
async function latencies(end: Promise<unknown>): Promise<number[]> {
  let isOver = false
  void end.then(() => {
    isOver = true
  })
  const late: number[] = []
  const pauseMs = 3
  while (!isOver) {
    const due = performance.now() + pauseMs
    await setTimeout(pauseMs)
    serve(late.length * 31)
    late.push(performance.now() - due)
  }
  return late
}

const perSecond = lookupsPerSecond()
const quiet: number[] = []
const swapping: number[] = []
let swapMs = 0
const rounds = 3
for (let round = 0; round < rounds; round++) {
  const time = new Date(Date.now() + round * 1000)
  utimesSync(join(folder, 'items.parquet'), time, time)
  const start = performance.now()
  swapping.push(...(await latencies(cache.refresh())))
  swapMs += (performance.now() - start) / rounds
  quiet.push(...(await latencies(setTimeout(swapMs))))
}
if (cache.status().failure) throw new Error(cache.status().failure?.message)
const swappedBytes = (await resident()) - before
await cache.close()

const result = {
  ...{
    loadMs,
    loadCpuMs: (loadCpu.user + loadCpu.system) / 1000,
    residentBytes,
    peakBytes,
    swappedBytes,
    bytes,
    swapMs,
  },
  lookupsPerSecond: perSecond,
  quietMs: [0.5, 0.99].map((share) => quantile(quiet, share)),
  swappingMs: [0.5, 0.99].map((share) => quantile(swapping, share)),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
