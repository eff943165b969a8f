import { join } from 'node:path'
import protobuf from 'protobufjs'
import { root } from './servers.ts'

/** The messages that are measured, made by protobufjs or by hand: never by the codec that is to read them. */

const protos = new protobuf.Root()
protos.resolvePath = (_origin, target) => join(root, 'proto', target)
protos.loadSync(['pytorch_predict.proto', 'torchrec_predict.proto'], { keepCase: true })

export const predictRequestType = protos.lookupType('pytorch.eas.PredictRequest')
export const pbRequestType = protos.lookupType('com.alibaba.pairec.processor.PBRequest')

const DT_FLOAT = 1
const DT_INT64 = 9

/** The same numbers in every run. xorshift32; Marsaglia, "Xorshift RNGs". */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

export function randomFloats(length: number, random: () => number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, () => random() * 2 - 1)
}

/** A request of one `float32` input. */
export function floatRequest(shape: readonly number[], values: Float32Array): Uint8Array {
  return joined([floatInput(shape, values, 0)])
}

/** The request of `slow.onnx`, which multiplies two matrices `count` times. */
export function slowRequest(count: number): Uint8Array {
  const inputs = [
    { dtype: DT_INT64, array_shape: { dim: [1] }, int64_val: [count] },
    { dtype: DT_FLOAT, array_shape: { dim: [1] }, float_val: [1] },
  ]
  return own(predictRequestType.encode(predictRequestType.create({ inputs })).finish())
}

/**
 * The request of a recommendation model in bypass mode, 10.1 MB: int64[300,3], float[300,10,768], float[300,768] and
 * int64[300], as in the examples of PAI's "TorchEasyRec processor" page.
 *
 * @param residue Where floats start in memory, modulo 4: 0 lets them be viewed in place.
 */
export function bypassRequest(residue: 0 | 1): Uint8Array {
  const random = randomNumbers(300)
  const parts = [int64Input([300, 3], random)]
  parts.push(floatInput([300, 10, 768], randomFloats(300 * 10 * 768, random), bytesOf(parts), residue))
  parts.push(floatInput([300, 768], randomFloats(300 * 768, random), bytesOf(parts), residue))
  parts.push(int64Input([300], random))
  return joined(parts)
}

/** Ids of up to 40 bits, as hashed ids are. */
function int64Input(dims: readonly number[], random: () => number): Uint8Array {
  const values = Array.from({ length: sizeOf(dims) }, () => varint(Math.floor(random() * 2 ** 40)))
  return field(1, head(DT_INT64, dims), field(7, ...values))
}

/** An input whose floats start `residue` bytes after a multiple of 4, thanks to an unknown field before them. */
function floatInput(dims: readonly number[], values: Float32Array, offset: number, residue?: number): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  for (let padding = 0; padding < 4; padding++) {
    const unknown = residue === undefined ? none : field(15, new Uint8Array(padding))
    const input = field(1, head(DT_FLOAT, dims), unknown, field(3, bytes))
    if (residue === undefined || (offset + input.length - bytes.length) % 4 === residue) return input
  }
  throw new Error('Four paddings give four residues')
}

const none = new Uint8Array()
const head = (dtype: number, dims: readonly number[]) =>
  joined([new Uint8Array([0x08, dtype]), field(2, field(1, ...dims.map(varint)))])

function field(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return joined([new Uint8Array([(number << 3) | 2]), varint(bytesOf(parts)), ...parts])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

const sizeOf = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1)
const bytesOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0)

/** Alone in memory of its exact size, as a body is. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(bytesOf(parts))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const own = (bytes: Uint8Array) => joined([bytes])

/**
 * A ranking request, 260 KB: 1,000 item ids, 200 user features of ten kinds, and for each item a value of 24 item
 * features and of two context features.
 */
export function rankingRequest(): Uint8Array {
  const random = randomNumbers(1000)
  const whole = (max: number) => Math.floor(random() * max)
  const word = () => whole(36 ** 10).toString(36)
  const several = <T>(count: number, make: () => T) => Array.from({ length: count }, make)

  const userKinds: readonly (() => object)[] = [
    () => ({ int_feature: whole(100) }),
    () => ({ long_feature: whole(2 ** 40) }),
    () => ({ string_feature: word() }),
    () => ({ float_feature: random() }),
    () => ({ double_feature: random() }),
    () => ({ int_list: { features: several(10, () => whole(1000)) } }),
    () => ({ long_list: { features: several(10, () => whole(2 ** 40)) } }),
    () => ({ string_list: { features: several(5, word) } }),
    () => ({ float_list: { features: several(10, random) } }),
    () => ({ string_float_map: { map_field: Object.fromEntries(several(5, () => [word(), random()])) } }),
  ]
  const itemKinds: readonly (() => object)[] = [
    () => ({ int_feature: whole(10 ** 7) }),
    () => ({ float_feature: random() }),
    () => ({ string_feature: word() }),
  ]
  const named = <T>(prefix: string, count: number, make: (index: number) => T) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}_${i}`, make(i)]))
  const perItem = (i: number) => ({ features: several(1000, () => itemKinds[i % itemKinds.length]?.()) })

  const request = pbRequestType.create({
    user_features: named('user', 200, (i) => userKinds[i % userKinds.length]?.()),
    item_ids: several(1000, () => String(whole(10 ** 9))),
    item_features: named('item', 24, perItem),
    context_features: named('context', 2, perItem),
  })
  return own(pbRequestType.encode(request).finish())
}
