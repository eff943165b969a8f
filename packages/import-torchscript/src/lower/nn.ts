import { type Dim, dims, emit, refuse, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, type Result, tuple } from '../call.ts'
import { bounded } from './elementwise.ts'
import { asFloat, extreme, float, like } from './helpers.ts'

/** Activations and normalisation. Torch: aten/src/ATen/native/{Activation,Normalization}.cpp (2.4). */

const { binary, unary } = emit

const trainAdvice = 'Call model.eval() before exporting'

/** An activation of ONNX with float attributes taken from arguments. */
const activation =
  (op: string, attributes: (c: Call) => Record<string, number> = () => ({})): Lower =>
  (c) => {
    const floats = Object.entries(attributes(c)).map(([name, value]) => [name, { float: value }] as const)
    const x = asFloat(c)
    // ONNX defines Celu for float32 only.
    const y = op === 'Celu' ? emit.cast(c.g, x, 'float32') : x
    return emit.cast(c.g, unary(c.g, op, y, Object.fromEntries(floats)), x.dtype)
  }

const gelu: Lower = (c) => {
  const approximate = c.has('approximate') ? c.string('approximate') : 'none'
  return unary(c.g, 'Gelu', asFloat(c), { approximate })
}

/** ONNX Runtime fuses `x · sigmoid(x)` even of float64, for which it has no kernel then. */
const sigmoidOf = ({ g }: Call, x: Value): Value =>
  x.dtype === 'float64'
    ? unary(g, 'Reciprocal', binary(g, 'Add', unary(g, 'Exp', unary(g, 'Neg', x)), like(x, 1)))
    : unary(g, 'Sigmoid', x)

const sigmoid: Lower = (c) => sigmoidOf(c, asFloat(c))

const silu: Lower = (c) => {
  const x = asFloat(c)
  return binary(c.g, 'Mul', x, sigmoidOf(c, x))
}

const softplus: Lower = (c) => {
  const x = asFloat(c)
  const [beta, threshold] = [c.float('beta'), c.float('threshold')]
  const scaled = beta === 1 ? x : binary(c.g, 'Mul', x, like(x, beta))
  const soft = unary(c.g, 'Softplus', scaled)
  const y = beta === 1 ? soft : binary(c.g, 'Div', soft, like(x, beta))
  return emit.where(c.g, emit.compare(c.g, 'Greater', scaled, like(x, threshold)), x, y)
}

const elu: Lower = (c) => {
  const x = asFloat(c)
  const [alpha, scale, inputScale] = [c.float('alpha'), c.float('scale'), c.float('input_scale')]
  if (scale === 1 && inputScale === 1) return unary(c.g, 'Elu', x, { alpha: { float: alpha } })
  const curved = binary(c.g, 'Sub', unary(c.g, 'Exp', binary(c.g, 'Mul', x, like(x, inputScale))), like(x, 1))
  const low = binary(c.g, 'Mul', curved, like(x, alpha * scale))
  return emit.where(c.g, emit.compare(c.g, 'Greater', x, like(x, 0)), binary(c.g, 'Mul', x, like(x, scale)), low)
}

/** One weight for all, or one per channel. */
const prelu: Lower = (c) => {
  const x = c.tensor('self')
  const weight = c.tensor('weight')
  const count = dims.product(weight.shape)
  const slope =
    count === 1
      ? emit.reshape(c.g, weight, [])
      : emit.reshape(c.g, weight, [count, ...new Array<Dim>(Math.max(0, x.shape.length - 2)).fill(1)])
  const fitted = slope.shape.length === 0 && x.shape.length > 0 ? emit.reshape(c.g, slope, [1]) : slope
  if (x.dtype === 'float32') return c.g.one('PRelu', [x, fitted], x.dtype, x.shape)
  return emit.where(c.g, emit.compare(c.g, 'Less', x, like(x, 0)), binary(c.g, 'Mul', x, fitted), x)
}

const hardtanh: Lower = (c) => {
  const x = c.tensor('self')
  return bounded(c, x, like(x, c.float('min_val')), like(x, c.float('max_val')))
}

const glu: Lower = (c) => {
  const x = asFloat(c)
  const axis = c.axis('dim', x.shape.length)
  const half = dims.floorDiv(x.shape[axis] ?? 2, 2)
  const [a, b] = [emit.slice(c.g, x, axis, 0, half), emit.slice(c.g, x, axis, half, x.shape[axis] ?? 2)]
  return binary(c.g, 'Mul', a, sigmoidOf(c, b))
}

const shrink = (hard: boolean): Lower => {
  return (c) => {
    const x = asFloat(c)
    const lambda = like(x, c.float('lambd'))
    const size = unary(c.g, 'Abs', x)
    // What is no number stays so: ONNX's Shrink would make it 0.
    const none = binary(c.g, 'Mul', x, like(x, 0))
    const isLarge = emit.compare(c.g, 'Greater', size, lambda)
    if (hard) return emit.where(c.g, isLarge, x, none)
    const less = binary(c.g, 'Mul', unary(c.g, 'Sign', x), binary(c.g, 'Sub', size, lambda))
    return emit.where(c.g, isLarge, less, none)
  }
}

const threshold: Lower = (c) => {
  const x = c.tensor('self')
  return emit.where(
    c.g,
    emit.compare(c.g, 'LessOrEqual', x, like(x, c.float('threshold'))),
    like(x, c.float('value')),
    x,
  )
}

/** Slopes of random leaky units are their mean when a model is not trained. */
const rrelu: Lower = (c) => {
  if (c.bool('training')) throw refuse('aten::rrelu while training', '', trainAdvice)
  return unary(c.g, 'LeakyRelu', asFloat(c), { alpha: { float: (c.float('lower') + c.float('upper')) / 2 } })
}

const dropAdvice = `${trainAdvice}; where numbers are meant to be dropped, multiply by torch.bernoulli`

const dropout: Lower = (c) => {
  if (c.has('train') && c.py('train') !== null && c.bool('train') && c.float('p') > 0)
    throw refuse(`aten::${c.name} while training`, '', dropAdvice)
  return c.ref(c.has('input') ? 'input' : 'self')
}

const batchNorm: Lower = (c) => {
  const x = c.tensor('input')
  const running = c.has('running_mean') ? c.optionalTensor('running_mean') : undefined
  const variance = c.optionalTensor('running_var')
  const training = c.has('training') && c.bool('training')
  const channels = x.shape[1] ?? 1
  const [weight, bias] = [c.optionalTensor('weight'), c.optionalTensor('bias')]
  const eps = c.float('eps')
  if (!running || !variance) {
    // Without kept statistics the batch's own count, as while training.
    const axes = emit.allAxes(x).filter((a) => a !== 1)
    return affineByChannel(c, normalised(c, x, axes, eps), weight, bias)
  }
  if (training) throw refuse('aten::batch_norm while training', '', trainAdvice)
  const row = (v: Value | undefined, value: number): Value =>
    v ?? emit.full(c.g, [channels], scalar(running.dtype, value))
  const dtype = emit.kernelType('BatchNormalization', x.dtype)
  const inputs = [x, row(weight, 1), row(bias, 0), running, variance].map((v) => emit.cast(c.g, v, dtype))
  return emit.cast(c.g, c.g.one('BatchNormalization', inputs, dtype, x.shape, { epsilon: { float: eps } }), x.dtype)
}

/** `(x - mean) / sqrt(variance + eps)` over axes. */
function normalised({ g }: Call, x: Value, axes: readonly number[], eps: number): Value {
  const mean = emit.reduce(g, 'ReduceMean', x, axes, true)
  const distance = binary(g, 'Sub', x, mean)
  const variance = emit.reduce(g, 'ReduceMean', binary(g, 'Mul', distance, distance), axes, true)
  return binary(g, 'Div', distance, unary(g, 'Sqrt', binary(g, 'Add', variance, like(x, eps))))
}

function affineByChannel({ g }: Call, x: Value, weight: Value | undefined, bias: Value | undefined): Value {
  const place = (v: Value): Value =>
    emit.reshape(g, emit.cast(g, v, x.dtype), [v.shape[0] ?? 1, ...new Array<Dim>(x.shape.length - 2).fill(1)])
  const y = weight ? binary(g, 'Mul', x, place(weight)) : x
  return bias ? binary(g, 'Add', y, place(bias)) : y
}

/** With the mean and the reciprocal deviation, which are nothing where statistics were kept. */
const nativeBatchNorm: Lower = (c): Result => {
  const none = emit.full(c.g, [0], like(c.tensor('input'), 0))
  return tuple(c.vm, batchNorm(c), none, none)
}

const layerNorm: Lower = (c) => {
  const x = c.tensor('input')
  return layerNormOf(
    c,
    x,
    c.dims('normalized_shape'),
    c.optionalTensor('weight'),
    c.optionalTensor('bias'),
    c.float('eps'),
  )
}

export function layerNormOf(
  c: Call,
  x: Value,
  shape: readonly Dim[],
  weight: Value | undefined,
  bias: Value | undefined,
  eps: number,
): Value {
  const dtype = emit.kernelType('LayerNormalization', x.dtype)
  const scale = weight ?? emit.full(c.g, shape, like(x, 1))
  const inputs = [x, scale, bias].map((v) => v && emit.cast(c.g, v, dtype))
  const attributes = { axis: -shape.length, epsilon: { float: eps } }
  return emit.cast(c.g, c.g.one('LayerNormalization', inputs, dtype, x.shape, attributes), x.dtype)
}

/** With the mean and the reciprocal deviation, which few use. */
const nativeLayerNorm: Lower = (c): Result => {
  const x = c.tensor('input')
  const shape = c.dims('normalized_shape')
  const y = layerNormOf(c, x, shape, c.optionalTensor('weight'), c.optionalTensor('bias'), c.float('eps'))
  const axes = shape.map((_, i) => x.shape.length - shape.length + i)
  const mean = emit.reduce(c.g, 'ReduceMean', x, axes, true)
  const distance = binary(c.g, 'Sub', x, mean)
  const variance = emit.reduce(c.g, 'ReduceMean', binary(c.g, 'Mul', distance, distance), axes, true)
  const deviation = unary(c.g, 'Sqrt', binary(c.g, 'Add', variance, like(x, c.float('eps'))))
  return tuple(c.vm, y, mean, unary(c.g, 'Reciprocal', deviation))
}

const rmsNorm: Lower = (c) => {
  const x = c.tensor('input')
  const count = c.dims('normalized_shape').length
  const axes = emit.allAxes(x).slice(-count)
  const eps = c.optionalFloat('eps') ?? 1.1920929e-7 // float32's epsilon
  const square = emit.reduce(c.g, 'ReduceMean', binary(c.g, 'Mul', x, x), axes, true)
  const y = binary(c.g, 'Div', x, unary(c.g, 'Sqrt', binary(c.g, 'Add', square, like(x, eps))))
  const weight = c.optionalTensor('weight')
  return weight ? binary(c.g, 'Mul', y, weight) : y
}

/** With the mean and the reciprocal deviation of each group. */
const nativeGroupNorm: Lower = (c): Result => {
  const { g } = c
  const x = c.tensor('input')
  const groups = c.int('group')
  const [N = 1] = x.shape
  const grouped = emit.reshape(g, x, [N, groups, dims.floorDiv(dims.product(x.shape.slice(1)), groups)])
  const mean = emit.reduce(g, 'ReduceMean', grouped, [2], true)
  const distance = binary(g, 'Sub', grouped, mean)
  const variance = emit.reduce(g, 'ReduceMean', binary(g, 'Mul', distance, distance), [2])
  const deviation = unary(g, 'Sqrt', binary(g, 'Add', variance, like(x, c.float('eps'))))
  return tuple(c.vm, groupNorm(c), emit.squeeze(g, mean, [2]), unary(g, 'Reciprocal', deviation))
}

const groupNorm: Lower = (c) => {
  const groups = c.int(c.has('group') ? 'group' : 'num_groups')
  return groupNormOf(c, c.tensor('input'), groups, c.optionalTensor('weight'), c.optionalTensor('bias'))
}

export function groupNormOf(c: Call, x: Value, groups: number, weight?: Value, bias?: Value): Value {
  const [N = 1] = x.shape
  // One channel per group: an instance of the rest. A channel of 1 keeps InstanceNormalization's three axes.
  const grouped = emit.reshape(c.g, x, [N, groups, dims.floorDiv(dims.product(x.shape.slice(1)), groups)])
  const y = emit.reshape(c.g, instanceNormalised(c, grouped, groups, c.float('eps')), x.shape)
  return affineByChannel(c, y, weight, bias)
}

function instanceNormalised(c: Call, x: Value, channels: Dim, eps: number): Value {
  const dtype = emit.kernelType('InstanceNormalization', x.dtype)
  const row = (value: number): Value => emit.full(c.g, [channels], scalar(dtype, value))
  const y = c.g.one('InstanceNormalization', [emit.cast(c.g, x, dtype), row(1), row(0)], dtype, x.shape, {
    epsilon: { float: eps },
  })
  return emit.cast(c.g, y, x.dtype)
}

const instanceNorm: Lower = (c) => {
  const x = c.tensor('input')
  const [weight, bias] = [c.optionalTensor('weight'), c.optionalTensor('bias')]
  if (!c.bool('use_input_stats')) {
    const [mean, variance] = [c.tensor('running_mean'), c.tensor('running_var')]
    const channels = x.shape[1] ?? 1
    const row = (v: Value | undefined, value: number): Value => v ?? emit.full(c.g, [channels], like(x, value))
    return c.g.one('BatchNormalization', [x, row(weight, 1), row(bias, 0), mean, variance], x.dtype, x.shape, {
      epsilon: { float: c.float('eps') },
    })
  }
  return affineByChannel(c, instanceNormalised(c, x, x.shape[1] ?? 1, c.float('eps')), weight, bias)
}

const channelShuffle: Lower = (c) => {
  const x = c.tensor('self')
  const groups = c.int('groups')
  const [N = 1, C = 1, ...rest] = x.shape
  const split = emit.reshape(c.g, x, [N, groups, dims.floorDiv(C, groups), ...rest])
  return emit.reshape(c.g, emit.transpose(c.g, split, emit.swapped(split.shape.length, 1, 2)), x.shape)
}

export const nnOps: OpTable = {
  relu: (c) => {
    const x = c.tensor('self')
    return x.dtype === 'int64' ? extreme(c, 'Max', x, like(x, 0)) : unary(c.g, 'Relu', x)
  },
  relu6: (c) => emit.clip(c.g, c.tensor('self'), like(c.tensor('self'), 0), like(c.tensor('self'), 6)),
  sigmoid,
  special_expit: sigmoid,
  tanh: float('Tanh'),
  gelu,
  silu,
  mish: (c) => {
    const x = asFloat(c)
    return binary(c.g, 'Mul', x, unary(c.g, 'Tanh', unary(c.g, 'Softplus', x)))
  },
  hardswish: float('HardSwish'),
  hardsigmoid: activation('HardSigmoid', () => ({ alpha: 1 / 6, beta: 0.5 })),
  hardtanh,
  leaky_relu: activation('LeakyRelu', (c) => ({ alpha: c.float('negative_slope') })),
  elu,
  celu: activation('Celu', (c) => ({ alpha: c.float('alpha') })),
  selu: activation('Selu'),
  prelu,
  _prelu_kernel: prelu,
  rrelu,
  softplus,
  log_sigmoid: (c) => unary(c.g, 'Neg', unary(c.g, 'Softplus', unary(c.g, 'Neg', asFloat(c)))),
  glu,
  hardshrink: shrink(true),
  softshrink: shrink(false),
  threshold,
  dropout,
  feature_dropout: dropout,
  alpha_dropout: dropout,
  feature_alpha_dropout: dropout,
  native_dropout: (c): Result => tuple(c.vm, dropout(c), emit.full(c.g, c.tensor('input').shape, scalar('bool', 1))),
  batch_norm: batchNorm,
  native_batch_norm: nativeBatchNorm,
  _native_batch_norm_legit: nativeBatchNorm,
  _native_batch_norm_legit_no_training: nativeBatchNorm,
  layer_norm: layerNorm,
  native_layer_norm: nativeLayerNorm,
  rms_norm: rmsNorm,
  group_norm: groupNorm,
  native_group_norm: nativeGroupNorm,
  instance_norm: instanceNorm,
  channel_shuffle: channelShuffle,
  native_channel_shuffle: channelShuffle,
}
