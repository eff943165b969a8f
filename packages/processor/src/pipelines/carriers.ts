import { type DType, EasError, fromBfloat16, fromHalf, type Tensor, toBfloat16, toHalf } from '@eas/base'

/**
 * Messages that have no field for a dtype carry it as another one. A row says which, and how its elements convert there
 * (`widen`, for outputs) and back (`narrow`, for inputs). `@see` eas-wire 6.5, "Output tensors".
 */
interface Carrier {
  readonly as: DType
  readonly widen: (tensor: Tensor) => Tensor
  readonly narrow: (tensor: Tensor, name: string) => Tensor
}
export type CarrierTable = { readonly [D in DType]?: Carrier }

const asFloat = (
  dtype: 'float16' | 'bfloat16',
  from: (bits: number) => number,
  to: (value: number) => number,
): Carrier => ({
  as: 'float32',
  widen: ({ shape, data }) => ({ dtype: 'float32', shape, data: Float32Array.from(data as Uint16Array, from) }), // row's dtype
  narrow: ({ shape, data }) => ({ dtype, shape, data: Uint16Array.from(data as Float32Array, to) }), // `as` above
})
const halfAsFloat = asFloat('float16', fromHalf, toHalf)
const bfloat16AsFloat = asFloat('bfloat16', fromBfloat16, toBfloat16)

const uint32AsInt64: Carrier = {
  as: 'int64',
  widen: ({ shape, data }) => ({ dtype: 'int64', shape, data: BigInt64Array.from(data as Uint32Array, BigInt) }), // row's dtype
  narrow: ({ shape, data }, name) => ({
    dtype: 'uint32',
    shape,
    data: Uint32Array.from(data as BigInt64Array, (value, i) => {
      if (value < 0n || value > 0xffffffffn) throw outOfRange(name, i, value, 'uint32')
      return Number(value)
    }),
  }),
}

const uint64AsInt64: Carrier = {
  as: 'int64',
  // Same bits: ids above 2^63 come out negative, as they do in every EAS client, which has no unsigned 64-bit field.
  widen: ({ shape, data }) => ({ dtype: 'int64', shape, data: sameBits(BigInt64Array, data as BigUint64Array) }),
  narrow: ({ shape, data }) => ({ dtype: 'uint64', shape, data: sameBits(BigUint64Array, data as BigInt64Array) }),
}

const sameBits = <A>(
  array: new (buffer: ArrayBufferLike, offset: number, length: number) => A,
  from: BigInt64Array | BigUint64Array,
) => new array(from.buffer, from.byteOffset, from.length)

/** `pytorch.eas` has no `bool_val`, and no client reads its half, bool or unsigned outputs. */
export const torchCarriers: CarrierTable = {
  float16: halfAsFloat,
  bfloat16: bfloat16AsFloat,
  bool: {
    as: 'uint8',
    widen: ({ shape, data }) => ({ dtype: 'uint8', shape, data: data as Uint8Array }), // already 0 or 1
    narrow: ({ shape, data }) => ({ dtype: 'bool', shape, data: (data as Uint8Array).map((value) => (value ? 1 : 0)) }),
  },
  uint16: {
    as: 'int32',
    widen: ({ shape, data }) => ({ dtype: 'int32', shape, data: Int32Array.from(data as Uint16Array) }),
    narrow: ({ shape, data }, name) => ({
      dtype: 'uint16',
      shape,
      data: Uint16Array.from(data as Int32Array, (value, i) => {
        if (value < 0 || value > 0xffff) throw outOfRange(name, i, value, 'uint16')
        return value
      }),
    }),
  },
  uint32: uint32AsInt64,
  uint64: uint64AsInt64,
}

/** The TensorFlow message has bool and the 16-bit integers; clients build halves as floats. */
export const tfCarriers: CarrierTable = {
  float16: halfAsFloat,
  bfloat16: bfloat16AsFloat,
  uint32: uint32AsInt64,
  uint64: uint64AsInt64,
}

/**
 * TorchScript takes whole numbers of either length, and floats, where an ONNX graph declares one: what a client of the
 * TorchEasyRec processor sends is cast to it.
 */
export const castCarriers: CarrierTable = {
  ...torchCarriers,
  int32: {
    as: 'int64',
    widen: (tensor) => tensor,
    narrow: ({ shape, data }, name) => ({
      dtype: 'int32',
      shape,
      data: Int32Array.from(data as BigInt64Array, (value, i) => {
        if (BigInt.asIntN(32, value) !== value) throw outOfRange(name, i, value, 'int32')
        return Number(value)
      }),
    }),
  },
  int64: {
    as: 'int32',
    widen: (tensor) => tensor,
    narrow: ({ shape, data }) => ({ dtype: 'int64', shape, data: BigInt64Array.from(data as Int32Array, BigInt) }), // `as` above
  },
  float32: {
    as: 'float64',
    widen: (tensor) => tensor,
    narrow: ({ shape, data }) => ({ dtype: 'float32', shape, data: Float32Array.from(data as Float64Array) }), // `as` above
  },
  float64: {
    as: 'float32',
    widen: (tensor) => tensor,
    narrow: ({ shape, data }) => ({ dtype: 'float64', shape, data: Float64Array.from(data as Float32Array) }), // `as` above
  },
}

const outOfRange = (name: string, index: number, value: number | bigint, dtype: DType) =>
  new EasError('invalid_request', `Cannot use ${name}: element ${index} is ${value}, outside of ${dtype}`)

/** An output as a message without its dtype can carry it. */
export function widen(tensor: Tensor, carriers: CarrierTable): Tensor {
  return carriers[tensor.dtype]?.widen(tensor) ?? tensor
}
