import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bucketOfString, bucketsOfPool, hash64, hashHalves } from './index.ts'

// Our own file, of the shape that its generator gives.
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/fg-hash/vectors.json', import.meta.url), 'utf8'),
) as { readonly vectors: readonly { readonly hex: string; readonly std: string; readonly farm: string }[] }
const vectors = golden.vectors.map(({ hex, std, farm }) => ({
  bytes: new Uint8Array(Buffer.from(hex, 'hex')),
  std: BigInt(std),
  farm: BigInt(farm),
}))

/** What dynamic embeddings hash into, and the vectors of FarmHash are given for. */
const allButSign = 2n ** 63n - 1n

function poolOf(texts: readonly Uint8Array[], before = 0) {
  const bytes = Buffer.concat([new Uint8Array(before).fill(7), ...texts])
  const offsets = new Int32Array(texts.length + 1).fill(before)
  for (const [i, text] of texts.entries()) offsets[i + 1] = (offsets[i] ?? 0) + text.length
  return { bytes, offsets }
}

describe('hash64()', () => {
  it(`is what libstdc++ and TensorFlow give for ${vectors.length} texts`, () => {
    for (const { bytes, std, farm } of vectors) {
      expect(hash64(bytes, 'std'), `std of ${bytes.length} bytes`).toBe(std)
      expect(hash64(bytes, 'farm') % allButSign, `farm of ${bytes.length} bytes`).toBe(farm)
      expect(hashHalves(bytes, 'std')).toEqual({ low: Number(std & 0xffffffffn), high: Number(std >> 32n) })
    }
  })
})

describe('bucketOfString()', () => {
  // From the unit tests of TorchEasyRec, which run the closed reference.
  it.each([
    ['std', { abc: 33, efg: 44, hij: 66, xyz: 13, 1: 95, 2: 70, 3: 13, 4: 56, 0: 26, x: 35, y: 30, z: 54 }],
    ['std', { ua_ia: 37, ua_ib: 90, ub_ia: 5, ub_ib: 97, uc_ic: 60, ud_ic: 56, ug_id: 40, ug_ie: 57, uh_if: 55 }],
    ['farm', { 1: 49, 2: 59, 3: 21 }],
  ] as const)('gives the published %s buckets of 100', (kind, buckets) => {
    for (const [text, bucket] of Object.entries(buckets)) expect(bucketOfString(text, 100, kind)).toBe(bucket)
  })

  it('takes the hash as unsigned, whatever the number of buckets', () => {
    for (const { bytes, std } of vectors) {
      const text = bytes.toString() // a list of numbers, in ASCII
      const hash = hash64(new TextEncoder().encode(text), 'std')
      for (const buckets of [1n, 2n, 3n, 1000003n, 2n ** 32n + 1n, 2n ** 53n]) {
        expect(bucketOfString(text, buckets, 'std')).toBe(Number(hash % buckets))
      }
      for (const buckets of [2n ** 53n + 1n, allButSign, 2n ** 63n + 5n, 2n ** 64n - 1n]) {
        expect(bucketOfString(text, buckets, 'std')).toBe(hash % buckets)
      }
      expect(std).toBeGreaterThanOrEqual(0n)
    }
  })

  it('hashes the UTF-8 form', () => {
    expect(bucketOfString('裙子😀', allButSign, 'farm')).toBe(hash64(Buffer.from('裙子😀'), 'farm') % allButSign)
  })

  it.each([0, -1, 1.5, Number.NaN, 2n ** 64n])('refuses %s buckets', (buckets) => {
    expect(() => bucketOfString('a', buckets, 'std')).toThrow(RangeError)
  })
})

describe('bucketsOfPool()', () => {
  it.each(['std', 'farm'] as const)('agrees with hash64(), %s', (kind) => {
    const texts = vectors.map(({ bytes }) => bytes)
    const wanted = texts.map((bytes) => hash64(bytes, kind))
    const pool = poolOf(texts, 13)
    const numbers = bucketsOfPool(pool, 1000003, kind, new Float64Array(texts.length))
    const bigints = bucketsOfPool(pool, allButSign, kind, new BigInt64Array(texts.length))
    expect([...numbers]).toEqual(wanted.map((hash) => Number(hash % 1000003n)))
    expect([...bigints]).toEqual(wanted.map((hash) => hash % allButSign))
  })

  it('hashes more texts, and longer ones, than it takes at a time', () => {
    const texts = Array.from({ length: 20_000 }, (_, i) =>
      Buffer.from(i % 5000 === 7 ? 'long '.repeat(80_000) + i : `item_${i}`.repeat(i % 9)),
    )
    const ids = bucketsOfPool(poolOf(texts), allButSign, 'farm', new BigInt64Array(texts.length))
    for (const [i, text] of texts.entries()) {
      if (i % 97 === 7 || text.length > 1000) expect(ids[i]).toBe(hash64(text, 'farm') % allButSign)
    }
  })

  it('gives nothing for no texts', () => {
    expect(
      bucketsOfPool({ bytes: new Uint8Array(), offsets: new Int32Array(1) }, 10, 'std', new Float64Array(0)),
    ).toEqual(new Float64Array(0))
  })

  it.each([
    ['fall', [0, 5, 3]],
    ['leave the bytes', [0, 5, 11]],
    ['are negative', [-1, 5, 6]],
  ])('refuses offsets that %s', (_, offsets) => {
    const pool = { bytes: new Uint8Array(10), offsets: Int32Array.from(offsets) }
    expect(() => bucketsOfPool(pool, 10, 'std', new Float64Array(2))).toThrow(RangeError)
  })

  it('refuses more buckets than the result can hold', () => {
    const pool = poolOf([Buffer.from('a')])
    expect(() => bucketsOfPool(pool, allButSign, 'std', new Float64Array(1))).toThrow(RangeError)
    expect(() => bucketsOfPool(pool, 10, 'std', new Float64Array(0))).toThrow(RangeError)
  })
})
