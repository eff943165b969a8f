import { chunkEnd, type HashKind, hasherFor } from './hasher.ts'

export type { HashKind } from './hasher.ts'

/** Texts end to end in UTF-8: text `i` is `bytes[offsets[i]] … bytes[offsets[i + 1]]`; `[n + 1]` offsets for `n` texts. */
export interface TextPool {
  readonly bytes: Uint8Array
  readonly offsets: Int32Array
}

/** All 64 bits of the hash of `bytes`, unsigned. */
export function hash64(bytes: Uint8Array, kind: HashKind): bigint {
  const { low, high } = hashHalves(bytes, kind)
  return (BigInt(high) << 32n) | BigInt(low)
}

/** The hash of `bytes` as two unsigned 32-bit numbers. */
export function hashHalves(bytes: Uint8Array, kind: HashKind): { readonly low: number; readonly high: number } {
  const hasher = hasherFor(bytes.length)
  hasher.texts.set(bytes)
  hasher.offsets[0] = 0
  hasher.offsets[1] = bytes.length
  hasher.loops[kind].int64(1, 0n)
  const [low = 0, high = 0] = hasher.halves
  return { low, high }
}

/**
 * The hash of a text's UTF-8 form, unsigned, modulo `buckets`: a number when `buckets` is at most 2^53, else a bigint.
 * @param buckets 1 … 2^64 - 1.
 * @throws {RangeError} when `buckets` is not.
 */
export function bucketOfString(text: string, buckets: number | bigint, kind: HashKind): number | bigint {
  const modulus = checkedBuckets(buckets)
  const hasher = hasherFor(text.length * 3) // a UTF-16 unit becomes at most 3 bytes
  hasher.offsets[0] = 0
  hasher.offsets[1] = encoder.encodeInto(text, hasher.texts).written
  const { int64, float64 } = hasher.loops[kind]
  if (modulus <= maxNumber) {
    float64(1, modulus)
    return hasher.float64[0] ?? 0
  }
  int64(1, modulus)
  return BigInt.asUintN(64, hasher.int64[0] ?? 0n)
}

/**
 * The bucket of every text of a pool, into `out`, which is given back: `[n]`. A Float64Array holds buckets of up to
 * 2^53 exactly, a BigInt64Array up to 2^63 as they are; beyond, it holds the bits of the unsigned number.
 * @throws {RangeError} for a pool whose offsets fall or leave its bytes, and for a `buckets` that `out` cannot hold.
 */
export function bucketsOfPool<Ids extends Float64Array | BigInt64Array>(
  { bytes, offsets }: TextPool,
  buckets: number | bigint,
  kind: HashKind,
  out: Ids,
): Ids {
  const modulus = checkedBuckets(buckets)
  const count = Math.max(0, offsets.length - 1)
  if (out.length < count) throw new RangeError(`Cannot hash ${count} texts into ${out.length} places`)
  const asNumbers = out instanceof Float64Array
  if (asNumbers && modulus > maxNumber) throw new RangeError(`Cannot hash into ${buckets} buckets as numbers`)
  for (let from = 0; from < count; ) {
    const to = chunkEnd(offsets, bytes.length, from)
    const start = offsets[from] ?? 0
    const end = offsets[to] ?? 0
    const hasher = hasherFor(end - start)
    hasher.texts.set(bytes.subarray(start, end))
    for (let i = from; i <= to; i++) hasher.offsets[i - from] = (offsets[i] ?? 0) - start
    if (out instanceof Float64Array) {
      hasher.loops[kind].float64(to - from, modulus)
      out.set(hasher.float64.subarray(0, to - from), from)
    } else {
      hasher.loops[kind].int64(to - from, modulus)
      out.set(hasher.int64.subarray(0, to - from), from)
    }
    from = to
  }
  return out
}

const encoder = new TextEncoder()

/** Whole numbers up to here are exact as numbers, so ids of as many buckets are. */
const maxNumber = 2n ** 53n

function checkedBuckets(buckets: number | bigint): bigint {
  if (typeof buckets === 'number' && !Number.isInteger(buckets)) {
    throw new RangeError(`Cannot hash into ${buckets} buckets: not a whole number`)
  }
  const modulus = BigInt(buckets)
  if (modulus < 1n || modulus >= 2n ** 64n)
    throw new RangeError(`Cannot hash into ${buckets} buckets: not 1 to 2^64 - 1`)
  return modulus
}
