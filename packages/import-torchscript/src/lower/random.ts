import { type Dim, dims, type ElementType, emit, isFloat, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'

/**
 * Random numbers: of the distribution torch draws from, never the same as torch's. ONNX Runtime seeds them anew in each session.
 * Torch: aten/src/ATen/native/Distributions.cpp (2.4).
 */

const { binary, unary } = emit

/** Whole numbers are drawn from doubles, which hold those below 2^53. */
const wholeType: ElementType = 'float64'

function warn(c: Call): void {
  c.g.isRandom = true
  c.warn('The model draws random numbers: they are distributed as those of torch, and are others in every call')
}

/** Binary digits that a type has. */
const digits: Partial<Record<ElementType, number>> = { float64: 53, float16: 11, bfloat16: 8 }

/** Numbers of [0, 1), or of (0, 1) where their logarithm is taken. */
function uniform(c: Call, shape: readonly Dim[], dtype: ElementType, isOpen = false): Value {
  warn(c)
  const kernel = dtype === 'float64' ? 'float64' : 'float32'
  const whole = emit.full(c.g, shape, scalar(kernel, 0))
  const numbers = c.g.one('RandomUniformLike', [whole], kernel, shape)
  // Kernels and casts may round up to 1.
  const last = 1 - 2 ** -(digits[dtype] ?? 24)
  const within = emit.clip(c.g, numbers, scalar(kernel, isOpen ? 2 ** -32 : 0), scalar(kernel, last))
  return isFloat(dtype) ? emit.cast(c.g, within, dtype) : within
}

/** Of mean 0 and variance 1. */
function gaussian(c: Call, shape: readonly Dim[], dtype: ElementType): Value {
  warn(c)
  const kernel = dtype === 'float64' ? 'float64' : 'float32'
  const numbers = c.g.one('RandomNormalLike', [emit.full(c.g, shape, scalar(kernel, 0))], kernel, shape)
  return emit.cast(c.g, numbers, dtype)
}

/** Whole numbers from `low` on and below `high`. */
function wholes(c: Call, shape: readonly Dim[], low: Dim, high: Dim, dtype: ElementType): Value {
  const { g } = c
  const size = emit.cast(g, scalar('int64', dims.sub(high, low)), wholeType)
  const steps = unary(g, 'Floor', binary(g, 'Mul', uniform(c, shape, wholeType), size))
  const inside = emit.clip(g, steps, scalar(wholeType, 0), undefined)
  return emit.cast(g, binary(g, 'Add', emit.cast(g, inside, 'int64'), scalar('int64', low)), dtype)
}

/** Where a number is drawn that is below `p`: with that probability. */
const tossed = (c: Call, shape: readonly Dim[], p: Value): Value =>
  emit.compare(c.g, 'Less', uniform(c, shape, p.dtype === 'float64' ? 'float64' : 'float32'), p)

const floatOf = (c: Call, x: Value): Value => (isFloat(x.dtype) ? x : emit.cast(c.g, x, 'float32'))

/** `-log(-log(u))`: the greatest of logarithms of weights and these is each with the probability its weight says. */
const gumbel = (c: Call, shape: readonly Dim[], dtype: ElementType): Value => {
  const inner = unary(c.g, 'Neg', unary(c.g, 'Log', uniform(c, shape, dtype, true)))
  return unary(c.g, 'Neg', unary(c.g, 'Log', inner))
}

type Draw = (c: Call, shape: readonly Dim[], dtype: ElementType) => Value

const bySize =
  (draw: Draw, usual: ElementType): Lower =>
  (c) =>
    draw(c, c.dims('size'), c.dtype('dtype') ?? usual)

const bySelf =
  (draw: Draw): Lower =>
  (c) => {
    const { shape, dtype } = c.tensor('self')
    return draw(c, shape, c.dtype('dtype') ?? dtype)
  }

/** Puts numbers in the place of what `self` holds. */
const into =
  (draw: Draw): Lower =>
  (c) => {
    const self = c.ref('self')
    const { shape, dtype } = self
    const numbers = draw(c, shape, isFloat(dtype) ? dtype : 'float32')
    c.vm.write(self, emit.expand(c.g, emit.cast(c.g, numbers, dtype), shape))
    return self
  }

const bounded: Draw = (c, shape, dtype) => wholes(c, shape, c.has('low') ? c.dim('low') : 0, c.dim('high'), dtype)

/** `mean + std · n`, of numbers or tensors. */
const normal: Lower = (c) => {
  const { g } = c
  const [mean, std] = [c.operand('mean'), c.operand('std')]
  const dtype = c.dtype('dtype') ?? [mean, std].find((o) => !o.isNumber)?.value.dtype ?? 'float32'
  const shape = c.has('size') ? c.dims('size') : emit.broadcastShapes(g, mean.value.shape, std.value.shape)
  const [m, s] = [emit.cast(g, mean.value, dtype), emit.cast(g, std.value, dtype)]
  return binary(g, 'Add', m, binary(g, 'Mul', s, gaussian(c, shape, dtype)))
}

const scaled =
  (draw: Draw, offset: string, end: string, isRange: boolean): Draw =>
  (c, shape, dtype) => {
    const { g } = c
    const [from, to] = [emit.cast(g, c.operand(offset).value, dtype), emit.cast(g, c.operand(end).value, dtype)]
    const by = isRange ? binary(g, 'Sub', to, from) : to
    return binary(g, 'Add', from, binary(g, 'Mul', by, draw(c, shape, dtype)))
  }

const exponential: Draw = (c, shape, dtype) => {
  const logarithm = unary(c.g, 'Log', uniform(c, shape, dtype, true))
  return binary(c.g, 'Div', unary(c.g, 'Neg', logarithm), emit.cast(c.g, c.operand('lambd').value, dtype))
}

const bernoulli: Lower = (c) => {
  const x = c.tensor('self')
  const p = c.has('p') ? floatOf(c, c.operand('p').value) : floatOf(c, x)
  return emit.cast(c.g, tossed(c, x.shape, p), x.dtype)
}

const bernoulliInto: Draw = (c, shape, dtype) =>
  emit.cast(c.g, tossed(c, shape, floatOf(c, c.operand('p').value)), dtype)

/** Rows, or one row, of weights. */
const multinomial: Lower = (c) => {
  const { g } = c
  const weights = floatOf(c, c.tensor('self'))
  const count = c.dim('num_samples')
  const logs = unary(g, 'Log', weights)
  const last = weights.shape.length - 1
  if (c.bool('replacement') || count === 1) {
    const shape = [...weights.shape.slice(0, last), count, weights.shape[last] ?? 1]
    const keys = binary(g, 'Add', emit.unsqueeze(g, logs, [last]), gumbel(c, shape, logs.dtype))
    return emit.argReduce(g, 'ArgMax', keys, last + 1, false)
  }
  const keys = binary(g, 'Add', logs, gumbel(c, weights.shape, logs.dtype))
  return emit.topK(g, keys, count, last)[1]
}

/** Places of `n` random numbers in order. */
const permutation: Lower = (c) => {
  const n = c.dim('n')
  const [, places] = emit.topK(c.g, uniform(c, [n], 'float32'), n, 0)
  return emit.cast(c.g, places, c.dtype('dtype') ?? 'int64')
}

/** Whole numbers that the type holds, or that a float holds exactly. */
const anything: Draw = (c, shape, dtype) => {
  const self = c.ref('self').dtype
  const most = {
    float32: 2 ** 24,
    float64: 2 ** 53,
    float16: 2 ** 11,
    bfloat16: 2 ** 8,
    int64: 2 ** 53,
    int32: 2 ** 31,
  }
  const low = c.has('from') ? c.dim('from') : 0
  const to = c.has('to') && c.py('to') !== null ? c.dim('to') : most[self as keyof typeof most]
  if (to === undefined) throw refuse(`aten::random_ of ${self} without an end`, '', 'Use torch.randint')
  return emit.cast(c.g, wholes(c, shape, low, to, 'int64'), dtype)
}

export const randomOps: OpTable = {
  rand: bySize(uniform, 'float32'),
  randn: bySize(gaussian, 'float32'),
  randint: bySize(bounded, 'int64'),
  rand_like: bySelf(uniform),
  randn_like: bySelf(gaussian),
  randint_like: bySelf(bounded),
  randperm: permutation,
  normal,
  normal_: into(scaled(gaussian, 'mean', 'std', false)),
  uniform_: into(scaled(uniform, 'from', 'to', true)),
  exponential_: into(exponential),
  random_: into(anything),
  bernoulli,
  bernoulli_: into(bernoulliInto),
  multinomial,
}
