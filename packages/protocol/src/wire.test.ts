import { describe, expect, it } from 'vitest'
import {
  bytesField,
  message,
  textField,
  varint,
  varintField,
  type WireBytes,
} from '../../../test/support/wire-bytes.ts'
import { DecodeError, tfPredict, torchPredict, torchrecPredict } from './index.ts'

const thrownBy = (decode: () => unknown): DecodeError => {
  try {
    decode()
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a malformed message is refused', () => {
  it.each([
    ['{"image": [[0.5]]}', 'JSON'],
    ['[[1, 2]]', 'JSON'],
    ['<!DOCTYPE html><p>', 'HTML or XML'],
    ['--x1\r\nContent-Disposition: form-data\r\n\r\n', 'a multipart form'],
  ])('and called what it is: %j', (text, format) => {
    const { message } = thrownBy(() => torchPredict.decodeRequest(Buffer.from(text)))
    expect(message).toBe(`Cannot decode PredictRequest: it looks like ${format}, and must be a protobuf message`)
  })

  const ten = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
  it.each<readonly [string, WireBytes, string]>([
    ['a field number of 0', [0x02, 0x00], 'PredictRequest: a field has the number 0'],
    ['a field number over 2^29', [0xff, 0xff, 0xff, 0xff, 0x1f], 'PredictRequest: a field number is over 536870911'],
    ['a group', [0x0b, 0x0c], 'PredictRequest: field 1 has the wire type 3, a group'],
    ['the end of a group', [0x0c], 'PredictRequest: field 1 has the wire type 4, a group'],
    ['wire type 6', [0x0e], 'PredictRequest: field 1 has the wire type 6'],
    ['wire type 7', [0x0f], 'PredictRequest: field 1 has the wire type 7'],
    ['a cut number', [0x10, 0x80], 'PredictRequest: a number is cut off'],
    ['a number of 11 bytes', [0x10, ...ten, 0xff, 0x01], 'PredictRequest: a number takes over 10 bytes'],
    ['a length past the end', [0x0a, 5, 1], 'inputs[0]: a length of 5 bytes, where 1 are left'],
    [
      'a length of 2^63',
      [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
      'inputs[0]: a length of 9223372036854775808 bytes, where 0 are left',
    ],
    [
      'a length past the enclosing message',
      [...bytesField(1, [0x1a, 4, 0, 0]), 0, 0, 0, 0],
      'inputs[0].float_val: a length of 4 bytes, where 2 are left',
    ],
    [
      'half a float',
      bytesField(1, bytesField(3, [0, 0])),
      'inputs[0].float_val: 2 bytes are not whole values of 4 bytes',
    ],
    ['a cut fixed number', bytesField(1, [0x1d, 0, 0]), 'inputs[0].float_val: 4 bytes, where 2 are left'],
    ['a cut packed number', bytesField(1, bytesField(7, [0x80])), 'inputs[0].int64_val: the last number is cut off'],
    [
      'a packed number of 11 bytes',
      bytesField(1, varintField(1, 9), bytesField(7, [...ten, 0xff, 0x01])),
      'inputs[0]: a number takes over 10 bytes',
    ],
    ['an unknown field past the end', [0x9d, 0x06, 0], 'PredictRequest: 4 bytes, where 1 are left'],
  ])('%s', (_name, bytes, expected) => {
    expect(thrownBy(() => torchPredict.decodeRequest(message(bytes)))).toMatchObject({
      status: 400,
      code: 'invalid_request',
      message: `Cannot decode ${expected}`,
    })
    expect(torchPredict.isRequest(message(bytes))).toBe(false)
  })

  it('with the field and the offset of the trouble', () => {
    const request = message(varintField(100, 1), bytesField(3, textField(1, 'x'), bytesField(2, bytesField(3, [0, 0]))))
    expect(thrownBy(() => torchPredict.decodeRequest(request))).toMatchObject({
      field: 'map_inputs["x"].float_val',
      offset: 12,
    })
  })

  it('with names on one line', () => {
    const request = message(bytesField(2, textField(1, 'a\r\nb"\u001b[31m'), bytesField(2, varintField(1, 99))))
    const { message: text } = thrownBy(() => tfPredict.decodeRequest(request))
    expect(text).toBe('Cannot decode inputs["a b\\" [31m"]: dtype is 99, which holds no values')
  })
})

describe('a string', () => {
  const request = (bytes: WireBytes) => message(bytesField(3, bytes))
  const decode = (bytes: WireBytes) => torchrecPredict.decodeRequest(request(bytes)).item_ids[0]

  it.each([
    '',
    'a',
    'item_1',
    'x'.repeat(31),
    'x'.repeat(32),
    'x'.repeat(33),
    '商品',
    '商品'.repeat(20),
    '\ufeffa',
    '\ufffd',
    '🙂',
  ])('is read: %s', (text) => {
    expect(decode([...Buffer.from(text)])).toBe(text)
  })

  it.each([
    [[0xff]],
    [[0x61, 0xc3]],
    [[0xc0, 0x80]],
    [[0xed, 0xa0, 0x80]],
    [[0xf4, 0x90, 0x80, 0x80]],
    [[...Buffer.from('x'.repeat(40)), 0x80]],
    [[...Buffer.from('\ufffd'), 0x80]],
  ])('that is not UTF-8 is refused: %j', (bytes) => {
    expect(thrownBy(() => decode(bytes)).message).toBe('Cannot decode item_ids[0]: is not UTF-8')
    expect(torchrecPredict.isRequest(request(bytes))).toBe(false)
  })
})

it('takes a number in more bytes than it needs, as protobuf does', () => {
  const { debug_level } = torchrecPredict.decodeRequest(message([0x08, 0x81, 0x80, 0x80, 0x00]))
  expect(debug_level).toBe(1)
})

it('cuts an int32 to its lower 32 bits', () => {
  const { debug_level } = torchrecPredict.decodeRequest(message([0x08, ...varint(2n ** 40n + 5n)]))
  expect(debug_level).toBe(5)
})

it('ignores a field of another wire type than its own', () => {
  const request = message(textField(100, 'x'), varintField(1, 7), varintField(3, 7), varintField(100, 3))
  expect(torchPredict.decodeRequest(request)).toEqual({
    inputs: [],
    output_filter: [],
    map_inputs: new Map(),
    debug_level: 3,
  })
})

it('keeps the last of a repeated scalar', () => {
  expect(tfPredict.decodeRequest(message(textField(1, 'a'), textField(1, 'b'))).signature_name).toBe('b')
})
