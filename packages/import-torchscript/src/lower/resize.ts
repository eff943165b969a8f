import { type Dim, dims, emit, refuse, type Value, vector } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { toDim, toWhole } from '../scalars.ts'
import { type Py, SymFloat } from '../values.ts'
import { batched } from './conv.ts'
import { like } from './helpers.ts'
import { agrees, gathered } from './nearest.ts'

/** Images larger, smaller and padded. Torch: aten/src/ATen/native/UpSample.h, PadNd.cpp (2.4); ONNX: Resize 19, Pad 19. */

/** Sizes and scales given; torch takes a scale for the coordinates only where the caller gave one. */
interface Target {
  readonly sizes: readonly Dim[]
  readonly scales: readonly (number | undefined)[]
}

function target(c: Call, x: Value, n: number): Target {
  const spatial = x.shape.slice(-n)
  const factors = scaleFactors(c)
  const given = c.items(c.has('output_size') ? 'output_size' : 'size')
  if (given.length > 0) {
    const sizes = spatial.map((_, i) => toDim(c.vm, given[given.length === 1 ? 0 : i]))
    return {
      sizes,
      scales: sizes.map((_, i) => (factors.length > 0 ? numberOf(factors[factors.length === 1 ? 0 : i]) : undefined)),
    }
  }
  if (factors.length === 0) throw refuse(`aten::${c.name} without a size or scale`)
  const sizes = spatial.map((d, i) => scaledSize(c, d, factors[factors.length === 1 ? 0 : i] ?? null))
  return { sizes, scales: sizes.map((_, i) => numberOf(factors[factors.length === 1 ? 0 : i])) }
}

const numberOf = (v: Py | undefined): number | undefined =>
  typeof v === 'number' ? v : typeof v === 'bigint' ? Number(v) : undefined

/** `scales_h`, `scales_w`, `scale_factors` or `scale_factor`, whichever the overload has. */
function scaleFactors(c: Call): readonly Py[] {
  for (const name of ['scale_factors', 'scale_factor']) if (c.has(name) && c.py(name) !== null) return c.items(name)
  const separate = ['scales_d', 'scales_h', 'scales_w', 'scales'].filter((name) => c.has(name))
  const values = separate.map((name) => c.py(name))
  return values.every((v) => v === null) ? [] : values
}

/** `floor(size · scale)`. */
function scaledSize(c: Call, size: Dim, factor: Py): Dim {
  const scale = numberOf(factor)
  if (scale === undefined) throw refuse(`aten::${c.name} by a scale that only a run knows`)
  return scaledBy(c, size, scale)
}

/** Known of a label where its rounding follows a fraction; otherwise the label is taken for the size it has. */
function scaledBy(c: Call, size: Dim, scale: number): Dim {
  if (typeof size === 'number') return Math.floor(size * scale)
  const scaled = toDim(c.vm, toWhole(c.vm, new SymFloat(size, scale), 'floor'))
  const follows = dims.fromInputs(scaled) && roundsAlike(scale)
  return dims.fromInputs(size) && !follows ? Math.floor(c.fixed(size) * scale) : scaled
}

/** Whether floats of 32 bits, which ONNX Runtime multiplies, come to the sizes that torch's come to, at all common ones. */
function roundsAlike(scale: number): boolean {
  const single = Math.fround(scale)
  for (let size = 1; size <= 16_384; size++)
    if (Math.floor(Math.fround(single * size)) !== Math.floor(size * scale)) return false
  return true
}

type Mode = 'nearest' | 'linear' | 'cubic'

function resize(
  c: Call,
  given: Value,
  n: number,
  mode: Mode,
  t: Target,
  coordinates: string,
  antialias = false,
): Value {
  if (given.dtype === 'uint8' && mode !== 'nearest') return resizedBytes(c, given, n, mode, t, coordinates, antialias)
  return batched(c.g, given, n + 2, (x) => {
    const shape = [...x.shape.slice(0, 2), ...t.sizes]
    if (x.shape.every((d, i) => dims.same(d, shape[i] ?? 1))) return x
    const dtype = emit.kernelType('Resize', x.dtype)
    const attributes = {
      mode,
      coordinate_transformation_mode: coordinates,
      // nearest-exact takes floor((i + 0.5) · scale), which is i + 0.5 rounded up at the half.
      ...(mode === 'nearest' ? { nearest_mode: coordinates === 'half_pixel' ? 'round_prefer_ceil' : 'floor' } : {}),
      ...(mode === 'cubic' ? { cubic_coeff_a: { float: antialias ? -0.5 : -0.75 } } : {}),
      ...(antialias ? { antialias: 1, exclude_outside: 1 } : {}),
    }
    // Scales reproduce the coordinates torch takes from them; sizes do elsewhere.
    const byScale = t.scales.every((s, i) => {
      const [size, out] = [x.shape[i + 2] ?? 1, t.sizes[i] ?? 1]
      return s !== undefined && dims.same(out, s === 1 ? size : scaledBy(c, size, s))
    })
    const native = shape.map((out, i) => (i < 2 ? out : nativeSize(x.shape[i] ?? 1, t.scales[i - 2] ?? 1, out)))
    const inputs = byScale
      ? [
          emit.cast(c.g, x, dtype),
          undefined,
          c.g.numbers('float32', [n + 2], [1, 1, ...t.scales.map((s) => s ?? 1)]),
          undefined,
        ]
      : [emit.cast(c.g, x, dtype), undefined, undefined, vector(shape)]
    const y = byScale
      ? cutTo(c, c.g.one('Resize', inputs, dtype, native, attributes), shape)
      : c.g.one('Resize', inputs, dtype, shape, attributes)
    return emit.cast(c.g, y, x.dtype)
  })
}

/**
 * Bytes are made wider, rounded to bytes, then made higher and rounded again, halves up. Torch multiplies them by weights of 16
 * bits, here they are floats: of a hundred bytes some are one off where that decides how a half is rounded.
 * @see aten/src/ATen/native/cpu/UpSampleKernelAVXAntialias.h (2.4)
 */
function resizedBytes(
  c: Call,
  x: Value,
  n: number,
  mode: Mode,
  t: Target,
  coordinates: string,
  antialias: boolean,
): Value {
  const spatial = t.sizes.map((_, i) => x.shape.length - n + i)
  const resized = spatial.reduceRight<Value>(
    (y, axis, i) => {
      const size = t.sizes[i] ?? 1
      if (dims.same(y.shape[axis] ?? 1, size)) return y
      const scale = t.scales[i]
      const one: Target = {
        sizes: spatial.map((other) => (other === axis ? size : (y.shape[other] ?? 1))),
        scales: spatial.map((other) => (other === axis ? scale : scale === undefined ? undefined : 1)),
      }
      const z = resize(c, y, n, mode, one, coordinates, antialias)
      const rounded = emit.unary(c.g, 'Floor', emit.binary(c.g, 'Add', z, like(z, 0.5)))
      return emit.clip(c.g, rounded, like(z, 0), like(z, 255))
    },
    emit.cast(c.g, x, 'float32'),
  )
  return emit.cast(c.g, resized, 'uint8')
}

/** Size that ONNX Runtime makes of one: it multiplies floats of 32 bits. */
const nativeSize = (size: Dim, scale: number, out: Dim): Dim =>
  typeof size === 'number' ? Math.floor(Math.fround(Math.fround(scale) * size)) : out

/** Without what lies beyond torch's sizes. */
function cutTo(c: Call, x: Value, shape: readonly Dim[]): Value {
  return shape.reduce<Value>((y, size, axis) => {
    const has = y.shape[axis] ?? 1
    if (dims.same(has, size)) return y
    if (typeof has === 'number' && typeof size === 'number' && has < size)
      throw refuse(`aten::${c.name} by a scale that ONNX Runtime rounds otherwise`, '', 'Give the size instead')
    return emit.slice(c.g, y, axis, 0, size)
  }, x)
}

const upsample =
  (n: number, mode: Mode, nearestExact = false, antialias = false): Lower =>
  (c) => {
    const x = c.tensor(c.has('self') ? 'self' : 'input')
    const aligned = c.has('align_corners') && c.py('align_corners') !== null && c.bool('align_corners')
    return resampled(c, x, n, mode, target(c, x, n), { aligned, nearestExact, antialias })
  }

function resampled(
  c: Call,
  x: Value,
  n: number,
  mode: Mode,
  t: Target,
  o: { aligned: boolean; nearestExact: boolean; antialias: boolean },
): Value {
  if (mode === 'nearest') {
    const axes = t.sizes.map((out, i) => {
      const size = x.shape.at(i - n) ?? 1
      return { size, out, scale: t.scales[i], isExact: o.nearestExact }
    })
    if (!axes.every(agrees)) return axes.reduce((y, a, i) => gathered(c, y, x.shape.length - n + i, a), x)
    if (!o.nearestExact) return resize(c, x, n, mode, t, 'asymmetric')
  }
  // pytorch_half_pixel and half_pixel differ only where the output is 1 long, for which torch takes half_pixel.
  return resize(c, x, n, mode, t, o.aligned ? 'align_corners' : 'half_pixel', o.antialias)
}

/** `F.interpolate` of scripted code of old releases. */
const interpolate: Lower = (c) => {
  const x = c.tensor('input')
  const n = x.shape.length - 2
  const mode = c.string('mode')
  const aligned = c.py('align_corners') !== null && c.bool('align_corners')
  const t = target(c, x, n)
  const scales = c.py('recompute_scale_factor') === true ? t.scales.map(() => undefined) : t.scales
  if (mode === 'area') throw refuse('aten::__interpolate by area', '', 'Use adaptive_avg_pool')
  const kind: Mode = mode.includes('cubic') ? 'cubic' : mode.includes('linear') ? 'linear' : 'nearest'
  return resampled(
    c,
    x,
    n,
    kind,
    { ...t, scales },
    { aligned, nearestExact: mode === 'nearest-exact', antialias: c.has('antialias') && c.bool('antialias') },
  )
}

const modes: Readonly<Record<string, string>> = {
  constant: 'constant',
  reflect: 'reflect',
  replicate: 'edge',
  circular: 'wrap',
}

/** Amounts run from the last axis to the first, before and after. */
function padded(c: Call, x: Value, amounts: readonly Dim[], mode: string, value: Value | undefined): Value {
  const rank = x.shape.length
  const before = new Array<Dim>(rank).fill(0)
  const after = new Array<Dim>(rank).fill(0)
  for (let i = 0; 2 * i < amounts.length; i++) {
    before[rank - 1 - i] = amounts[2 * i] ?? 0
    after[rank - 1 - i] = amounts[2 * i + 1] ?? 0
  }
  // What is empty stays so: ONNX Runtime would look for an edge to repeat.
  const shape = x.shape.map((d, i) => dims.add(d, dims.add(before[i] ?? 0, after[i] ?? 0)))
  if (shape.includes(0) && mode !== 'constant') return emit.full(c.g, shape, like(x, 0))
  // ONNX Runtime pads no bools, nor numbers of 16 bits that are no floats.
  const dtype = x.dtype === 'bool' ? 'uint8' : x.dtype === 'int16' ? 'int32' : x.dtype
  const padding = value && emit.cast(c.g, value, dtype)
  return emit.cast(c.g, emit.pad(c.g, emit.cast(c.g, x, dtype), before, after, mode, padding), x.dtype)
}

const pad: Lower = (c) => {
  const x = c.tensor('self')
  const mode = modes[c.has('mode') ? c.string('mode') : 'constant']
  if (!mode) throw refuse(`a padding of mode ${c.string('mode')}`)
  const value =
    c.has('value') && c.py('value') !== null && mode === 'constant'
      ? emit.cast(c.g, emit.reshape(c.g, c.operand('value').value, []), x.dtype)
      : undefined
  return padded(c, x, c.dims('pad'), mode, value)
}

const padBy =
  (mode: string): Lower =>
  (c) =>
    padded(c, c.tensor('self'), c.dims('padding'), mode, undefined)

/** Channels into places, or places into channels. */
const pixelShuffle: Lower = (c) => {
  const x = c.tensor('self')
  const r = c.int('upscale_factor')
  const lead = x.shape.slice(0, -3)
  const [C = 1, H = 1, W = 1] = x.shape.slice(-3)
  const out = dims.floorDiv(C, r * r)
  const n = lead.length
  const split = emit.reshape(c.g, x, [...lead, out, r, r, H, W])
  const order = [...lead.map((_, i) => i), n, n + 3, n + 1, n + 4, n + 2]
  return emit.reshape(c.g, emit.transpose(c.g, split, order), [...lead, out, dims.mul(H, r), dims.mul(W, r)])
}

const pixelUnshuffle: Lower = (c) => {
  const x = c.tensor('self')
  const r = c.int('downscale_factor')
  const lead = x.shape.slice(0, -3)
  const [C = 1, H = 1, W = 1] = x.shape.slice(-3)
  const n = lead.length
  const split = emit.reshape(c.g, x, [...lead, C, dims.floorDiv(H, r), r, dims.floorDiv(W, r), r])
  const order = [...lead.map((_, i) => i), n, n + 2, n + 4, n + 1, n + 3]
  return emit.reshape(c.g, emit.transpose(c.g, split, order), [
    ...lead,
    dims.mul(C, r * r),
    dims.floorDiv(H, r),
    dims.floorDiv(W, r),
  ])
}

export const resizeOps: OpTable = {
  upsample_nearest1d: upsample(1, 'nearest'),
  upsample_nearest2d: upsample(2, 'nearest'),
  upsample_nearest3d: upsample(3, 'nearest'),
  _upsample_nearest_exact1d: upsample(1, 'nearest', true),
  _upsample_nearest_exact2d: upsample(2, 'nearest', true),
  _upsample_nearest_exact3d: upsample(3, 'nearest', true),
  upsample_linear1d: upsample(1, 'linear'),
  upsample_bilinear2d: upsample(2, 'linear'),
  upsample_trilinear3d: upsample(3, 'linear'),
  upsample_bicubic2d: upsample(2, 'cubic'),
  _upsample_bilinear2d_aa: upsample(2, 'linear', false, true),
  _upsample_bicubic2d_aa: upsample(2, 'cubic', false, true),
  __interpolate: interpolate,
  pad,
  constant_pad_nd: pad,
  _pad_circular: (c) => padded(c, c.tensor('self'), c.dims('pad'), 'wrap', undefined),
  reflection_pad1d: padBy('reflect'),
  reflection_pad2d: padBy('reflect'),
  reflection_pad3d: padBy('reflect'),
  replication_pad1d: padBy('edge'),
  replication_pad2d: padBy('edge'),
  replication_pad3d: padBy('edge'),
  pixel_shuffle: pixelShuffle,
  pixel_unshuffle: pixelUnshuffle,
}
