import { describe, expect, it } from 'vitest'
import { span } from './copy.ts'
import { sample } from './sample.ts'
import { xxh64 } from './xxh64.ts'
import { decompressZstd, decompressZstdPortably } from './zstd.ts'
import { zstdVectors } from './zstd-vectors.ts'

const magic = [0x28, 0xb5, 0x2f, 0xfd]
const frame = (...bytes: number[]) => Uint8Array.of(...magic, ...bytes)
/** A block's three header bytes. */
const header = (type: number, length: number, last = 1) => {
  const word = last | (type << 1) | (length << 3)
  return [word & 255, (word >>> 8) & 255, word >>> 16]
}
const [raw, rle, compressed] = [0, 1, 2] as const

// On Node 20 both are the same decoder; from 22.15 on the first is Node's own.
describe.each([
  ['decompressZstd()', decompressZstd],
  ['decompressZstdPortably()', decompressZstdPortably],
])('%s', (_name, decode) => {
  it.each(zstdVectors)('decodes $size bytes of $kind, level $level', ({ kind, size, base64 }) => {
    const bytes = Buffer.from(base64, 'base64')
    expect(Buffer.compare(decode(bytes, size), sample(kind, size))).toBe(0)
    if (size > 0) expect(() => decode(bytes, size - 1)).toThrow(expect.objectContaining({ code: 'too_large' }))
  })

  it('finds a flipped bit of the content by its checksum', () => {
    for (const { base64, size } of zstdVectors.filter((vector) => vector.checksum)) {
      const bytes = Buffer.from(base64, 'base64')
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
      expect(() => decode(bytes, size)).toThrow(/^Cannot decompress the body as zstd: /)
    }
  })

  it('decodes frames end to end, over skippable ones', () => {
    const one = frame(0x20, 2, ...header(raw, 2), 1, 2)
    const skippable = [0x5a, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9]
    const three = frame(0, 0, ...header(rle, 3), 7)
    expect([...decode(Uint8Array.of(...skippable, ...one, ...three, ...skippable, ...one), 7)]).toEqual([
      1, 2, 7, 7, 7, 1, 2,
    ])
  })

  it.each([
    ['no magic', Uint8Array.of(1, 2, 3, 4), 'byte 0 begins no frame'],
    ['a cut header', frame(0x20), 'ends within a header'],
    ['a cut block', frame(0x20, 2, ...header(raw, 2), 1), 'ends within a block'],
    ['no last block', frame(0x20, 2, ...header(raw, 2, 0), 1, 2), 'ends within a header'],
    ['a missing checksum', frame(0x24, 2, ...header(raw, 2), 1, 2), 'ends within a header'],
    ['what follows', frame(0x20, 2, ...header(raw, 2), 1, 2, 9, 9, 9, 9), 'byte 11 begins no frame'],
    ['too little', frame(0x20, 3, ...header(raw, 2), 1, 2), 'declares 3 bytes, more than its blocks can hold'],
    ['too much', frame(0x20, 1, ...header(raw, 1, 0), 1, ...header(raw, 1), 1), 'Cannot decompress the body as zstd: '],
    ['a block over its limit', frame(0, 0, ...header(rle, 1025), 1), 'over the limit of 1024'],
    ['a reserved block', frame(0x20, 1, ...header(3, 1), 1), 'reserved type'],
    ['a reserved bit', frame(0x28, 1, ...header(raw, 1), 1), 'reserved bit'],
    ['a dictionary', frame(0x21, 7, 1, ...header(raw, 1), 1), 'dictionary'],
    ['a window of gigabytes', frame(0, 0xff, ...header(raw, 1), 1), 'window of'],
    [
      'a declared exabyte',
      frame(0xe0, 0, 0, 0, 0, 0, 0, 0, 16, ...header(raw, 1), 1),
      'Cannot decompress the body as zstd: ',
    ],
    ['only a skippable frame', Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), 'holds no frame'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => decode(bytes, 1000)).toThrow(message)
  })

  it('stops at a block that claims more sequences than a block can hold', () => {
    // 33,000 matches of 65,539 bytes by tables of one symbol: fzstd 0.1.1 takes 8 seconds for these 19 bytes.
    const body = [0x08, 0x41, 255, 0xe8, 0x01, 0x54, 0, 2, 52, 1]
    const start = performance.now()
    expect(() => decode(frame(0, 0x38, ...header(compressed, body.length), ...body), 1 << 24)).toThrow(
      /^Cannot decompress/,
    )
    expect(performance.now() - start).toBeLessThan(4000)
  })
})

describe('xxh64()', () => {
  // The first from xxHash's own sanity test, the second from the README of python-xxhash.
  it.each([
    ['', 0xef46db3751d8e999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ])('hashes %j', (content, hash) => {
    const bytes = Buffer.from(content)
    expect(xxh64(span(bytes).view, 0, bytes.length)).toBe(hash)
  })
})
