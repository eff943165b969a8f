import { malformed } from './failure.ts'

/** Refuses a frame that breaks the format. */
export function need(condition: unknown, fact: string): asserts condition {
  if (!condition) throw malformed('zstd', fact)
}

/** The position of the highest set bit of the last byte: the bits below it are read downwards. */
export function endOfBits(view: DataView, start: number, end: number): number {
  const last = end > start ? view.getUint8(end - 1) : 0
  need(last !== 0, 'a run of bits has no end mark')
  return (end - 1) * 8 + 31 - Math.clz32(last)
}

/** `count` bits, at most 25, whose lowest is at `bit`. The caller sees to it that a word can be read there. */
export function bits(view: DataView, bit: number, count: number): number {
  return (view.getInt32(bit >> 3, true) >>> (bit & 7)) & ((1 << count) - 1)
}

/** Position of the highest set bit. */
export const highBit = (x: number) => 31 - Math.clz32(x)
