import { readFileSync } from 'node:fs'
import * as zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { compress, compressors, decompress, recogniseCompression } from './index.ts'
import type { Compressor } from './names.ts'
import { sample } from './sample.ts'

const golden = (name: string) => readFileSync(new URL(`../../../../test/golden/eas-sdk/${name}`, import.meta.url))
const limit = 1 << 20
const names = Object.keys(compressors) as Compressor[] // the table's own keys
/** Zstandard is encoded from Node 22.15 on. */
const encoders = names.filter((name) => name !== 'zstd' || 'zstdCompressSync' in zlib)
const plain = golden('py_torch_snappy.uncompressed.bin')

/** Bodies as the official clients sent them. */
const sent = [
  ['py_torch_snappy', 'snappy'],
  ['java_torch_snappy', 'snappy'],
  ['java_torch_gzip', 'gzip'],
  ['go_torch_gzip', 'gzip'],
  ['java_torch_zlib', 'zlib'],
  ['go_torch_zlib', 'zlib'],
  ['java_torch_lz4', 'lz4'],
  ['java_torch_lz4frame', 'lz4_frame'],
  ['java_torch_zstd', 'zstd'],
] as const

/** The request that each of them holds, as the same client sends it plain. */
const heldBy = (name: string) => (name.startsWith('py') ? plain : golden('java_torch_auto.bin'))

describe('decompress()', () => {
  it.each(sent)('decodes %s as %s', (name, compressor) => {
    const content = decompress(compressor, golden(`${name}.bin`), limit)
    expect(Buffer.compare(content, heldBy(name))).toBe(0)
    expect(content.byteOffset).toBe(0)
  })

  it('reads a frame where lz4 is asked for', () => {
    const frame = golden('java_torch_lz4frame.bin')
    expect(decompress('lz4', frame, limit)).toEqual(decompress('lz4_frame', frame, limit))
  })

  it.each(names)('says that an empty body is not %s', (name) => {
    expect(() => decompress(name, new Uint8Array(0), limit)).toThrow(`Cannot decompress the body as ${name}: `)
  })

  it.each(encoders)('accepts %s of exactly the limit and refuses one byte more', (name) => {
    for (const size of [1, 1000, 100_000]) {
      const bytes = compress(name, sample('words', size))
      expect(decompress(name, bytes, size)).toEqual(sample('words', size))
      expect(() => decompress(name, bytes, size - 1)).toThrow(
        expect.objectContaining({
          code: 'too_large',
          status: 413,
          message: expect.stringContaining(`more than ${size - 1} bytes`),
        }),
      )
    }
  })

  it.each(encoders)('decodes an empty message from %s, even where nothing is allowed', (name) => {
    expect(decompress(name, compress(name, new Uint8Array(0)), 0)).toEqual(new Uint8Array(0))
  })

  it.each(encoders)('decodes %s in the middle of a larger buffer, into one of its own', (name) => {
    const content = sample('words', 5000)
    const body = Buffer.concat([Buffer.alloc(3), compress(name, content), Buffer.alloc(9)]).subarray(3, -9)
    const result = decompress(name, body, limit)
    expect(result).toEqual(content)
    expect(result.byteOffset).toBe(0)
    expect(result.buffer.byteLength).toBeLessThan(content.length * 1.2)
  })

  it('reads gzip members end to end and refuses anything else behind them', () => {
    const member = compress('gzip', Buffer.from('ab'))
    expect(decompress('gzip', Buffer.concat([member, member]), 4)).toEqual(Uint8Array.from(Buffer.from('abab')))
    for (const tail of [Buffer.alloc(4), Buffer.from('garbage'), member.subarray(0, 6)]) {
      expect(() => decompress('gzip', Buffer.concat([member, tail]), 9)).toThrow(
        /^Cannot decompress the body as gzip: /,
      )
    }
  })

  it('refuses what follows zlib data, and data that needs a dictionary', () => {
    const body = compress('zlib', Buffer.from('ab'))
    expect(() => decompress('zlib', Buffer.concat([body, Buffer.alloc(3)]), 9)).toThrow('3 bytes follow its end')
    const preset = zlib.deflateSync('abc', { dictionary: Buffer.from('abc') })
    expect(() => decompress('zlib', preset, 9)).toThrow('Missing dictionary')
  })
})

describe('compress()', () => {
  it.runIf(!('zstdCompressSync' in zlib))('names the version of Node that zstd needs', () => {
    expect(() => compress('zstd', plain)).toThrow(
      expect.objectContaining({ code: 'not_implemented', message: expect.stringContaining('22.15') }),
    )
  })

  it.runIf('zstdCompressSync' in zlib)('declares the size of zstd, which the Java client needs', () => {
    expect((compress('zstd', plain)[4] ?? 0) & 0xe0).not.toBe(0)
  })
})

describe('recogniseCompression()', () => {
  const isPlain = (bytes: Uint8Array) => Buffer.compare(bytes, plain) === 0
  const isNothing = () => false
  const isAnything = () => true

  it.each(sent.filter(([, compressor]) => compressor !== 'lz4'))('recognises %s as %s', (name, compressor) => {
    const found = recogniseCompression(
      golden(`${name}.bin`),
      limit,
      (bytes) => Buffer.compare(bytes, heldBy(name)) === 0,
    )
    expect(found?.compressor).toBe(compressor)
    expect(found?.bytes).toEqual(decompress(compressor, golden(`${name}.bin`), limit))
  })

  it.each(['lz4_frame', 'zstd'] as const)('recognises %s behind skippable frames', (name) => {
    const skippable = Buffer.from('502a4d180200000009095f2a4d1800000000', 'hex')
    const frame = golden(name === 'zstd' ? 'java_torch_zstd.bin' : 'java_torch_lz4frame.bin')
    const body = Buffer.concat([skippable, frame])
    expect(recogniseCompression(body, limit, isNothing)).toEqual({
      compressor: name,
      bytes: Uint8Array.from(heldBy('java')),
    })
    if (name === 'lz4_frame') expect(decompress('lz4', body, limit)).toEqual(decompress('lz4', frame, limit))
    for (const end of [4, 8, 9, 10, 14, 18]) {
      expect(recogniseCompression(body.subarray(0, end), limit, isNothing)).toBeUndefined()
    }
  })

  it('takes plain bodies, empty ones and LZ4 blocks for plain', () => {
    for (const body of [plain, new Uint8Array(0), golden('java_torch_lz4.bin'), Buffer.from('[{"a":1}]')]) {
      expect(recogniseCompression(body, limit, isPlain)).toBeUndefined()
    }
  })

  it('takes a Snappy block for plain when its content is no message', () => {
    expect(recogniseCompression(golden('py_torch_snappy.bin'), limit, isPlain)?.compressor).toBe('snappy')
    expect(recogniseCompression(golden('py_torch_snappy.bin'), limit, isNothing)).toBeUndefined()
  })

  it('reports a magic whose body does not decompress, unless that body is a message', () => {
    for (const magic of ['1f8b08', '28b52ffd00', '04224d1840']) {
      const body = Buffer.from(magic, 'hex')
      expect(() => recogniseCompression(body, limit, isNothing)).toThrow(/^Cannot decompress the body as /)
      expect(recogniseCompression(body, limit, isAnything)).toBeUndefined()
    }
  })

  it('takes a body with a zlib header that does not inflate to its end for plain', () => {
    expect(recogniseCompression(Buffer.from('081d0801', 'hex'), limit, isNothing)).toBeUndefined()
    const longer = Buffer.concat([compress('zlib', plain), Buffer.alloc(1)])
    expect(recogniseCompression(longer, limit, isNothing)).toBeUndefined()
  })

  it.each(encoders.filter((name) => name !== 'lz4'))(
    'reports an oversized %s body instead of taking it for plain',
    (name) => {
      const bomb = compress(name, sample('zeros', 100_000))
      expect(() => recogniseCompression(bomb, 99_999, isAnything)).toThrow(
        expect.objectContaining({ code: 'too_large' }),
      )
    },
  )

  it('sees in microseconds that 10 MB of floats are plain', () => {
    const body = new Uint8Array(10_000_000)
    body.set(Buffer.from('0ab0ade20408011a04080110011a', 'hex'))
    let fastest = Number.POSITIVE_INFINITY
    for (let i = 0; i < 20; i++) {
      const start = performance.now()
      expect(recogniseCompression(body, 1 << 28, isNothing)).toBeUndefined()
      fastest = Math.min(fastest, performance.now() - start)
    }
    expect(fastest).toBeLessThan(0.1)
  })
})
