import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { ItemCache, snapshotSource } from '@eas/feature-store'

/** Loads the snapshot of a folder, asks for items, loads it again under load, and prints what that took as one JSON line. */
const [folder = '', count = '0'] = process.argv.slice(2)
const rows = Number(count)
/** What is left when what loading needed has been given back, which happens on another thread. */
async function resident(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await setTimeout(500)
  }
  return process.memoryUsage.rss()
}

const source = snapshotSource(folder)
let loads = 0
/** The same files under another version each time, so that a refresh loads all again. */
const cache = new ItemCache({
  name: source.name,
  async snapshot(_, options) {
    const snapshot = await source.snapshot(undefined, options)
    return snapshot && { ...snapshot, version: String(++loads) }
  },
})

const before = await resident()
const loadStart = performance.now()
await cache.refresh()
const loadMs = performance.now() - loadStart
const { failure, bytes } = cache.status()
if (failure) throw new Error(failure.message)
const peakBytes = process.resourceUsage().maxRSS * 1024 - before
const residentBytes = (await resident()) - before

const ids = Array.from({ length: 1000 }, (_, i) => `item_${(i * 7919) % rows}`)
let lookups = 0
const lookupStart = performance.now()
while (performance.now() - lookupStart < 2000) {
  for (const row of cache.current()?.entriesOf(ids) ?? []) if (row >= 0) lookups++
}
const lookupMs = performance.now() - lookupStart

// A request every millisecond: 200 lookups. How late it is tells what the swap costs those who are served meanwhile.
const delay = monitorEventLoopDelay({ resolution: 1 })
const batch = ids.slice(0, 200)
delay.enable()
const requests = setInterval(() => cache.current()?.entriesOf(batch), 1)
const swapStart = performance.now()
await cache.refresh()
const swapMs = performance.now() - swapStart
clearInterval(requests)
delay.disable()

const result = {
  ...{ loadMs, residentBytes, peakBytes, bytes, swapMs },
  lookupsPerSecond: (lookups / lookupMs) * 1000,
  delayMsP50: delay.percentile(50) / 1e6,
  delayMsP99: delay.percentile(99) / 1e6,
  delayMsMax: delay.max / 1e6,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
