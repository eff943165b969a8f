import { describe, expect, it } from 'vitest'
import { span } from './copy.ts'
import { compressLz4Block, decompressLz4Block } from './lz4-block.ts'
import { compressLz4Frame, decompressLz4Frame } from './lz4-frame.ts'
import { sample } from './sample.ts'
import { xxh32 } from './xxh32.ts'

const block = (...parts: (number | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Uint8Array.of(part))))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const uint32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
const hashOf = (bytes: Uint8Array) => xxh32(span(bytes).view, 0, bytes.length)

describe('decompressLz4Block()', () => {
  it.each([
    ['nothing', block(0), ''],
    ['literals', block(0x30, 'abc'), 'abc'],
    ['16 literals', block(0xf0, 1, '0123456789abcdef'), '0123456789abcdef'],
    ['a match', block(0x40, 'abcd', 4, 0, 0x10, 'z'), 'abcdabcdz'],
    ['an overlapping match', block(0x33, 'xab', 2, 0, 0x10, 'z'), 'xababababaz'],
    ['a long match', block(0x1f, 'a', 1, 0, 5, 0x10, 'z'), `${'a'.repeat(25)}z`],
    // lz4 4.4.5 of PyPI: lz4.block.compress(b'abcabcabcabcabcabcabcabc')
    ['its size before it', Buffer.from('180000003c6162630300506263616263', 'hex'), 'abc'.repeat(8)],
  ])('decodes %s', (_what, bytes, expected) => {
    expect(text(decompressLz4Block(bytes, 100))).toBe(expected)
  })

  it.each([
    ['no token', block(), 'without a last literal'],
    ['cut literals', block(0x30, 'ab'), 'ends within a literal'],
    ['a cut length', block(0xf0, 255), 'ends within the length of a literal'],
    ['a cut match', block(0x40, 'abcd', 4), 'ends within a match'],
    ['a cut match length', block(0x1f, 'a', 1, 0, 255), 'ends within the length of a match'],
    ['a match at the end', block(0x40, 'abcd', 4, 0), 'without a last literal'],
    ['an announced match', block(0x41, 'abcd'), 'before the match'],
    ['a match from before the start', block(0x40, 'abcd', 5, 0, 0), 'reaches 5 bytes back from byte 4'],
    ['another size before it', block(4, 0, 0, 0, 0x30, 'abc'), 'reaches 0 bytes back from byte 0'],
    ['a match from itself', block(0x40, 'abcd', 0, 0, 0), 'reaches 0 bytes back from byte 4'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => decompressLz4Block(bytes, 1000)).toThrow(`Cannot decompress the body as lz4: `)
    expect(() => decompressLz4Block(bytes, 1000)).toThrow(message)
  })

  it('refuses 255 times its length before allocating it', () => {
    const bomb = block(0x1f, 'a', 1, 0, ...new Array(100_000).fill(255), 0, 0)
    expect(() => decompressLz4Block(bomb, 25_000_000)).toThrow(expect.objectContaining({ code: 'too_large' }))
    expect(decompressLz4Block(bomb, 25_500_020).length).toBe(25_500_020)
  })
})

describe('decompressLz4Frame()', () => {
  const descriptor = (flags: number, ...rest: number[]) => {
    const bytes = block(flags, 0x40, ...rest)
    return [...uint32(0x184d2204), ...bytes, (hashOf(bytes) >>> 8) & 0xff]
  }
  const stored = (content: string) => [...uint32(0x8000_0000 | content.length), ...Buffer.from(content)]
  const end = uint32(0)
  const frame = block(...descriptor(0x60), ...stored('abc'), ...end)

  it('decodes frames end to end, over skippable ones', () => {
    const skippable = block(...uint32(0x184d2a57), ...uint32(2), 9, 9)
    expect(text(decompressLz4Frame(Buffer.concat([skippable, frame, skippable, frame]), 6))).toBe('abcabc')
  })

  it('lets a linked block look back, and an independent one not', () => {
    const blocks = [...stored('abcd'), ...uint32(5), 0x00, 4, 0, 0x10, 0x7a, ...end]
    expect(text(decompressLz4Frame(block(...descriptor(0x40), ...blocks), 100))).toBe('abcdabcdz')
    expect(() => decompressLz4Frame(block(...descriptor(0x60), ...blocks), 100)).toThrow('reaches 4 bytes back')
  })

  it('does not let a frame look back at the one before it', () => {
    const second = block(...descriptor(0x40), ...uint32(5), 0x00, 3, 0, 0x10, 0x7a, ...end)
    expect(() => decompressLz4Frame(Buffer.concat([frame, second]), 100)).toThrow('reaches 3 bytes back from byte 0')
  })

  it('holds the content to its declared size and checksum', () => {
    const sized = (size: number) => block(...descriptor(0x68, size, 0, 0, 0, 0, 0, 0, 0), ...stored('abc'), ...end)
    expect(text(decompressLz4Frame(sized(3), 3))).toBe('abc')
    expect(() => decompressLz4Frame(sized(4), 9)).toThrow('3 of the 4 bytes it declares')
    const checked = (sum: number) => block(...descriptor(0x64), ...stored('abc'), ...end, ...uint32(sum))
    expect(text(decompressLz4Frame(checked(hashOf(Buffer.from('abc'))), 3))).toBe('abc')
    expect(() => decompressLz4Frame(checked(1), 3)).toThrow('content checksum')
  })

  it.each([
    ['no magic', block(...uint32(1)), 'byte 0 begins no frame'],
    ['a legacy frame', block(...uint32(0x184c2102), 0, 0, 0, 0), 'legacy'],
    ['a dictionary', block(...descriptor(0x61), ...uint32(1), ...end), 'dictionary'],
    ['version 2', block(...descriptor(0xa0), ...end), 'version 2'],
    ['a reserved bit', block(...descriptor(0x62), ...end), 'reserved bit'],
    ['a header of another checksum', Buffer.from(frame).fill(0, 6, 7), 'header does not have its checksum'],
    ['what follows', Buffer.concat([frame, block(1, 2, 3, 4)]), `byte ${frame.length} begins no frame`],
    ['a missing end mark', frame.subarray(0, -4), 'should follow'],
    ['a cut block', frame.subarray(0, 12), 'ends within a block'],
    [
      'a block over its limit',
      block(...descriptor(0x60), ...uint32(65_537), ...new Array(65_537).fill(0)),
      'is over the 65536',
    ],
    ['only skippable frames', block(...uint32(0x184d2a50), ...uint32(0)), 'holds no frame'],
    ['a long skippable frame', block(...uint32(0x184d2a50), ...uint32(0xffff_ffff)), 'within a skippable frame'],
    [
      'very many frames',
      Buffer.concat(new Array(1025).fill(block(...descriptor(0x60), ...end))),
      'more than 1024 frames',
    ],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => decompressLz4Frame(bytes, 1 << 20)).toThrow(message)
  })

  it('finds a flipped bit in any block', () => {
    const bytes = compressLz4Frame(sample('words', 70_000))
    for (let at = 7; at < bytes.length; at += 997) {
      const flipped = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 4 : byte))
      expect(() => decompressLz4Frame(flipped, 1 << 20)).toThrow('Cannot decompress the body as lz4_frame: ')
    }
  })
})

describe('compressLz4Block() and compressLz4Frame()', () => {
  it('make what repeats small and leave the rest almost as it is', () => {
    for (const encode of [compressLz4Block, compressLz4Frame]) {
      expect(encode(sample('zeros', 100_000)).length).toBeLessThan(100_000 / 100)
      expect(encode(sample('words', 100_000)).length).toBeLessThan(100_000 * 0.75)
      expect(encode(sample('noise', 100_000)).length).toBeLessThan(100_000 + 450)
    }
  })

  it('write the descriptor of the Java client', () => {
    expect([...compressLz4Frame(new Uint8Array(1)).subarray(0, 6)]).toEqual([...uint32(0x184d2204), 0x74, 0x40])
  })
})

describe('xxh32()', () => {
  // The first from xxHash's own sanity test, the second from the README of python-xxhash.
  it.each([
    ['', 0x02cc5d05],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('hashes %j', (content, hash) => {
    expect(hashOf(Buffer.from(content))).toBe(hash)
  })
})
