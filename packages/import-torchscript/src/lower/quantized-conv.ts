import { dims, emit, scalar, type Value, vector } from '@eas/onnx'
import type { Call, Lower } from '../call.ts'
import { dequantise } from '../operator.ts'
import { type Py, PyList } from '../values.ts'
import {
  channelsLast,
  channelsSecond,
  isDense,
  isForFbgemm,
  numbersOf,
  productConv,
  rescaled,
  type Sums,
  wholeFloats,
} from './integer-layers.ts'
import { floatWeight, type PackedConv, packed, packedConv } from './packed-params.ts'
import { moved, namedQuant, numbers, requantised, wholeBias } from './quantized-tensors.ts'

/** Quantised convolutions. Torch: aten/src/ATen/native/quantized/cpu/qconv.cpp (2.4). */

export function prepackConv(rank: number, isTransposed = false): Lower {
  return (c) => {
    const ints = (name: string): Py => (c.has(name) ? new PyList(c.ints(name).map(BigInt)) : new PyList([]))
    return packed(`quantized.Conv${rank}dPackedParamsBase`, {
      weight: c.py('weight'),
      bias: c.py('bias'),
      stride: ints('stride'),
      padding: ints('padding'),
      dilation: ints('dilation'),
      output_padding: ints('output_padding'),
      groups: new PyList([BigInt(c.int('groups'))]),
      transposed: new PyList([isTransposed]),
    })
  }
}

/** A quantised convolution, after which a Relu may come, or the sum with another quantised tensor. */
export function conv(after?: 'Relu', adds = false): Lower {
  return (c) => {
    const layer = packedConv(c, c.has('packed_weight') ? 'packed_weight' : 'weight')
    const given = c.tensor('qx')
    // A one-dimensional layer is packed as a two-dimensional one of height 1.
    const isLine = c.name.includes('1d') && layer.weight.shape.length === 4
    const x = isLine ? moved(c, 'Unsqueeze', [given, vector([2])], given.shape.toSpliced(2, 0, 1)) : given
    const y = isForFbgemm(c, layer.weight) ? asFbgemm(c, x, layer, after, adds) : asQnnpack(c, x, layer, after, adds)
    return isLine ? moved(c, 'Squeeze', [y, vector([2])], y.shape.toSpliced(2, 1)) : y
  }
}

type Engine = (c: Call, x: Value, layer: PackedConv, after: 'Relu' | undefined, adds: boolean) => Value

/** All in integers, the bias too. */
const asQnnpack: Engine = (c, x, layer, after, adds) => {
  const bias = wholeBias(c, layer.bias, x, layer.weight)
  const y = windowed(c, dequantise(c.vm, x), { ...layer, weight: floatWeight(c, layer.weight), bias })
  return finished(c, y, after, adds)
}

const asFbgemm: Engine = (c, x, layer, after, adds) => {
  const rank = layer.stride.length
  const last = isDense(layer) ? productConv(c, x, layer) : floatConv(c, x, layer)
  if (adds) return finished(c, emit.transpose(c.g, numbersOf(c, last), channelsSecond(rank)), after, adds)
  const y = rescaled(c, last, namedQuant(c, 'qx', 'output_scale', 'output_zero_point'), x.dtype, after)
  const shape = channelsSecond(rank).map((axis) => y.shape[axis] ?? 1)
  return moved(c, 'Transpose', [y], shape, { perm: channelsSecond(rank) })
}

/**
 * A convolution of floats that are whole. They are made, and left, with channels last: as wide as ONNX Runtime takes them to
 * its own layout and back.
 */
function floatConv(c: Call, x: Value, layer: PackedConv): Sums {
  const rank = layer.stride.length
  const { step, weight, bias, ...whole } = wholeFloats(c, x, layer)
  const first = emit.transpose(c.g, whole.x, channelsSecond(rank))
  const y = windowed(c, first, { ...layer, weight, bias })
  // No sum is as great. Without it ONNX Runtime multiplies the weights by what comes next: they would be whole no longer.
  const bounded = emit.clip(c.g, y, scalar('float32', -(2 ** 31)), scalar('float32', 2 ** 31))
  return { step, sums: emit.transpose(c.g, bounded, channelsLast(rank)) }
}

function finished(c: Call, y: Value, after: 'Relu' | undefined, adds: boolean): Value {
  const sum = adds ? emit.binary(c.g, 'Add', y, numbers(c, 'qaccum')) : y
  return requantised(c, after ? emit.unary(c.g, after, sum) : sum, 'qx', 'output_scale', 'output_zero_point')
}

/** Conv or ConvTranspose of floats `[N, C, …]`. */
function windowed(c: Call, x: Value, layer: PackedConv): Value {
  const { weight, bias, groups, isTransposed, stride, padding, dilation, outputPadding } = layer
  const sizes = weight.shape.slice(2).map((d) => c.fixed(d))
  const attributes = {
    kernel_shape: sizes,
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
    output_padding: isTransposed && outputPadding.some((p) => p !== 0) ? outputPadding : undefined,
  }
  const spatial = sizes.map((k, i) => {
    const [size, s, p, d] = [x.shape[i + 2] ?? 1, stride[i] ?? 1, padding[i] ?? 0, dilation[i] ?? 1]
    const window = d * (k - 1) + 1
    if (isTransposed) return dims.add(dims.mul(dims.sub(size, 1), s), window - 2 * p + (outputPadding[i] ?? 0))
    return dims.add(dims.floorDiv(dims.add(size, 2 * p - window), s), 1)
  })
  const channels = isTransposed ? dims.mul(weight.shape[1] ?? 1, groups) : (weight.shape[0] ?? 1)
  const shape = [x.shape[0] ?? 1, channels, ...spatial]
  return c.g.one(isTransposed ? 'ConvTranspose' : 'Conv', [x, weight, bias], 'float32', shape, attributes)
}
