import { describe, expect, it } from 'vitest'
import { bytesField, message, textField, varintField } from '../../../test/support/wire-bytes.ts'
import { easyrecPredict, torchrecPredict } from './index.ts'
import { hashOfInt } from './key-guard.ts'

describe('maps', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '__defineGetter__', '']

  it.each(names)('take the key %j as any other', (name) => {
    const feature = { kind: 'string_string_map', value: new Map([[name, 'v']]) } as const
    const request = {
      debug_level: 0,
      user_features: new Map([[name, feature]]),
      item_ids: [name],
      context_features: new Map([[name, [feature]]]),
      faiss_neigh_num: 0,
      item_features: new Map([[name, [feature]]]),
      meta_data: new Map([[name, 'x']]),
    }
    expect(torchrecPredict.decodeRequest(torchrecPredict.encodeRequest(request))).toEqual(request)
    expect(Object.prototype).not.toHaveProperty('v')
  })

  it('give an entry without key or value the defaults', () => {
    const request = message(bytesField(2), bytesField(4), bytesField(7), bytesField(7, textField(1, 'k')))
    expect(torchrecPredict.decodeRequest(request)).toMatchObject({
      user_features: new Map([['', { kind: undefined, value: undefined }]]),
      context_features: new Map([['', []]]),
      meta_data: new Map([
        ['', ''],
        ['k', ''],
      ]),
    })
  })

  it('keep the last entry of a key, whole', () => {
    const entry = (value: number) => bytesField(2, textField(1, 'k'), bytesField(2, varintField(1, value)))
    const { user_features } = torchrecPredict.decodeRequest(message(entry(1), entry(2)))
    expect(user_features).toEqual(new Map([['k', { kind: 'int_feature', value: 2 }]]))
  })

  it('append to the features of one entry whose value comes twice', () => {
    const features = (value: number) => bytesField(2, bytesField(1, varintField(1, value)))
    const { item_features } = torchrecPredict.decodeRequest(
      message(bytesField(6, features(1), textField(1, 'k'), features(2))),
    )
    const expected = [1, 2].map((value) => ({ kind: 'int_feature', value }))
    expect(item_features).toEqual(new Map([['k', expected]]))
  })

  it('name the feature that is malformed', () => {
    const request = message(
      bytesField(
        4,
        textField(1, 'c'),
        bytesField(2, bytesField(1, varintField(1, 5)), bytesField(1, bytesField(3, [0xff]))),
      ),
    )
    expect(() => torchrecPredict.decodeRequest(request)).toThrow(
      expect.objectContaining({
        message: 'Cannot decode context_features["c"].features[1].string_feature: is not UTF-8',
        field: 'context_features["c"].features[1].string_feature',
      }),
    )
  })

  it('that flood a hash table are refused', () => {
    const keys: number[] = []
    for (let key = 0; keys.length < 2000; key++) if ((hashOfInt(key) & 0xff) === 5) keys.push(key)
    const entries = keys.map((key) => bytesField(1, varintField(1, key)))
    const request = message(bytesField(2, textField(1, 'x'), bytesField(2, bytesField(17, ...entries))))
    expect(() => torchrecPredict.decodeRequest(request)).toThrow(
      /user_features\["x"\].int_int_map: .*keys that collide/,
    )
  })
})

it('is also what PAI-Rec sends EasyRec: features of every kind, of items too, and meta data', () => {
  const list = bytesField(2, bytesField(21, bytesField(1, [1, 2])))
  const request = message(
    bytesField(2, textField(1, 'x'), list),
    bytesField(6, textField(1, 'y'), bytesField(2, bytesField(1, varintField(1, 3)))),
    bytesField(7, textField(1, 'request_id'), textField(2, 'r')),
  )
  expect(easyrecPredict.decodeRequest(request)).toMatchObject({
    user_features: new Map([['x', { kind: 'int_list', value: Int32Array.of(1, 2) }]]),
    item_features: new Map([['y', [{ kind: 'int_feature', value: 3 }]]]),
    meta_data: new Map([['request_id', 'r']]),
  })
  expect(easyrecPredict.isRequest(request)).toBe(true)
})

it('bounds the parts of a message', () => {
  const features = new Uint8Array(2 * 4_200_000).fill(0)
  for (let i = 0; i < features.length; i += 2) features[i] = 0x0a
  const value = Buffer.concat([Uint8Array.of(0x12), lengthOf(features.length), features])
  const request = Buffer.concat([Uint8Array.of(0x32), lengthOf(value.length), value])
  expect(() => torchrecPredict.decodeRequest(request)).toThrow('the message has over 4194304 parts')
})

const lengthOf = (length: number): Uint8Array =>
  Uint8Array.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, ((length >> 14) & 0x7f) | 0x80, length >> 21)
