import { type Attributes, type Dim, dims, emit, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, tuple } from '../call.ts'
import { toDim } from '../scalars.ts'
import { batched } from './conv.ts'
import { like } from './helpers.ts'

/** Pooling. Torch: aten/src/ATen/native/Pool.h (2.4); ONNX: MaxPool 12, AveragePool 19. */

interface Window {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly ceil: boolean
}

function windowOf(c: Call, n: number): Window {
  const kernel = c.intsOf('kernel_size', n)
  const stride = c.items('stride').length > 0 ? c.intsOf('stride', n) : kernel
  const dilation = c.has('dilation') ? c.intsOf('dilation', n) : new Array<number>(n).fill(1)
  return { kernel, stride, padding: c.intsOf('padding', n), dilation, ceil: c.bool('ceil_mode') }
}

/** Sizes after pooling. Rounding up, a window that would begin in the padding behind does not count. */
function pooledSize(c: Call, size: Dim, w: Window, i: number): Dim {
  const [k = 1, s = 1, p = 0, d = 1] = [w.kernel[i], w.stride[i], w.padding[i], w.dilation[i]]
  const room = dims.sub(dims.add(size, 2 * p), d * (k - 1) + 1)
  if (!w.ceil) return dims.add(dims.floorDiv(room, s), 1)
  const count = dims.add(dims.ceilDiv(room, s), 1)
  const startsBehind = c.g.guards.decide(dims.add(size, p), '<=', dims.mul(dims.sub(count, 1), s))
  return startsBehind ? dims.sub(count, 1) : count
}

/** What is missing behind for the windows that rounding up adds. */
function paddingBehind(w: Window, size: Dim, count: Dim, i: number): number {
  const [k = 1, s = 1, p = 0, d = 1] = [w.kernel[i], w.stride[i], w.padding[i], w.dilation[i]]
  const need = dims.sub(dims.add(dims.mul(dims.sub(count, 1), s), d * (k - 1) + 1), dims.add(size, p))
  return typeof need === 'number' ? Math.max(need, p) : -1
}

interface Pooling {
  readonly attributes: Attributes
  /** Sizes after pooling, of the axes the window moves along. */
  readonly counts: readonly Dim[]
}

/** @param x Has a batch. */
function poolingOf(c: Call, x: Value, isMax: boolean, w: Window): Pooling {
  const counts = w.kernel.map((_, i) => pooledSize(c, x.shape[i + 2] ?? 1, w, i))
  const behind = w.ceil ? counts.map((count, i) => paddingBehind(w, x.shape[i + 2] ?? 1, count, i)) : w.padding
  // Where the sizes are labelled, ONNX's own rounding up finds the windows; it drops those that begin behind, too.
  // So it does where dilated windows need more behind than it takes as padding.
  const byRuntime = behind.some((p, i) => p < 0 || p >= (w.kernel[i] ?? 1))
  const attributes = {
    kernel_shape: w.kernel,
    strides: w.stride,
    pads: [...w.padding, ...(byRuntime ? w.padding : behind)],
    ...(isMax || w.dilation.some((d) => d !== 1) ? { dilations: w.dilation } : {}),
    ...(byRuntime ? { ceil_mode: 1 } : {}),
  }
  return { attributes, counts }
}

function pooled(
  c: Call,
  given: Value,
  n: number,
  op: 'MaxPool' | 'AveragePool',
  w: Window,
  outputs: (shape: readonly Dim[]) => { dtype: Value['dtype']; shape: readonly Dim[] }[],
  extra = {},
): Value[] {
  const { g } = c
  const x = given.shape.length === n + 2 ? given : emit.unsqueeze(g, given, [0])
  const { attributes, counts } = poolingOf(c, x, op === 'MaxPool', w)
  const shape = [...x.shape.slice(0, 2), ...counts]
  const dtype = emit.kernelType(op, x.dtype)
  const results = g.node(
    op,
    [emit.cast(g, x, dtype)],
    outputs(shape).map((o, i) => (i === 0 ? { ...o, dtype } : o)),
    { ...attributes, ...extra },
  )
  const cast = results.map((v, i) => (i === 0 ? emit.cast(g, v, x.dtype) : v))
  return given === x ? cast : cast.map((v) => emit.squeeze(g, v, [0]))
}

/**
 * `maxPooled` of bytes with channels last, `[N, H, W, C]`, where ONNX Runtime takes the greatest of many channels at once.
 * @param x `[N, C, H, W]`.
 */
export function maxPooledLast(c: Call, x: Value): Value {
  const { attributes, counts } = poolingOf(c, x, true, windowOf(c, 2))
  const [n = 1, channels = 1] = x.shape
  const last = emit.transpose(c.g, x, [0, 2, 3, 1])
  return c.g.one('NhwcMaxPool', [last], x.dtype, [n, ...counts, channels], attributes, 'com.microsoft')
}

const maxPool =
  (n: number): Lower =>
  (c) =>
    maxPooled(c, c.tensor('self'), n)

/** The greatest of each window that the call describes, along the last `n` axes. */
export const maxPooled = (c: Call, x: Value, n: number): Value =>
  pooled(c, x, n, 'MaxPool', windowOf(c, n), (shape) => [{ dtype: x.dtype, shape }])[0] as Value // one type was given

/** Positions are counted in one channel; ONNX counts them in the whole tensor. */
const maxPoolWithIndices =
  (n: number): Lower =>
  (c) => {
    const x = c.tensor('self')
    const [y, places] = pooled(c, x, n, 'MaxPool', windowOf(c, n), (shape) => [
      { dtype: x.dtype, shape },
      { dtype: 'int64', shape },
    ]) as [Value, Value] // two types were given
    return tuple(c.vm, y, emit.binary(c.g, 'Mod', places, scalar('int64', dims.product(x.shape.slice(-n)))))
  }

const avgPool =
  (n: number): Lower =>
  (c) => {
    const x = c.tensor('self')
    const w = windowOf(c, n)
    const divisor = c.has('divisor_override') ? c.optionalInt('divisor_override') : undefined
    const whole = c.bool('count_include_pad')
    if (!w.ceil || divisor !== undefined || w.padding.every((p) => p === 0)) {
      // Padding that only rounding up brings is never counted.
      const include = divisor !== undefined || (whole && !w.ceil)
      const y = pooled(c, x, n, 'AveragePool', w, (shape) => [{ dtype: x.dtype, shape }], {
        count_include_pad: Number(include),
      })[0] as Value
      if (divisor === undefined) return y
      return emit.binary(c.g, 'Mul', y, like(y, w.kernel.reduce((a, b) => a * b, 1) / divisor))
    }
    if (!whole)
      return pooled(c, x, n, 'AveragePool', w, (shape) => [{ dtype: x.dtype, shape }], {
        count_include_pad: 0,
      })[0] as Value
    // Zeros of the padding count, places beyond them do not.
    const around = [...new Array<number>(x.shape.length - n).fill(0), ...w.padding]
    const bare = { ...w, padding: w.padding.map(() => 0) }
    return pooled(c, emit.pad(c.g, x, around, around), n, 'AveragePool', bare, (shape) => [{ dtype: x.dtype, shape }], {
      count_include_pad: 0,
    })[0] as Value
  }

/**
 * Bins `floor(i·in/out)` to `ceil((i+1)·in/out)`. Equal bins are pooling with a stride; others are taken one by one, which
 * asks for a fixed size.
 */
const adaptive =
  (n: number, kind: 'Average' | 'Max', indices = false): Lower =>
  (c) => {
    const given = c.tensor('self')
    const wanted = c.items('output_size')
    const sizes = Array.from({ length: n }, (_, i) => wanted[wanted.length === 1 ? 0 : i] ?? null)
    const y = batched(c.g, given, n + 2, (x) =>
      adaptiveOf(
        c,
        x,
        sizes.map((s, i) => (s === null ? (x.shape[i + 2] ?? 1) : toDim(c.vm, s))),
        kind,
      ),
    )
    if (!indices) return y
    if (sizes.every((s) => s === 1n)) {
      const flat = emit.reshape(c.g, given, [...given.shape.slice(0, -n), dims.product(given.shape.slice(-n))])
      const places = emit.argReduce(c.g, 'ArgMax', flat, flat.shape.length - 1, true)
      return tuple(c.vm, y, emit.reshape(c.g, places, y.shape))
    }
    return tuple(c.vm, y, placesOfBins(c, given, y, n))
  }

/** Where in `x`, its last `n` axes in one row, the greatest element of each bin is. */
function placesOfBins(c: Call, x: Value, y: Value, n: number): Value {
  const { g } = c
  const lead = x.shape.slice(0, -n)
  const sizes = x.shape.slice(-n).map((d) => c.fixed(d))
  const outs = y.shape.slice(-n).map((d) => c.fixed(d))
  let bins: number[][] = [[]]
  for (const [axis, out] of outs.entries()) {
    const length = sizes[axis] ?? 1
    const along = Array.from({ length: out }, (_, i) => [
      Math.floor((i * length) / out),
      Math.ceil(((i + 1) * length) / out),
    ])
    bins = bins.flatMap((bin) => along.map((ends) => [...bin, ...ends]))
  }
  const places = bins.map((bin) => {
    let cut = x
    for (let axis = 0; axis < n; axis++)
      cut = emit.slice(g, cut, lead.length + axis, bin[2 * axis] ?? 0, bin[2 * axis + 1] ?? 1)
    const spans = sizes.map((_, axis) => (bin[2 * axis + 1] ?? 1) - (bin[2 * axis] ?? 0))
    const flat = emit.reshape(g, cut, [...lead, dims.product(spans)])
    const inside = emit.argReduce(g, 'ArgMax', flat, lead.length, true)
    return emit.gather(g, g.numbers('int64', [flatPlaces(bin, sizes).length], flatPlaces(bin, sizes)), inside, 0)
  })
  return emit.reshape(g, emit.concat(g, places, lead.length), y.shape)
}

/** Every place of a bin, counted in the whole image. */
function flatPlaces(bin: readonly number[], sizes: readonly number[]): number[] {
  let places = [0]
  for (const [axis, size] of sizes.entries()) {
    const [start = 0, end = 1] = bin.slice(2 * axis)
    places = places.flatMap((p) => Array.from({ length: end - start }, (_, i) => p * size + start + i))
  }
  return places
}

function adaptiveOf(c: Call, x: Value, output: readonly Dim[], kind: 'Average' | 'Max'): Value {
  const { g } = c
  const spatial = x.shape.slice(2)
  const reduction = kind === 'Average' ? 'ReduceMean' : 'ReduceMax'
  if (output.every((o) => o === 1)) {
    if (kind === 'Average' && x.dtype === 'float32')
      return g.one('GlobalAveragePool', [x], x.dtype, [...x.shape.slice(0, 2), ...output])
    return emit.reduce(
      g,
      reduction,
      x,
      spatial.map((_, i) => i + 2),
      true,
    )
  }
  let y = x
  for (const [i, out] of output.entries()) {
    const axis = i + 2
    const size = y.shape[axis] ?? 1
    if (dims.same(size, out)) continue
    if (out === 1) y = emit.reduce(g, reduction, y, [axis], true)
    else y = binned(c, y, axis, c.fixed(size), c.fixed(out), reduction)
  }
  return y
}

function binned(c: Call, x: Value, axis: number, size: number, out: number, reduction: string): Value {
  const { g } = c
  if (size % out === 0) {
    const split = emit.reshape(g, x, [...x.shape.slice(0, axis), out, size / out, ...x.shape.slice(axis + 1)])
    return emit.reduce(g, reduction, split, [axis + 1])
  }
  const bins = Array.from({ length: out }, (_, i) => {
    const [start, end] = [Math.floor((i * size) / out), Math.ceil(((i + 1) * size) / out)]
    return emit.reduce(g, reduction, emit.slice(g, x, axis, start, end), [axis], true)
  })
  return emit.concat(g, bins, axis)
}

const maxUnpool: Lower = (c) => {
  const [x, places] = [c.tensor('self'), c.tensor('indices')]
  const size = c.dims('output_size')
  const n = size.length
  const lead = x.shape.slice(0, -n)
  const flat = (v: Value): Value => emit.reshape(c.g, v, [...lead, dims.product(x.shape.slice(-n))])
  const zeros = emit.full(c.g, [...lead, dims.product(size)], like(x, 0))
  return emit.reshape(c.g, emit.scatterElements(c.g, zeros, flat(places), flat(x), lead.length), [...lead, ...size])
}

export const poolOps: OpTable = {
  max_pool1d: maxPool(1),
  max_pool2d: maxPool(2),
  max_pool3d: maxPool(3),
  max_pool1d_with_indices: maxPoolWithIndices(1),
  max_pool2d_with_indices: maxPoolWithIndices(2),
  max_pool3d_with_indices: maxPoolWithIndices(3),
  avg_pool1d: avgPool(1),
  avg_pool2d: avgPool(2),
  avg_pool3d: avgPool(3),
  adaptive_avg_pool1d: adaptive(1, 'Average'),
  adaptive_avg_pool2d: adaptive(2, 'Average'),
  _adaptive_avg_pool2d: adaptive(2, 'Average'),
  adaptive_avg_pool3d: adaptive(3, 'Average'),
  _adaptive_avg_pool3d: adaptive(3, 'Average'),
  adaptive_max_pool1d: adaptive(1, 'Max', true),
  adaptive_max_pool2d: adaptive(2, 'Max', true),
  adaptive_max_pool3d: adaptive(3, 'Max', true),
  max_unpool2d: maxUnpool,
  max_unpool3d: maxUnpool,
}
