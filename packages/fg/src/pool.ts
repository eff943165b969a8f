/**
 * Zeroed arrays cut from large buffers, as Node's `Buffer` does: a request makes thousands of small ones, and a buffer of
 * its own for each costs more than what is computed in it. Nothing is given back or used twice; a buffer lives as long as
 * an array in it.
 */
const chunkBytes = 256 * 1024
/** Larger arrays get buffers of their own. */
const largeBytes = chunkBytes / 8

let chunk = new ArrayBuffer(0)
let used = 0

/** Where `bytes` begin in `chunk`, aligned to 8. */
function take(bytes: number): number {
  const start = used
  used += (bytes + 7) & ~7
  if (used <= chunk.byteLength) return start
  chunk = new ArrayBuffer(chunkBytes)
  used = (bytes + 7) & ~7
  return 0
}

export function int32s(length: number): Int32Array<ArrayBuffer> {
  if (length * 4 > largeBytes) return new Int32Array(length)
  const start = take(length * 4)
  return new Int32Array(chunk, start, length)
}

export function float64s(length: number): Float64Array<ArrayBuffer> {
  if (length * 8 > largeBytes) return new Float64Array(length)
  const start = take(length * 8)
  return new Float64Array(chunk, start, length)
}

export function float32s(length: number): Float32Array<ArrayBuffer> {
  if (length * 4 > largeBytes) return new Float32Array(length)
  const start = take(length * 4)
  return new Float32Array(chunk, start, length)
}

export function int64s(length: number): BigInt64Array<ArrayBuffer> {
  if (length * 8 > largeBytes) return new BigInt64Array(length)
  const start = take(length * 8)
  return new BigInt64Array(chunk, start, length)
}
