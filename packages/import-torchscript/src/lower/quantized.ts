import { dims, type ElementType, emit, type Quant, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { dequantise, quantise } from '../operator.ts'
import { TensorRef } from '../tensor-ref.ts'
import { PyTuple } from '../values.ts'
import { bagged } from './embedding.ts'
import { integerLinear, isForFbgemm, isOfQnnpack, numbersOf, rescaled } from './integer-layers.ts'
import { groupNormOf, layerNormOf } from './nn.ts'
import {
  floatWeight,
  type PackedCell,
  type PackedLinear,
  packed,
  packedCells,
  packedEmbedding,
  packedLinear,
  plain,
} from './packed-params.ts'
import { maxPooled, maxPooledLast } from './pool.ts'
import { conv, prepackConv } from './quantized-conv.ts'
import { runQuantisedLayers } from './quantized-recurrent.ts'
import { quantisedSum, roundHalfEven } from './quantized-sum.ts'
import {
  centred,
  moved,
  namedQuant,
  numbers,
  quantisedOnce,
  requantised,
  roundedSteps,
  wholeBias,
} from './quantized-tensors.ts'
import { type Affine, gruCell, type LayerWeights, lstmCell, rnnCell } from './recurrent.ts'
import { runLayers } from './rnn.ts'

/**
 * Quantised layers and tensors. What has no file of its own is a pair of DequantizeLinear and QuantizeLinear around the same
 * operator on floats: ONNX Runtime makes its integer kernels of them. Torch: aten/src/ATen/native/quantized (2.4).
 */
export const quantizedOps: OpTable = {
  quantize_per_tensor: (c) => {
    const dtype = c.dtype('dtype') ?? 'uint8'
    const number = (name: string) => emit.reshape(c.g, c.operand(name).value, [])
    const quant = {
      scale: emit.cast(c.g, number('scale'), 'float32'),
      zeroPoint: emit.cast(c.g, number('zero_point'), dtype),
    }
    return quantisedOnce(c, emit.cast(c.g, c.tensor('self'), 'float32'), quant, dtype)
  },
  quantize_per_channel: (c) => {
    const dtype = c.dtype('dtype') ?? 'int8'
    const quant = { scale: c.tensor('scales'), zeroPoint: c.tensor('zero_points'), axis: c.int('axis') }
    return quantise(c.vm, emit.cast(c.g, c.tensor('self'), 'float32'), quant, dtype)
  },
  quantize_per_tensor_dynamic: (c) => {
    const x = c.tensor('self')
    const { scale, zeroPoint } = dynamicRange(c, x, c.bool('reduce_range') ? 127 : 255)
    return quantise(c.vm, x, { scale, zeroPoint }, 'uint8')
  },
  dequantize: (c) => {
    if (!c.has('self') && !c.has('qtensor')) {
      return c.tensors(c.has('tensors') ? 'tensors' : 'qtensors').map((x) => dequantise(c.vm, x))
    }
    return dequantise(c.vm, c.tensor(c.has('self') ? 'self' : 'qtensor'))
  },
  int_repr: (c) => {
    const x = c.tensor('self')
    return c.g.one('Identity', [plain(x)], x.dtype, x.shape)
  },
  q_scale: (c) => known(c, quantOf(c).scale),
  q_zero_point: (c) => BigInt(known(c, quantOf(c).zeroPoint)),
  q_per_channel_scales: (c) => quantOf(c).scale,
  q_per_channel_zero_points: (c) => quantOf(c).zeroPoint,

  'quantized::conv_prepack': prepackConv(2),
  'quantized::conv1d_prepack': prepackConv(1),
  'quantized::conv2d_prepack': prepackConv(2),
  'quantized::conv3d_prepack': prepackConv(3),
  'quantized::conv_transpose1d_prepack': prepackConv(1, true),
  'quantized::conv_transpose2d_prepack': prepackConv(2, true),
  'quantized::conv_transpose3d_prepack': prepackConv(3, true),
  'quantized::linear_prepack': (c) =>
    packed('quantized.LinearPackedParamsBase', { weight: c.py('W'), bias: c.py('B') }),
  'quantized::linear_prepack_fp16': (c) => {
    const half = emit.cast(c.g, emit.cast(c.g, c.tensor('W'), 'float16'), 'float32')
    return packed('quantized.LinearPackedParamsBase', { weight: new TensorRef(half), bias: c.py('B') })
  },
  'quantized::embedding_bag_prepack': (c) => packed('quantized.EmbeddingPackedParamsBase', { weight: c.py('weight') }),
  'quantized::make_quantized_cell_params_dynamic': (c) =>
    packed('rnn.CellParamsBase', {
      w_ih: c.py('w_ih'),
      w_hh: c.py('w_hh'),
      b_ih: c.py('bias_ih'),
      b_hh: c.py('bias_hh'),
    }),
  'quantized::make_quantized_cell_params_fp16': (c) =>
    packed('rnn.CellParamsBase', { w_ih: c.py('w_ih'), w_hh: c.py('w_hh') }),

  'quantized::conv1d': conv(),
  'quantized::conv1d_relu': conv('Relu'),
  'quantized::conv2d': conv(),
  'quantized::conv2d_relu': conv('Relu'),
  'quantized::conv3d': conv(),
  'quantized::conv3d_relu': conv('Relu'),
  'quantized::conv_transpose1d': conv(),
  'quantized::conv_transpose2d': conv(),
  'quantized::conv_transpose3d': conv(),
  'quantized::conv2d_add': conv(undefined, true),
  'quantized::conv2d_add_relu': conv('Relu', true),
  'quantized::linear': linear(),
  'quantized::fbgemm_linear': linear(),
  'quantized::linear_relu': linear('Relu'),
  'quantized::linear_tanh': linear((c, y) => emit.unary(c.g, 'Tanh', y)),
  'quantized::linear_leaky_relu': linear((c, y) =>
    emit.unary(c.g, 'LeakyRelu', y, { alpha: asFloat(c.float('negative_slope')) }),
  ),
  'quantized::linear_dynamic': (c) => dynamicLinear(c),
  'quantized::linear_relu_dynamic': (c) => emit.unary(c.g, 'Relu', dynamicLinear(c)),
  'quantized::linear_dynamic_fp16': (c) => floatLinear(c),
  'quantized::linear_relu_dynamic_fp16': (c) => emit.unary(c.g, 'Relu', floatLinear(c)),

  'quantized::add': pair('Add'),
  'quantized::add_relu': pair('Add', true),
  'quantized::mul': pair('Mul'),
  'quantized::mul_relu': pair('Mul', true),
  'quantized::add_scalar': (c) => addNumber(c, c.tensor('qa'), c.float('b'), false),
  'quantized::add_scalar_relu': (c) => addNumber(c, c.tensor('qa'), c.float('b'), true),
  'quantized::mul_scalar': (c) => timesNumber(c, c.tensor('qa'), c.float('b'), false),
  'quantized::mul_scalar_relu': (c) => timesNumber(c, c.tensor('qa'), c.float('b'), true),
  'quantized::matmul': (c) =>
    requantised(c, emit.matmul(c.g, numbers(c, 'qa'), numbers(c, 'qb')), 'qa', 'scale', 'zero_point'),
  'quantized::batch_norm': batchNorm(),
  'quantized::batch_norm1d': batchNorm(),
  'quantized::batch_norm2d': batchNorm(),
  'quantized::batch_norm3d': batchNorm(),
  'quantized::batch_norm_relu': batchNorm(true),
  'quantized::batch_norm1d_relu': batchNorm(true),
  'quantized::batch_norm2d_relu': batchNorm(true),
  'quantized::batch_norm3d_relu': batchNorm(true),
  'quantized::cat': concat(false),
  'quantized::cat_relu': concat(true),

  'quantized::max_pool1d': (c) => sameScale(c, 'qx', (x) => maxPooled(c, x, 1)),
  'quantized::max_pool2d': maxPool2d('qx'),
  'quantized::threshold': (c) =>
    sameScale(c, 'qx', (x) => {
      const number = (name: string) => scalar('float32', Math.fround(c.float(name)))
      return emit.where(c.g, emit.compare(c.g, 'Greater', x, number('threshold')), x, number('value'))
    }),
  'quantized::layer_norm': normalised((c, x, weight, bias) =>
    layerNormOf(c, x, c.dims('normalized_shape'), weight, bias, c.float('eps')),
  ),
  'quantized::group_norm': normalised((c, x, weight, bias) => groupNormOf(c, x, c.int('num_groups'), weight, bias)),
  'quantized::instance_norm': normalised((c, x, weight, bias) =>
    groupNormOf(c, x, c.fixed(x.shape[1] ?? 1), weight, bias),
  ),
  'quantized::prelu': (c) => {
    const [x, given] = [numbers(c, 'qx'), numbers(c, 'weight')]
    const count = dims.product(given.shape)
    const slope = emit.reshape(c.g, given, count === 1 ? [1] : [count, ...x.shape.slice(2).map(() => 1)])
    const y = c.g.one('PRelu', [x, slope], 'float32', x.shape)
    return requantised(c, y, 'qx', 'output_scale', 'output_zero_point')
  },

  'quantized::dropout': (c) => c.py('self'),
  'quantized::hardswish': activation('input', 'HardSwish'),
  'quantized::sigmoid': activation('qx', 'Sigmoid'),
  'quantized::elu': activation('self', 'Elu', (c) => ({ alpha: asFloat(c.float('alpha')) })),
  'quantized::celu': activation('self', 'Celu', (c) => ({ alpha: asFloat(c.float('alpha')) })),
  'quantized::leaky_relu': activation('qx', 'LeakyRelu', (c) => ({ alpha: asFloat(c.float('negative_slope')) })),
  'quantized::softmax': activation('qx', 'Softmax', (c) => ({ axis: c.axis('dim', c.tensor('qx').shape.length) })),
  'quantized::relu6': (c) => sameScale(c, 'qx', (x) => emit.clip(c.g, x, scalar('float32', 0), scalar('float32', 6))),
  'quantized::clamp': (c) =>
    sameScale(c, 'qx', (x) => {
      const [low, high] = [c.optionalFloat('min'), c.optionalFloat('max')]
      const bound = (v: number | undefined) => (v === undefined ? undefined : scalar('float32', v))
      return emit.clip(c.g, x, bound(low), bound(high))
    }),

  'quantized::embedding_byte': (c) =>
    byteRows(c, packedEmbedding(c, 'weight'), emit.strictIndex(c.g, c.tensor('indices'))),
  'quantized::embedding_bag_byte': (c) => {
    if (c.bool('pruned_weights') || c.optionalTensor('compressed_indices_mapping'))
      throw refuse('quantized::embedding_bag_byte of a pruned table', '', 'Quantise the table without pruning it')
    const table = packedEmbedding(c, 'weight')
    const [rows = 1] = table.shape
    return bagged(c, { rows, dtype: 'float32', look: (at) => byteRows(c, table, at) }, 'sum')
  },

  quantized_lstm: recurrentLayers('lstm'),
  quantized_gru: recurrentLayers('gru'),
  'quantized::quantized_lstm_cell_dynamic': (c) => {
    const [h, cell] = c.tensors('hx')
    if (!h || !cell) throw refuse(`${c.name} without its two states`)
    const state = lstmCell(c.g, c.tensor('input'), { h, c: cell }, cellWeights(c), inCell(c))
    return new PyTuple([new TensorRef(state.h), new TensorRef(state.c)])
  },
  'quantized::quantized_gru_cell_dynamic': (c) =>
    gruCell(c.g, c.tensor('input'), c.tensor('hx'), cellWeights(c), inCell(c)),
  'quantized::quantized_rnn_tanh_cell_dynamic': (c) =>
    rnnCell(c.g, c.tensor('input'), c.tensor('hx'), cellWeights(c), 'Tanh', inCell(c)),
  'quantized::quantized_rnn_relu_cell_dynamic': (c) =>
    rnnCell(c.g, c.tensor('input'), c.tensor('hx'), cellWeights(c), 'Relu', inCell(c)),
}

/** Operators of floats that have a lowering of their own for quantised operands; null where it does not apply. */
export const quantisedTakers: OpTable = { max_pool2d: maxPool2d('self'), mean: spatialMean }

/** How an operator of floats computes with quantised tensors: what it is given for one, and what its result becomes. */
export interface Passage {
  floats(c: Call, x: Value): Value
  integers(c: Call, y: Value, quant: Quant, dtype: ElementType): Value
}

const asNumbers: Passage = {
  floats: (c, x) => dequantise(c.vm, x),
  integers: (c, y, quant, dtype) => quantise(c.vm, y, quant, dtype),
}
/** A mean of integers is rounded as they are; their scale has no part in it. See quantized/cpu/kernels/QuantizedOpKernels.cpp. */
const asDistances: Passage = {
  floats: centred,
  integers: (c, y, quant, dtype) =>
    roundedSteps(c.g, emit.binary(c.g, 'Add', y, emit.cast(c.g, quant.zeroPoint, 'float32')), quant, dtype),
}
const asTensors: Passage = { ...asNumbers, integers: quantisedOnce }

/** Of fbgemm's models; qnnpack rounds what is left of the zero point. */
const passages: { readonly [name: string]: Passage } = {
  mean: asTensors,
  avg_pool1d: asDistances,
  avg_pool2d: asDistances,
  avg_pool3d: asDistances,
  adaptive_avg_pool1d: asDistances,
  adaptive_avg_pool2d: asDistances,
  adaptive_avg_pool3d: asDistances,
  _adaptive_avg_pool2d: asDistances,
  _adaptive_avg_pool3d: asDistances,
}

export const passageOf = ({ vm, name }: Call): Passage => (isOfQnnpack(vm) ? undefined : passages[name]) ?? asNumbers

/** The mean of each channel, whose numbers torch adds one by one where channels are last, as quantised layers leave them. */
function spatialMean(c: Call): Value | null {
  const x = c.tensor('self')
  const axes = c.has('dim') && x.shape.length === 4 ? c.axes('dim', 4) : []
  if (!x.quant || isOfQnnpack(c.vm) || `${axes.toSorted()}` !== '2,3') return null
  const last = emit.transpose(c.g, dequantise(c.vm, x), [0, 2, 3, 1])
  const [n = 1, , , channels = 1] = last.shape
  const mean = emit.reduce(c.g, 'ReduceMean', last, [1, 2])
  const y = c.bool('keepdim') ? emit.reshape(c.g, mean, [n, channels, 1, 1]) : mean
  return quantisedOnce(c, y, x.quant, x.dtype)
}

function maxPool2d(name: string): Lower {
  return (c) => {
    const x = c.tensor(name)
    if (x.shape.length !== 4 || (x.dtype !== 'uint8' && x.dtype !== 'int8'))
      return sameScale(c, name, (floats) => maxPooled(c, floats, 2))
    const y = maxPooledLast(c, x)
    const [n = 1, height = 1, width = 1, channels = 1] = y.shape
    return moved(c, 'Transpose', [y], [n, channels, height, width], { perm: [0, 3, 1, 2] }, x.quant)
  }
}

/** Rows of a table of bytes that has a scale and a zero point per row, both float. */
function byteRows({ g }: Call, table: Value, at: Value): Value {
  if (!table.quant) throw refuse('a quantised embedding without scales')
  const rows = (x: Value) => emit.cast(g, emit.gather(g, x, at, 0), 'float32')
  const column = (x: Value) => emit.unsqueeze(g, rows(x), [at.shape.length])
  const centred = emit.binary(g, 'Sub', rows(plain(table)), column(table.quant.zeroPoint))
  return emit.binary(g, 'Mul', centred, column(table.quant.scale))
}

/** A normalisation of the numbers, quantised anew. */
function normalised(compute: (c: Call, x: Value, weight: Value | undefined, bias: Value | undefined) => Value): Lower {
  return (c) => {
    const y = compute(c, numbers(c, 'input'), c.optionalTensor('weight'), c.optionalTensor('bias'))
    return requantised(c, y, 'input', 'output_scale', 'output_zero_point')
  }
}

const asFloat = (float: number) => ({ float })

function quantOf(c: Call): NonNullable<Value['quant']> {
  const { quant } = c.tensor('self')
  if (!quant) throw refuse(`${c.name} of a tensor that is not quantised`)
  return quant
}

function known(c: Call, x: Value): number {
  const [value] = x.elements ?? c.vm.archive.numbers(x) ?? []
  if (typeof value !== 'number') throw refuse(`${c.name} of a scale that only a run knows`)
  return value
}

function sameScale(c: Call, name: string, compute: (x: Value) => Value): Value {
  const x = c.tensor(name)
  return x.quant ? quantise(c.vm, compute(dequantise(c.vm, x)), x.quant, x.dtype) : compute(x)
}

function activation(
  name: string,
  op: string,
  attributes: (c: Call) => Parameters<typeof emit.unary>[3] = () => ({}),
): Lower {
  return (c) =>
    requantised(c, emit.unary(c.g, op, numbers(c, name), attributes(c)), name, 'output_scale', 'output_zero_point')
}

function linear(after?: 'Relu' | ((c: Call, y: Value) => Value)): Lower {
  return (c) => {
    const layer = packedLinear(c, 'W_prepack')
    const x = c.tensor('X')
    const product = isForFbgemm(c, layer.weight) ? integerLinear(c, x, layer) : undefined
    if (product && typeof after !== 'function')
      return rescaled(c, product, namedQuant(c, 'X', 'Y_scale_i', 'Y_zero_point_i'), x.dtype, after)
    const y = product ? numbersOf(c, product) : stepwiseLinear(c, layer)
    const done = after === 'Relu' ? emit.unary(c.g, 'Relu', y) : (after?.(c, y) ?? y)
    return requantised(c, done, 'X', 'Y_scale_i', 'Y_zero_point_i')
  }
}

/** As qnnpack computes: all in integers, the bias too. */
function stepwiseLinear(c: Call, { weight, bias }: PackedLinear): Value {
  const x = c.tensor('X')
  return affine(c, dequantise(c.vm, x), floatWeight(c, weight), wholeBias(c, bias, x, weight))
}

/** `x @ w.T + bias`. Flat inputs go through Gemm, which has an integer kernel. */
function affine(c: Call, x: Value, w: Value, bias: Value | undefined): Value {
  const outputs = w.shape[0] ?? 1
  if (x.shape.length === 2) return c.g.one('Gemm', [x, w, bias], 'float32', [x.shape[0] ?? 1, outputs], { transB: 1 })
  const product = emit.matmul(c.g, x, emit.transpose(c.g, w, [1, 0]))
  return bias ? emit.binary(c.g, 'Add', product, bias) : product
}

const floatLinear = (c: Call): Value => {
  const { weight, bias } = packedLinear(c, 'W_prepack')
  return affine(c, c.tensor('X'), floatWeight(c, weight), bias)
}

/** Scale and zero point that spread `0 … most` over what the tensor holds, as fbgemm's ChooseQuantizationParams does. */
function dynamicRange(c: Call, x: Value, most: number): { scale: Value; zeroPoint: Value } {
  const zero = scalar('float32', 0)
  const axes = emit.allAxes(x)
  const low = emit.binary(c.g, 'Min', emit.reduce(c.g, 'ReduceMin', x, axes), zero)
  const high = emit.binary(c.g, 'Max', emit.reduce(c.g, 'ReduceMax', x, axes), zero)
  const span = emit.binary(c.g, 'Div', emit.binary(c.g, 'Sub', high, low), scalar('float32', most))
  // All zeros: any scale will do, but none can be zero.
  const scale = emit.binary(c.g, 'Max', span, scalar('float32', 1e-10))
  const place = emit.unary(c.g, 'Round', emit.unary(c.g, 'Neg', emit.binary(c.g, 'Div', low, scale)))
  return { scale, zeroPoint: emit.cast(c.g, emit.clip(c.g, place, zero, scalar('float32', most)), 'uint8') }
}

/** Cells quantise what they multiply to seven bits, before torch 1.6 (version 3) to eight. @see aten/src/ATen/native/RNN.cpp, `reduce_range` */
const inCell =
  (c: Call): Affine =>
  (_, x, weight, bias) =>
    dynamicProduct(c, x, { weight, bias }, c.vm.archive.version < 3 ? 255 : 127)

const dynamicLinear = (c: Call): Value =>
  dynamicProduct(
    c,
    c.tensor('X'),
    packedLinear(c, 'W_prepack'),
    c.has('reduce_range') && c.bool('reduce_range') ? 127 : 255,
  )

/** Input quantised by its own range at each run, integers multiplied, and the sums scaled back. */
function dynamicProduct(c: Call, x: Value, { weight, bias }: PackedLinear, most: number): Value {
  if (!weight.quant) return affine(c, x, weight, bias)
  const { scale, zeroPoint } = dynamicRange(c, x, most)
  const integers = quantise(c.vm, x, { scale, zeroPoint }, 'uint8')
  const columns = emit.transpose(c.g, plain(weight), [1, 0])
  const shape = [...x.shape.slice(0, -1), weight.shape[0] ?? 1]
  const weightZero = emit.cast(c.g, weight.quant.zeroPoint, weight.dtype)
  const sums = c.g.one('MatMulInteger', [plain(integers), columns, zeroPoint, weightZero], 'int32', shape)
  const step = emit.binary(c.g, 'Mul', emit.cast(c.g, weight.quant.scale, 'float32'), scale)
  const y = emit.binary(c.g, 'Mul', emit.cast(c.g, sums, 'float32'), step)
  return bias ? emit.binary(c.g, 'Add', y, bias) : y
}

function pair(op: string, relu = false): Lower {
  return (c) => {
    if (c.overload.startsWith('Scalar')) {
      return op === 'Add'
        ? addNumber(c, c.tensor('qa'), c.float('b'), relu)
        : timesNumber(c, c.tensor('qa'), c.float('b'), relu)
    }
    if (op === 'Add') {
      const quant = namedQuant(c, 'qa', 'scale', 'zero_point')
      const sum = isOfQnnpack(c.vm) ? undefined : quantisedSum(c, c.tensor('qa'), c.tensor('qb'), quant, relu)
      if (sum) return sum
    }
    const y = emit.binary(c.g, op, numbers(c, 'qa'), numbers(c, 'qb'))
    return requantised(c, relu ? emit.unary(c.g, 'Relu', y) : y, 'qa', 'scale', 'zero_point')
  }
}

function concat(relu: boolean): Lower {
  return (c) => {
    const all = c.tensors('qx')
    const [first] = all
    if (!first?.quant) throw refuse(`${c.name} of tensors that are not quantised`)
    const y = emit.concat(
      c.g,
      all.map((x) => dequantise(c.vm, x)),
      c.axis('dim', first.shape.length),
    )
    const scale = c.optionalFloat('scale')
    const quant =
      scale === undefined
        ? first.quant
        : {
            scale: scalar('float32', Math.fround(scale)),
            zeroPoint: scalar(first.dtype, c.optionalInt('zero_point') ?? 0),
          }
    return quantise(c.vm, relu ? emit.unary(c.g, 'Relu', y) : y, quant, first.dtype)
  }
}

function batchNorm(relu = false): Lower {
  return (c) => {
    const x = numbers(c, 'qx')
    const channel = (name: string, otherwise: number) =>
      c.optionalTensor(name) ?? emit.full(c.g, [x.shape[1] ?? 1], scalar('float32', otherwise))
    const inputs = [x, channel('weight', 1), channel('bias', 0), channel('mean', 0), channel('var', 1)]
    const y = c.g.one('BatchNormalization', inputs, 'float32', x.shape, { epsilon: { float: c.float('eps') } })
    return requantised(c, relu ? emit.unary(c.g, 'Relu', y) : y, 'qx', 'output_scale', 'output_zero_point')
  }
}

/**
 * Functions whose results have the same scale whatever their operand's: it covers their range.
 * @see aten/src/ATen/native/quantized/cpu/{qsigmoid,qtanh,qhardsigmoid}.cpp
 */
const fixedScales: Readonly<Record<string, { readonly scale: number; readonly uint8: number; readonly int8: number }>> =
  {
    sigmoid: { scale: 1 / 256, uint8: 0, int8: -128 },
    hardsigmoid: { scale: 1 / 256, uint8: 0, int8: -128 },
    tanh: { scale: 1 / 128, uint8: 128, int8: 0 },
  }

/** How the result of an operator on a quantised tensor is quantised, when not like the operand. */
export function fixedQuant(name: string, dtype: ElementType): Value['quant'] {
  const fixed = fixedScales[name]
  if (!fixed || (dtype !== 'uint8' && dtype !== 'int8')) return undefined
  return { scale: scalar('float32', fixed.scale), zeroPoint: scalar(dtype, fixed[dtype]) }
}

const limits = { uint8: [0, 255], int8: [-128, 127] } as const

/** Adds a number by moving the zero point; where that leaves the type's range, the scale grows. See qadd.cpp. */
function addNumber(c: Call, x: Value, number: number, relu: boolean): Value {
  if (!x.quant || (x.dtype !== 'uint8' && x.dtype !== 'int8'))
    throw refuse(`${c.name} of a tensor that is not quantised`)
  const [least, most] = limits[x.dtype]
  const [scale, zero] = [known(c, x.quant.scale), known(c, x.quant.zeroPoint)]
  const steps = roundHalfEven(number / scale)
  const moved = zero - steps
  const grown =
    moved < least
      ? ((most - moved) / (most - least)) * scale
      : moved > most
        ? ((moved - least) / (most - least)) * scale
        : scale
  const quant = {
    scale: scalar('float32', Math.fround(grown)),
    zeroPoint: scalar(x.dtype, Math.min(most, Math.max(least, moved))),
  }
  const sum = emit.binary(c.g, 'Add', dequantise(c.vm, x), scalar('float32', Math.fround(steps * scale)))
  return quantise(c.vm, relu ? emit.unary(c.g, 'Relu', sum) : sum, quant, x.dtype)
}

/** Multiplies by a number by multiplying the scale. See qmul.cpp. */
function timesNumber(c: Call, x: Value, number: number, relu: boolean): Value {
  if (!x.quant || (x.dtype !== 'uint8' && x.dtype !== 'int8'))
    throw refuse(`${c.name} of a tensor that is not quantised`)
  const [least, most] = limits[x.dtype]
  const [scale, zero] = [known(c, x.quant.scale), known(c, x.quant.zeroPoint)]
  const [newScale, newZero] =
    number === 0 ? [1, 0] : [Math.abs(number) * scale, number > 0 ? zero : least + most - zero]
  const quant = { scale: scalar('float32', Math.fround(newScale)), zeroPoint: scalar(x.dtype, newZero) }
  const product = emit.binary(c.g, 'Mul', dequantise(c.vm, x), scalar('float32', Math.fround(number)))
  return quantise(c.vm, relu ? emit.unary(c.g, 'Relu', product) : product, quant, x.dtype)
}

/** Packed sequences are computed in floats: torch quantises the states of those that have not ended yet. */
function recurrentLayers(cell: 'lstm' | 'gru'): Lower {
  return (c) => {
    if (!c.has('batch_sizes')) return runQuantisedLayers(c, cell, inCell(c))
    const weights = packedCells(c).map((packed) => layerWeights(c, packed))
    return runLayers(c, cell, weights)
  }
}

const layerWeights = (c: Call, { input, hidden }: PackedCell): LayerWeights => ({
  input: floatWeight(c, input.weight),
  hidden: floatWeight(c, hidden.weight),
  inputBias: input.bias,
  hiddenBias: hidden.bias,
})

function cellWeights(c: Call): LayerWeights {
  const [input, hidden] = [packedLinear(c, 'w_ih'), packedLinear(c, 'w_hh')]
  return { input: input.weight, hidden: hidden.weight, inputBias: input.bias, hiddenBias: hidden.bias }
}
