import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import { EasError } from '@eas/base'
import fc from 'fast-check'
import { compressFrameSync, compressSync, decompressFrameSync, uncompressSync } from 'lz4-napi'
import { describe, expect, it } from 'vitest'
import {
  compress,
  compressors,
  decompress,
  recogniseCompression,
} from '../../packages/protocol/src/compression/index.ts'
import type { Compressor } from '../../packages/protocol/src/compression/names.ts'
import { sample, samples } from '../../packages/protocol/src/compression/sample.ts'
import { decompressZstdPortably } from '../../packages/protocol/src/compression/zstd.ts'
import { zstdVectors } from '../../packages/protocol/src/compression/zstd-vectors.ts'

/** An independent Snappy; it comes without types. */
const snappyjs = createRequire(import.meta.url)('snappyjs') as {
  compress(bytes: Buffer): Buffer
  uncompress(bytes: Buffer): Buffer
}

const names = Object.keys(compressors) as Compressor[] // the table's own keys
/** Node encodes Zstandard from 22.15 on. */
const hasZstd = 'zstdCompressSync' in zlib
const kinds = Object.keys(samples) as (keyof typeof samples)[] // as above
const limit = 1 << 20

/** Contents of every kind, around every boundary of the formats, and arbitrary ones. */
const contents = fc.oneof(
  fc
    .record({
      kind: fc.constantFrom(...kinds),
      size: fc.oneof(fc.nat(300), fc.integer({ min: 60_000, max: 70_000 }), fc.nat(200_000)),
    })
    .map(({ kind, size }) => sample(kind, size)),
  fc.uint8Array({ maxLength: 100 }),
  fc
    .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 90 })))
    .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => new Array<Uint8Array>(times).fill(bytes)))),
)

function same(a: Uint8Array, b: Uint8Array): void {
  expect(Buffer.compare(a, b)).toBe(0)
}

/** A body of each format, encoded by ourselves or, for Zstandard, recorded. */
const bodyOf = (name: Compressor, content: Uint8Array) =>
  name !== 'zstd' || hasZstd ? compress(name, content) : Buffer.from(zstdVectors[4]?.base64 ?? '', 'base64')

/** A value or an `EasError`, whatever the bytes. */
function survives(name: Compressor, bytes: Uint8Array, maxBytes = limit): void {
  for (const decode of name === 'zstd'
    ? [compressors.zstd.decompress, decompressZstdPortably]
    : [compressors[name].decompress]) {
    try {
      expect(decode(bytes, maxBytes).length).toBeLessThanOrEqual(maxBytes)
    } catch (error) {
      if (!(error instanceof EasError)) throw error
      expect(['invalid_request', 'too_large']).toContain(error.code)
    }
  }
}

describe('decompress(compress(x)) is x', () => {
  it.each(names.filter((name) => name !== 'zstd' || hasZstd))('for %s', (name) => {
    fc.assert(
      fc.property(contents, (content) => same(decompress(name, compress(name, content), content.length), content)),
      { numRuns: 60 },
    )
  })
})

/** Pairs of functions between content and body, by someone else. */
const others: Record<
  string,
  [name: Compressor, encode: (x: Buffer) => Buffer, decode: (x: Buffer, size: number) => Buffer]
> = {
  'node:zlib gzip': ['gzip', (x) => zlib.gzipSync(x), (x) => zlib.gunzipSync(x)],
  'node:zlib zlib': ['zlib', (x) => zlib.deflateSync(x), (x) => zlib.inflateSync(x)],
  snappyjs: ['snappy', (x) => snappyjs.compress(x), (x) => snappyjs.uncompress(x)],
  'lz4_flex frames': ['lz4_frame', (x) => compressFrameSync(x), (x) => decompressFrameSync(x)],
  'lz4_flex frames with checksums': [
    'lz4_frame',
    (x) => compressFrameSync(x, { blockChecksums: true, contentChecksum: true }),
    (x) => decompressFrameSync(x),
  ],
  // Its blocks stand behind their content's size.
  'lz4_flex blocks': [
    'lz4',
    (x) => compressSync(x).subarray(4),
    (x, size) => uncompressSync(Buffer.concat([uint32(size), x])),
  ],
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

describe('both ways agree', () => {
  it.each(Object.entries(others))('with %s', (_who, [name, encode, decode]) => {
    fc.assert(
      fc.property(contents, (content) => {
        const buffer = Buffer.from(content)
        same(decompress(name, encode(buffer), content.length), content)
        same(decode(Buffer.from(compress(name, content)), content.length), content)
      }),
      { numRuns: 60 },
    )
  })

  it.runIf(hasZstd)('with the Zstandard of Node', () => {
    fc.assert(
      fc.property(contents, (content) =>
        same(decompressZstdPortably(compress('zstd', content), content.length), content),
      ),
      { numRuns: 60 },
    )
  })
})

describe.each(names)('%s bodies that are broken', (name) => {
  const body = bodyOf(name, sample('words', 400))
  const large = bodyOf(name, sample('words', 100_000))

  it('fail as an EasError wherever they are cut', () => {
    for (let end = 0; end < body.length; end++) survives(name, body.subarray(0, end))
  })

  it('give a value or an EasError for any flipped byte', () => {
    for (let at = 0; at < body.length; at++) {
      for (const mask of [0x01, 0x80, 0xff])
        survives(
          name,
          Uint8Array.from(body, (byte, i) => (i === at ? byte ^ mask : byte)),
        )
    }
  })

  it('give a value or an EasError for any few changes and any tail', () => {
    const changes = fc.array(fc.tuple(fc.nat(large.length - 1), fc.nat(255)), { maxLength: 5 })
    fc.assert(
      fc.property(changes, fc.uint8Array({ maxLength: 50 }), (edits, tail) => {
        const bytes = Uint8Array.from(large)
        for (const [at, byte] of edits) bytes[at] = byte
        survives(name, Buffer.concat([bytes, tail]))
      }),
      { numRuns: 100 },
    )
  })

  it('give an EasError for 1 MB of noise behind any beginning', () => {
    const noise = sample('noise', 1 << 20)
    for (const length of [0, 1, 2, 4, 7, 12, body.length >> 1, body.length]) {
      survives(name, Buffer.concat([body.subarray(0, length), noise]))
    }
  })
})

it('recogniseCompression() gives a value or an EasError for any bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom('', '1f8b08', '28b52ffd', '04224d18', '789c'),
      (tail, head) => {
        try {
          recogniseCompression(Buffer.concat([Buffer.from(head, 'hex'), tail]), 100, () => true)
        } catch (error) {
          expect(error).toBeInstanceOf(EasError)
        }
      },
    ),
    { numRuns: 2000 },
  )
})

describe('a bomb', () => {
  const cap = 16 << 20
  /** 256 MB of zeros, sixteen times the cap, in each format's own way. */
  const bombs: Record<Compressor, () => Uint8Array> = {
    gzip: () => zlib.gzipSync(new Uint8Array(16 * cap), { level: 1 }),
    zlib: () => zlib.deflateSync(new Uint8Array(16 * cap), { level: 1 }),
    snappy: () => compress('snappy', new Uint8Array(16 * cap)),
    lz4: () => compress('lz4', new Uint8Array(16 * cap)),
    lz4_frame: () => compress('lz4_frame', new Uint8Array(16 * cap)),
    zstd: () => zstdBomb(16 * cap, false),
  }
  /** Blocks of one repeated byte, 128 KB in 4 bytes. */
  function zstdBomb(size: number, declares: boolean): Uint8Array {
    const blocks = size / 131_072
    const header = declares ? [0xa0, ...uint32(size)] : [0x00, 0x70]
    const block = (last: number) => [(0 << 3) | 2 | last, 0, 0x10, 0]
    return Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...header, ...new Array(blocks - 1).fill(block(0)).flat(), ...block(1))
  }

  /** Bytes allocated outside the heap while `run` runs are seen at its end: nothing is collected within it. */
  function allocated(run: () => void): number {
    const before = process.memoryUsage().arrayBuffers
    run()
    return process.memoryUsage().arrayBuffers - before
  }

  const cases: [what: string, name: Compressor, make: () => Uint8Array][] = [
    ...names.map((name): [string, Compressor, () => Uint8Array] => [name, name, bombs[name]]),
    ['zstd that declares its size', 'zstd', () => zstdBomb(16 * cap, true)],
    ['a Snappy header', 'snappy', () => Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0)],
  ]

  it.each(cases)('of %s is refused within its limit', (_what, name, make) => {
    const bomb = make()
    for (const decode of name === 'zstd'
      ? [compressors.zstd.decompress, decompressZstdPortably]
      : [compressors[name].decompress]) {
      const refused = () => expect(() => decode(bomb, cap)).toThrow(EasError)
      expect(allocated(refused)).toBeLessThan(cap + (4 << 20))
    }
    if (name === 'lz4' || bomb.length < 10) return
    expect(() => recogniseCompression(bomb, cap, () => true)).toThrow(expect.objectContaining({ code: 'too_large' }))
  })
})
