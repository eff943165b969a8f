/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), which blocks and tensors of a checkpoint carry. */
const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
  return c
})

export function crc32c(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff
  for (const bytes of parts) {
    // A table of 256 whole numbers, indexed by a byte.
    for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number)
  }
  return ~crc >>> 0
}

/** LevelDB stores sums turned and shifted, so that sums of data that holds sums stay good. @see leveldb/util/crc32c.h */
export const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
