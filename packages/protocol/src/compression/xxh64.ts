const prime1 = 0x9e3779b185ebca87n
const prime2 = 0xc2b2ae3d27d4eb4fn
const prime3 = 0x165667b19e3779f9n
const prime4 = 0x85ebca77c2b2ae63n
const prime5 = 0x27d4eb2f165667c5n

const low = (x: bigint) => BigInt.asUintN(64, x)
const rotate = (x: bigint, bits: bigint) => low((x << bits) | (x >> (64n - bits)))
const round = (lane: bigint, word: bigint) => low(rotate(low(lane + low(word * prime2)), 31n) * prime1)
const merge = (hash: bigint, lane: bigint) => low(low(hash ^ round(0n, lane)) * prime1 + prime4)

/**
 * XXH64 with seed 0 of the bytes from `start` to `end`. About 70 MB/s: only a checksum of Zstandard's asks for it, and
 * only where Node does not decode Zstandard itself.
 *
 * @see https://github.com/Cyan4973/xxHash/blob/v0.8.3/doc/xxhash_spec.md
 */
export function xxh64(view: DataView, start: number, end: number): bigint {
  let at = start
  let hash = prime5
  if (end - start >= 32) {
    let a = low(prime1 + prime2)
    let b = prime2
    let c = 0n
    let d = low(-prime1)
    for (const last = end - 32; at <= last; at += 32) {
      a = round(a, view.getBigUint64(at, true))
      b = round(b, view.getBigUint64(at + 8, true))
      c = round(c, view.getBigUint64(at + 16, true))
      d = round(d, view.getBigUint64(at + 24, true))
    }
    hash = low(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n))
    hash = merge(merge(merge(merge(hash, a), b), c), d)
  }
  hash = low(hash + BigInt(end - start))
  for (; at + 8 <= end; at += 8) {
    hash = low(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * prime1 + prime4)
  }
  if (at + 4 <= end) {
    hash = low(rotate(hash ^ low(BigInt(view.getUint32(at, true)) * prime1), 23n) * prime2 + prime3)
    at += 4
  }
  for (; at < end; at++) hash = low(rotate(hash ^ low(BigInt(view.getUint8(at)) * prime5), 11n) * prime1)
  hash = low((hash ^ (hash >> 33n)) * prime2)
  hash = low((hash ^ (hash >> 29n)) * prime3)
  return hash ^ (hash >> 32n)
}
