import { describe, expect, it } from 'vitest'
import { sample } from './sample.ts'
import { compressSnappy, decompressSnappy, trySnappy } from './snappy.ts'

const block = (...parts: (number | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Uint8Array.of(part))))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe('decompressSnappy()', () => {
  // Elements as format_description.txt tells them.
  it.each([
    ['nothing', block(0), ''],
    ['a literal', block(3, 2 << 2, 'abc'), 'abc'],
    ['a literal of a 1-byte length', block(3, 60 << 2, 2, 'abc'), 'abc'],
    ['a literal of a 2-byte length', block(3, 61 << 2, 2, 0, 'abc'), 'abc'],
    ['a literal of a 3-byte length', block(3, 62 << 2, 2, 0, 0, 'abc'), 'abc'],
    ['a literal of a 4-byte length', block(3, 63 << 2, 2, 0, 0, 0, 'abc'), 'abc'],
    ['a copy of a 1-byte offset', block(8, 3 << 2, 'abcd', 1, 4), 'abcdabcd'],
    ['a copy of a 2-byte offset', block(6, 3 << 2, 'abcd', 2 | (1 << 2), 3, 0), 'abcdbc'],
    ['a copy of a 4-byte offset', block(6, 3 << 2, 'abcd', 3 | (1 << 2), 3, 0, 0, 0), 'abcdbc'],
    ['the run of the description, "xababab"', block(7, 2 << 2, 'xab', 1, 2), 'xababab'],
    ['a run of one byte', block(12, 0, 'x', 1 | (7 << 2), 1), 'xxxxxxxxxxxx'],
    ['a length in more bytes than it needs', block(0x83, 0x80, 0, 2 << 2, 'abc'), 'abc'],
  ])('decodes %s', (_what, bytes, expected) => {
    expect(text(decompressSnappy(bytes, 100))).toBe(expected)
  })

  it.each([
    ['no length', block(), 'ends within its declared length'],
    ['an endless length', block(0x80, 0x80, 0x80, 0x80, 0x80, 0), 'over 32 bits'],
    [
      'more than 64/3 of the bytes present',
      block(200, 1, 0, 'a', 2, 1, 0),
      'declares 200 bytes, more than 5 bytes can hold',
    ],
    ['a cut literal', block(3, 2 << 2, 'ab'), 'ends within a literal'],
    ['a cut literal length', block(3, 61 << 2, 2), 'ends within the length of a literal'],
    ['a cut copy', block(8, 3 << 2, 'abcd', 2, 1), 'ends within a copy'],
    ['a copy from before the start', block(8, 3 << 2, 'abcd', 1, 5), 'reaches 5 bytes back from byte 4'],
    ['a copy from itself', block(8, 3 << 2, 'abcd', 1, 0), 'reaches 0 bytes back from byte 4'],
    ['a copy of a huge offset', block(8, 3 << 2, 'abcd', 3, 255, 255, 255, 255), 'reaches 4294967295 bytes back'],
    ['a huge literal', block(8, 63 << 2, 255, 255, 255, 255, 'a'), 'ends within a literal'],
    ['too much', block(5, 3 << 2, 'abcd', 1, 4), 'more than the 5 bytes it declares'],
    ['too little', block(9, 3 << 2, 'abcd', 1, 4), 'decodes to 8 of the 9 bytes it declares'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => decompressSnappy(bytes, 1000)).toThrow(message)
    expect(trySnappy(bytes, 1000)).toBeUndefined()
  })

  it('decodes copies of every offset and length', () => {
    for (let offset = 1; offset <= 70; offset++) {
      const seed = sample('noise', offset)
      for (let length = 1; length <= 64; length++) {
        const element = [2 | ((length - 1) << 2), offset, 0]
        const tail = length % 3 === 0 ? 12 : 0 // with and without room behind the copy
        const bytes = Buffer.concat([
          Uint8Array.of(((offset + length + tail) & 0x7f) | 0x80, (offset + length + tail) >> 7, 60 << 2, offset - 1),
          seed,
          Uint8Array.from(element),
          tail ? Uint8Array.of((tail - 1) << 2, ...sample('digits', tail)) : new Uint8Array(0),
        ])
        const expected = [...seed]
        for (let i = 0; i < length; i++) expected.push(expected[i] ?? -1)
        expected.push(...sample('digits', tail))
        expect([...decompressSnappy(bytes, 1000)]).toEqual(expected)
      }
    }
  })
})

describe('compressSnappy()', () => {
  it('makes what repeats small and leaves the rest almost as it is', () => {
    expect(compressSnappy(sample('zeros', 100_000)).length).toBeLessThan(100_000 / 20)
    expect(compressSnappy(sample('words', 100_000)).length).toBeLessThan(100_000 * 0.75)
    expect(compressSnappy(sample('noise', 100_000)).length).toBeLessThan(100_000 + 40)
  })
})
