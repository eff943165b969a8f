/**
 * Stops a map of numbers from being flooded. V8 seeds its hash of strings, but not that of numbers in a `Map`: 40,000
 * keys chosen to fall into one bucket, half a megabyte of body, take 1.4 s to insert instead of 6 ms. This counts what
 * each insertion walks past, with V8's own hashes (src/utils/utils.h: `ComputeUnseededHash`, `ComputeLongHash`; 11.3),
 * and gives up on keys that no client sends by accident.
 */
export class KeyGuard {
  /** Keys by bucket, of as many buckets as V8 has: at most two keys each on average. */
  private loads = new Uint32Array(0)
  private steps = 0
  private size = 0

  /** To be asked after `map` took `key`, once it holds `guardedSize` keys. Random keys take two steps each. */
  allows(map: ReadonlyMap<unknown, unknown>, key: number | bigint): boolean {
    if (map.size === this.size) return true
    this.size = map.size
    if (map.size <= this.loads.length * 2) this.count(key)
    else {
      this.loads = new Uint32Array(2 ** Math.ceil(Math.log2(map.size / 2)))
      this.steps = 0
      // The keys of one map are of one type, that of `key`.
      for (const each of map.keys()) this.count(each as number | bigint)
    }
    return this.steps <= map.size * 32
  }

  private count(key: number | bigint): void {
    const { loads } = this
    const bucket = (typeof key === 'number' ? hashOfInt(key) : hashOfLong(key)) & (loads.length - 1)
    const load = (loads[bucket] ?? 0) + 1
    loads[bucket] = load
    this.steps += load
  }
}

/** Smaller maps are walked through faster than they are guarded. */
export const guardedSize = 128

export function hashOfInt(key: number): number {
  let hash = ~key + (key << 15)
  hash ^= hash >>> 12
  hash += hash << 2
  hash ^= hash >>> 4
  hash = Math.imul(hash, 2057)
  return hash ^ (hash >>> 16)
}

const long = new BigInt64Array(1)
const halves = new Int32Array(long.buffer)

/** The lower half; of the magnitude, as V8 keeps the sign apart. In halves, which is ten times as fast as BigInts. */
export function hashOfLong(key: bigint): number {
  long[0] = key < 0n ? -key : key
  let low = halves[0] ?? 0
  let high = halves[1] ?? 0
  // ~key + (key << 18)
  let sum = (~low >>> 0) + ((low << 18) >>> 0)
  high = (~high + ((high << 18) | (low >>> 14)) + (sum > 0xffffffff ? 1 : 0)) | 0
  low = sum | 0
  low ^= (low >>> 31) | (high << 1)
  high ^= high >>> 31
  sum = (low >>> 0) * 21
  high = (Math.imul(high, 21) + Math.floor(sum / 2 ** 32)) | 0
  low = sum | 0
  low ^= (low >>> 11) | (high << 21)
  high ^= high >>> 11
  // hash + (hash << 6)
  sum = (low >>> 0) + ((low << 6) >>> 0)
  high = (high + ((high << 6) | (low >>> 26)) + (sum > 0xffffffff ? 1 : 0)) | 0
  low = sum | 0
  return low ^ ((low >>> 22) | (high << 10))
}
