// Internals of the package: what is measured here is not what it exports.
import { hashBuckets } from '../../packages/fg/src/bucketize.ts'
import { FgCounters } from '../../packages/fg/src/counters.ts'
import { bucketsOfPool } from '../../packages/fg/src/hash/index.ts'
import { type Bench, roundsFromEnv } from './bench.ts'
import { cpuMs } from './fg-cpu.ts'
import { interleave, median } from './interleave.ts'

const texts = 1_000_000
/** A short string in 66 ns is 15 million a second. */
const goalNs = 66

/** Items of a request: as many strings are hashed at a time. */
const batch = 150

/** Texts to buckets, as `hash_bucket_size` does: from UTF-8 that lies end to end, and from strings. */
export const fgHash: Bench = {
  name: 'fg-hash',
  summary: 'strings to hash buckets, both hash functions',
  async run(report) {
    const pools = { short: poolOf((i) => `item_${(i * 7919) % 1_000_003}`), long: poolOf((i) => `${i}:`.repeat(9)) }
    const out = new BigInt64Array(texts)
    const ns = (pool: typeof pools.short, kind: 'std' | 'farm') => () => {
      const ms = cpuMs(() => bucketsOfPool(pool, 1_000_003, kind, out))
      return (ms * 1e6) / texts
    }
    const strings = Array.from({ length: texts }, (_, i) => `item_${(i * 7919) % 1_000_003}`)
    const ofStrings = (kind: 'std' | 'farm') => {
      const bucketizer = hashBuckets(1_000_003, kind)
      const counters = new FgCounters(1)
      return () => {
        const ms = cpuMs(() => {
          for (let i = 0; i < texts; i += batch) bucketizer.texts(strings.slice(i, i + batch), counters, 0)
        })
        return (ms * 1e6) / texts
      }
    }
    const samples = await interleave(
      {
        'std::hash, about 11 bytes': ns(pools.short, 'std'),
        'Fingerprint64, about 11 bytes': ns(pools.short, 'farm'),
        'std::hash, from JavaScript strings': ofStrings('std'),
        'Fingerprint64, from JavaScript strings': ofStrings('farm'),
        'std::hash, about 62 bytes': ns(pools.long, 'std'),
        'Fingerprint64, about 62 bytes': ns(pools.long, 'farm'),
      },
      { rounds: roundsFromEnv(15), warmUps: 3 },
    )
    for (const [figure, values] of Object.entries(samples)) {
      const each = median(values)
      report.figure({
        figure: `${figure}, one string`,
        value: each / 1000,
        unit: 'us',
        against: `${(1000 / each).toFixed(1)} million a second on one core`,
        goal: { max: goalNs / 1000 },
      })
    }
  },
}

function poolOf(text: (index: number) => string): { readonly bytes: Uint8Array; readonly offsets: Int32Array } {
  const offsets = new Int32Array(texts + 1)
  const parts = Array.from({ length: texts }, (_, index) => text(index)) // ASCII: units are bytes
  for (const [index, part] of parts.entries()) offsets[index + 1] = (offsets[index] ?? 0) + part.length
  return { bytes: Buffer.from(parts.join('')), offsets }
}
