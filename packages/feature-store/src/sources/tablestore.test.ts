import fc from 'fast-check'
import sdk from 'tablestore'
import { describe, expect, it } from 'vitest'
import { FeatureStoreError } from '../feature-store-error.ts'
import { decodeMessage, encodeMessage } from './tablestore-message.ts'
import { decodeRows, encodeKey } from './tablestore-row.ts'

// The source itself is in test/contract/feature-store.test.ts. Here its bytes are compared with the official SDK's.

const key = (value: Parameters<typeof sdk.PlainBufferBuilder.serializePrimaryKey>[0][number][string]) =>
  Buffer.from(sdk.PlainBufferBuilder.serializePrimaryKey([{ item_id: value }]))

describe('encodeKey()', () => {
  it('writes ids as the official SDK does', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(text, int64, (id, long) => {
        expect(encodeKey('item_id', { id })).toEqual(key(id))
        expect(encodeKey('item_id', { id: long })).toEqual(key(sdk.Long.fromString(String(long))))
      }),
    )
  })

  // The SDK allocates a byte more for these than it writes.
  it('writes the bounds as the official SDK does', () => {
    expect(encodeKey('item_id', 'min')).toEqual(key(sdk.INF_MIN).subarray(0, -1))
    expect(encodeKey('item_id', 'max')).toEqual(key(sdk.INF_MAX).subarray(0, -1))
  })
})

const row = Buffer.from(
  sdk.PlainBufferBuilder.serializeForPutRow(
    [{ item_id: '物品' }],
    [{ n: sdk.Long.fromString('-9007199254740993') }, { d: 0.1 }, { t: '✓ "x"' }, { b: true }, { e: '' }],
  ),
)
const values = { item_id: '物品', n: -9007199254740993n, d: 0.1, t: '✓ "x"', b: true, e: '' }

describe('decodeRows()', () => {
  it('reads what the official SDK writes', () => {
    expect(decodeRows(row)).toEqual([values])
    expect(decodeRows(Buffer.concat([row, row.subarray(4)]))).toEqual([values, values])
    expect(decodeRows(Buffer.alloc(0))).toEqual([])
  })

  it('refuses every cut and every flipped bit, by the checksums', () => {
    expect(decodeRows(row.subarray(0, 4))).toEqual([])
    for (let end = 1; end < row.length; end++) {
      if (end === 4) continue // a header is all that no rows have
      expect(() => decodeRows(row.subarray(0, end)), `cut at ${end}`).toThrow(FeatureStoreError)
    }
    for (let bit = 0; bit < row.length * 8; bit++) {
      const damaged = Buffer.from(row)
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(() => decodeRows(damaged), `bit ${bit}`).toThrow(FeatureStoreError)
    }
  })
})

describe('decodeMessage()', () => {
  it('reads what encodeMessage() writes', () => {
    const message = decodeMessage(
      encodeMessage([
        [1, 'a'],
        [2, 2 ** 40],
        [3, Buffer.from('b')],
        [3, 'c'],
      ]),
    )
    expect(message.bytes(1).map(String)).toEqual(['a'])
    expect(message.bytes(3).map(String)).toEqual(['b', 'c'])
    expect([message.number(2), message.number(9), message.bytes(9)]).toEqual([2 ** 40, 0, []])
  })

  it('gives a message or a FeatureStoreError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeMessage(Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(FeatureStoreError)
        }
      }),
    )
  })
})
