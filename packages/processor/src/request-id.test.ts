import { type TorchrecRequest, torchrecPredict } from '@eas/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headerRequestId, torchrecRequestId } from './request-id.ts'

const request = (meta_data: ReadonlyMap<string, string>): TorchrecRequest => ({
  debug_level: 100,
  user_features: new Map([['age', { kind: 'int_feature', value: -1 }]]),
  item_ids: ['a', 'b'],
  context_features: new Map(),
  faiss_neigh_num: 3,
  item_features: new Map(),
  meta_data,
})

describe('headerRequestId()', () => {
  it.each([
    ['r-1', 'r-1'],
    ['a\u009b31mred\u0085b\u007fc\td', 'a 31mred b c d'],
    ['x'.repeat(8000), `${'x'.repeat(100)}…`],
    [undefined, undefined],
  ])('of %j is %j', (id, expected) => {
    expect(headerRequestId({ method: 'POST', target: '/', headers: { 'x-request-id': id } })).toBe(expected)
  })
})

describe('torchrecRequestId()', () => {
  it.each([
    [{}, undefined],
    [{ request_id: '' }, undefined],
    [{ task_id: 'x' }, undefined],
    [{ request_id: 'r-1' }, 'r-1'],
    [{ task_id: 't', request_id: '请求 7', trace: 'z' }, '请求 7'],
    [{ request_id: 'x'.repeat(300) }, `${'x'.repeat(100)}…`],
  ])('of %j is %j', (meta_data, expected) => {
    const body = torchrecPredict.encodeRequest(request(new Map(Object.entries(meta_data))))
    expect(torchrecRequestId(body)).toBe(expected)
    expect(torchrecRequestId(Buffer.concat([Buffer.from([1, 2, 3]), body]).subarray(3))).toBe(expected)
  })

  it('of bytes that are anything is a text or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['string', 'undefined']).toContain(typeof torchrecRequestId(bytes))
      }),
    )
  })

  it.each([
    ['an item each', '1a0161'],
    ['nothing in meta_data', '3a00'],
    ['entries of others', '3a060a01611201623a060a0161120162'],
    ['numbers', '0801'],
    ['one entry without end', '3affffff7f0a00'],
  ])('takes no time over a body of megabytes: %s', (_, unit) => {
    const bytes = Buffer.from(unit, 'hex')
    const body = Buffer.alloc(8_000_000, bytes)
    const start = performance.now()
    for (let i = 0; i < 5; i++) torchrecRequestId(body)
    expect(performance.now() - start).toBeLessThan(2000) // 30 ms here; 60 s where all of it is looked at
  })

  it('finds the id behind ten thousand items, and the last of two', () => {
    const item_ids = Array.from({ length: 10_000 }, (_, i) => `item-${i}`)
    const body = torchrecPredict.encodeRequest({ ...request(new Map([['request_id', 'r-1']])), item_ids })
    expect(torchrecRequestId(body)).toBe('r-1')
    const again = torchrecPredict.encodeRequest(request(new Map([['request_id', 'r-2']])))
    expect(torchrecRequestId(Buffer.concat([body, again]))).toBe('r-2')
  })
})
