import { type TorchrecRequest, torchrecPredict } from '@eas/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { torchrecRequestId } from './request-id.ts'

const request = (meta_data: ReadonlyMap<string, string>): TorchrecRequest => ({
  debug_level: 100,
  user_features: new Map([['age', { kind: 'int_feature', value: -1 }]]),
  item_ids: ['a', 'b'],
  context_features: new Map(),
  faiss_neigh_num: 3,
  item_features: new Map(),
  meta_data,
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
})
