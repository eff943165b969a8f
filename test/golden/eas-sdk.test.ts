import { limits } from '@eas/base'
import {
  type Compressor,
  compressors,
  DecodeError,
  decompress,
  easyrecPredict,
  tfPredict,
  torchPredict,
  torchrecPredict,
} from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import { easSdkBytes, easSdkCoverage, easSdkNames, easSdkNotSupported, easSdkVectors } from '../support/golden.ts'
import {
  tfRequestOf,
  tfResponseOf,
  torchRequestOf,
  torchResponseOf,
  torchrecRequestOf,
  torchrecResponseOf,
} from '../support/protobuf-json.ts'

/** Each message with the reading of its JSON, under one type: `expect` compares what comes out. */
const row = <M>(
  decode: (bytes: Uint8Array) => M,
  encode: (message: M) => Uint8Array,
  expected: (json: unknown) => M,
  isRequest: (bytes: Uint8Array) => boolean,
) => ({ decode, roundTrip: (bytes: Uint8Array) => decode(encode(decode(bytes))), expected, isRequest })

const codecs = {
  request: {
    torch: row(torchPredict.decodeRequest, torchPredict.encodeRequest, torchRequestOf, torchPredict.isRequest),
    tf: row(tfPredict.decodeRequest, tfPredict.encodeRequest, tfRequestOf, tfPredict.isRequest),
    torchrec: row(
      torchrecPredict.decodeRequest,
      torchrecPredict.encodeRequest,
      torchrecRequestOf,
      torchrecPredict.isRequest,
    ),
    easyrec: row(
      easyrecPredict.decodeRequest,
      easyrecPredict.encodeRequest,
      torchrecRequestOf,
      easyrecPredict.isRequest,
    ),
  },
  response: {
    torch: row(torchPredict.decodeResponse, torchPredict.encodeResponse, torchResponseOf, () => true),
    tf: row(tfPredict.decodeResponse, tfPredict.encodeResponse, tfResponseOf, () => true),
    torchrec: row(torchrecPredict.decodeResponse, torchrecPredict.encodeResponse, torchrecResponseOf, () => true),
  },
}

const inflate = (body: Uint8Array, compressor = '') =>
  isCompressor(compressor) ? decompress(compressor, body, limits.inflatedBytes) : body
const isCompressor = (name: string): name is Compressor => name in compressors

const bodies = easSdkVectors('predict-body').flatMap(({ name, direction, body, record, coverage }) => {
  if (coverage.covers !== 'predict-body') return []
  const { message, compressor, error } = coverage
  const codec = direction === 'request' ? codecs.request[message] : message !== 'easyrec' && codecs.response[message]
  if (!codec) throw new Error(`${name} has no codec`)
  const bytes = inflate(body, compressor)
  return [{ name, bytes, codec, decoded: record.decoded, error }]
})

describe.each(bodies.filter(({ error }) => !error))('$name', ({ bytes, codec, decoded }) => {
  it('decodes to what the client was asked to send', () => {
    expect(codec.decode(bytes)).toEqual(codec.expected(decoded))
  })

  it('survives a round trip', () => {
    expect(codec.roundTrip(bytes)).toEqual(codec.expected(decoded))
  })

  it('decodes alike wherever it lies in memory', () => {
    for (let offset = 0; offset < 8; offset++) {
      const moved = new Uint8Array(bytes.length + offset).subarray(offset)
      moved.set(bytes)
      expect(codec.decode(moved)).toEqual(codec.expected(decoded))
    }
  })

  it('is recognised for what it is', () => {
    expect(codec.isRequest(bytes)).toBe(true)
  })

  it('fails as a DecodeError wherever it is cut, or not at all', () => {
    for (let end = 0; end < bytes.length; end++) {
      try {
        codec.decode(bytes.subarray(0, end))
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
  })
})

it.each(bodies.filter(({ error }) => error))('$name is refused: $error', ({ bytes, codec, error }) => {
  expect(() => codec.decode(bytes)).toThrow(expect.objectContaining({ status: 400, message: error }))
  expect(codec.isRequest(bytes)).toBe(true)
})

it('finds in py_torch_snappy the body that the client compressed', () => {
  const body = decompress('snappy', easSdkBytes('py_torch_snappy.bin'), limits.inflatedBytes)
  expect(body).toEqual(easSdkBytes('py_torch_snappy.uncompressed.bin'))
})

it('every vector is for something or not supported for a reason', () => {
  const covered = [...easSdkCoverage().keys()]
  const notSupported = [...easSdkNotSupported().keys()]
  expect([...covered, ...notSupported].toSorted()).toEqual(easSdkNames().toSorted())
})
