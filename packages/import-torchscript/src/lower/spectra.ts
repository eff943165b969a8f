import { type Dim, dims, emit, isComplex, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'
import { complexOf, pairOf } from './complex-pair.ts'
import { asFloat, like } from './helpers.ts'

/**
 * Fourier transforms, as products with matrices of sines and cosines: exact to float32, and fast at the lengths that
 * spectrograms have. Torch: aten/src/ATen/native/SpectralOps.cpp (2.4).
 */

const { binary } = emit

/** Longest signal that a matrix transforms: 16 MB of weights, for complex numbers at half the length. */
const longest = 2048

/** What a transform is multiplied by, by its `norm`. */
function scaleOf(norm: string, n: number, isInverse: boolean): number {
  if (norm === 'ortho') return 1 / Math.sqrt(n)
  return (norm === 'forward') === isInverse ? 1 : 1 / n
}

const normOf = (c: Call): string => c.optionalString('norm') ?? 'backward'

/** `[rows, columns]` of what a function says. */
const matrix = (c: Call, x: Value, rows: number, columns: number, at: (i: number, j: number) => number): Value =>
  c.g.numbers(
    x.dtype,
    [rows, columns],
    Array.from({ length: rows * columns }, (_, k) => at(Math.floor(k / columns), k % columns)),
  )

function lengthOf(c: Call, n: Dim, most = longest): number {
  const length = c.fixed(n)
  if (length > most) throw refuse(`aten::${c.name} of ${length} numbers`, '', `Transform at most ${most} at once`)
  return length
}

const turn = (k: number, t: number, n: number): number => (2 * Math.PI * ((k * t) % n)) / n

/** Real `[…, n]` to pairs `[…, n / 2 + 1, 2]`, or `[…, n, 2]` when both sides are wanted. */
function realToPairs(c: Call, x: Value, n: number, oneSided: boolean, scale: number): Value {
  const bins = oneSided ? Math.floor(n / 2) + 1 : n
  const weights = matrix(c, x, n, 2 * bins, (t, j) => {
    const angle = turn(j >> 1, t, n)
    return scale * (j % 2 === 0 ? Math.cos(angle) : -Math.sin(angle))
  })
  return emit.reshape(c.g, emit.matmul(c.g, x, weights), [...x.shape.slice(0, -1), bins, 2])
}

/** Pairs `[…, n, 2]` to pairs. */
function pairsToPairs(c: Call, pair: Value, n: number, isInverse: boolean, scale: number): Value {
  const weights = matrix(c, pair, 2 * n, 2 * n, (i, j) => {
    const angle = turn(j >> 1, i >> 1, n) * (isInverse ? 1 : -1)
    // (a + bi)(cos + i sin): the real part is a·cos - b·sin, the imaginary a·sin + b·cos.
    if (i % 2 === j % 2) return scale * Math.cos(angle)
    return scale * (i % 2 === 0 ? Math.sin(angle) : -Math.sin(angle))
  })
  const flat = emit.reshape(c.g, pair, [...pair.shape.slice(0, -2), 2 * n])
  return emit.reshape(c.g, emit.matmul(c.g, flat, weights), pair.shape)
}

/** Pairs `[…, n / 2 + 1, 2]` of a spectrum whose other half mirrors them to real `[…, n]`. */
function pairsToReal(c: Call, pair: Value, n: number, scale: number): Value {
  const bins = Math.floor(n / 2) + 1
  const weights = matrix(c, pair, 2 * bins, n, (i, t) => {
    const k = i >> 1
    const times = k === 0 || 2 * k === n ? 1 : 2 // the others stand for their mirror images too
    return scale * times * (i % 2 === 0 ? Math.cos(turn(k, t, n)) : -Math.sin(turn(k, t, n)))
  })
  return emit.matmul(c.g, emit.reshape(c.g, pair, [...pair.shape.slice(0, -2), 2 * bins]), weights)
}

/** Cut, or lengthened by zeros, to `n` along an axis. */
function resized({ g }: Call, x: Value, axis: number, n: Dim): Value {
  const size = x.shape[axis] ?? 1
  if (dims.same(size, n)) return x
  const after: Dim[] = x.shape.map((_, i) => (i === axis ? n : 0))
  const grown = emit.pad(
    g,
    x,
    after.map(() => 0),
    after,
  )
  return emit.slice(g, grown, axis, 0, n)
}

/** The axis to transform put last, and how to put it back. */
function lastAxis({ g }: Call, x: Value, axis: number, trailing: number): { moved: Value; back: (y: Value) => Value } {
  const rank = x.shape.length - trailing
  const perm = [...emit.swapped(rank, axis, rank - 1), ...emit.allAxes(x).slice(rank)]
  return {
    moved: emit.transpose(g, x, perm),
    // What comes back may have lost its last axis of two, or gained one.
    back: (y) => emit.transpose(g, y, [...emit.swapped(rank, axis, rank - 1), ...emit.allAxes(y).slice(rank)]),
  }
}

/** One transform of complex numbers along an axis of a pair. */
function alongPair(c: Call, pair: Value, axis: number, n: Dim | undefined, isInverse: boolean): Value {
  const { moved, back } = lastAxis(c, n === undefined ? pair : resized(c, pair, axis, n), axis, 1)
  const length = lengthOf(c, moved.shape.at(-2) ?? 1, longest / 2)
  return back(pairsToPairs(c, moved, length, isInverse, scaleOf(normOf(c), length, isInverse)))
}

/** One transform of real numbers along an axis. */
function alongReal(c: Call, x: Value, axis: number, n: Dim | undefined, oneSided: boolean): Value {
  const { moved, back } = lastAxis(c, n === undefined ? x : resized(c, x, axis, n), axis, 0)
  const length = lengthOf(c, moved.shape.at(-1) ?? 1)
  return back(realToPairs(c, moved, length, oneSided, scaleOf(normOf(c), length, false)))
}

/** The inverse of `alongReal`. */
function toReal(c: Call, pair: Value, axis: number, n: Dim | undefined): Value {
  const bins = pair.shape[axis] ?? 1
  const length = lengthOf(c, n ?? dims.mul(dims.sub(bins, 1), 2))
  const { moved, back } = lastAxis(c, resized(c, pair, axis, Math.floor(length / 2) + 1), axis, 1)
  return back(pairsToReal(c, moved, length, scaleOf(normOf(c), length, true)))
}

/** Axes of a transform over several, and the length along each; the last two of `…2`, all of `…n` when none are given. */
function severalAxes(c: Call, rank: number): { axes: number[]; sizes: (Dim | undefined)[] } {
  const sizes = c.py('s') === null ? [] : c.dims('s')
  const given = c.py('dim') === null ? undefined : c.ints('dim')
  const axes = given?.map((a) => emit.axisOf(a, rank)) ?? Array.from({ length: rank }, (_, i) => i).slice(-sizes.length)
  return { axes, sizes: axes.map((_, i) => (sizes[i] === -1 ? undefined : sizes[i])) }
}

const single =
  (isInverse: boolean): Lower =>
  (c) => {
    const x = c.tensor('self')
    const axis = c.axis('dim', x.shape.length)
    const n = c.optionalDim('n')
    if (isComplex(x.dtype)) return complexOf(alongPair(c, pairOf(x), axis, n, isInverse))
    if (!isInverse) return complexOf(alongReal(c, asFloat(c), axis, n, false))
    return complexOf(alongPair(c, asPair(c, asFloat(c)), axis, n, true))
  }

/** Real numbers as pairs. */
const asPair = ({ g }: Call, x: Value): Value => {
  const column = emit.unsqueeze(g, x, [x.shape.length])
  return emit.concat(g, [column, binary(g, 'Mul', column, like(x, 0))], x.shape.length)
}

const several =
  (isInverse: boolean): Lower =>
  (c) => {
    const x = c.tensor('self')
    const { axes, sizes } = severalAxes(c, x.shape.length)
    let pair = isComplex(x.dtype) ? pairOf(x) : asPair(c, asFloat(c))
    for (const [i, axis] of axes.entries()) pair = alongPair(c, pair, axis, sizes[i], isInverse)
    return complexOf(pair)
  }

const severalReal: Lower = (c) => {
  const x = asFloat(c)
  const { axes, sizes } = severalAxes(c, x.shape.length)
  let pair = alongReal(c, x, axes.at(-1) ?? 0, sizes.at(-1), true)
  for (const [i, axis] of axes.slice(0, -1).entries()) pair = alongPair(c, pair, axis, sizes[i], false)
  return complexOf(pair)
}

const severalToReal: Lower = (c) => {
  const x = c.tensor('self')
  const { axes, sizes } = severalAxes(c, x.shape.length)
  let pair = isComplex(x.dtype) ? pairOf(x) : asPair(c, asFloat(c))
  for (const [i, axis] of axes.slice(0, -1).entries()) pair = alongPair(c, pair, axis, sizes[i], true)
  return toReal(c, pair, axes.at(-1) ?? 0, sizes.at(-1))
}

/** Halves of each axis exchanged. */
const shifted =
  (sign: 1 | -1): Lower =>
  (c) => {
    const given = c.tensor('self')
    const rank = given.shape.length
    let x = isComplex(given.dtype) ? pairOf(given) : given
    const axes = c.py('dim') === null ? Array.from({ length: rank }, (_, i) => i) : c.axes('dim', rank)
    for (const axis of axes) {
      const n = x.shape[axis] ?? 1
      const split = sign === 1 ? dims.ceilDiv(n, 2) : dims.floorDiv(n, 2)
      x = emit.concat(c.g, [emit.slice(c.g, x, axis, split, n), emit.slice(c.g, x, axis, 0, split)], axis)
    }
    return isComplex(given.dtype) ? complexOf(x) : x
  }

/** The window as long as a frame, zeros to both sides of it. */
function windowOf(c: Call, n: number, like: Value): Value | undefined {
  const length = c.optionalInt('win_length') ?? n
  const given = c.optionalTensor('window')
  const window = given ? emit.cast(c.g, given, like.dtype) : undefined
  if (length === n) return window
  const before = Math.floor((n - length) / 2)
  const one = window ?? emit.full(c.g, [length], scalar(like.dtype, 1))
  return emit.pad(c.g, one, [before], [n - length - before])
}

/** Spectra of frames that overlap: `[…, bins, frames]`. */
const shortTime: Lower = (c) => {
  const { g } = c
  const given = asFloat(c)
  const n = lengthOf(c, c.dim('n_fft'))
  const hop = c.optionalInt('hop_length') ?? Math.floor(n / 4)
  const rows = given.shape.length === 2 ? given : emit.unsqueeze(g, given, [0])
  const isCentred = c.has('center') && c.bool('center')
  const half = Math.floor(n / 2)
  const x = isCentred ? emit.pad(g, rows, [0, half], [0, half], padding[c.string('pad_mode')] ?? 'reflect') : rows
  const count = dims.add(dims.floorDiv(dims.sub(x.shape[1] ?? 1, n), hop), 1)
  const starts = binary(g, 'Mul', emit.iota(g, count, 0, 2), scalar('int64', hop))
  const frames = emit.gather(g, x, binary(g, 'Add', starts, emit.iota(g, n, 1, 2)), 1)
  const window = windowOf(c, n, x)
  const shown = window ? binary(g, 'Mul', frames, window) : frames
  const oneSided = c.py('onesided') === null || c.bool('onesided')
  const scale = c.bool('normalized') ? 1 / Math.sqrt(n) : 1
  const pair = emit.transpose(g, realToPairs(c, shown, n, oneSided, scale), [0, 2, 1, 3])
  const y = given.shape.length === 2 ? pair : emit.squeeze(g, pair, [0])
  return c.py('return_complex') === true ? complexOf(y) : y
}

const padding: Readonly<Record<string, string>> = { reflect: 'reflect', constant: 'constant', replicate: 'edge' }

/** Frames added up where they overlap, by the sum of their squared windows. */
const inverseShortTime: Lower = (c) => {
  const { g } = c
  const given = pairOf(c.tensor('self'))
  const pair = given.shape.length === 4 ? given : emit.unsqueeze(g, given, [0])
  const n = lengthOf(c, c.dim('n_fft'))
  const hop = c.optionalInt('hop_length') ?? Math.floor(n / 4)
  if (c.bool('return_complex') || c.py('onesided') === false)
    throw refuse('aten::istft of both sides of a spectrum', '', 'Use onesided=True and return_complex=False')
  const scale = c.bool('normalized') ? 1 / Math.sqrt(n) : 1 / n
  const frames = pairsToReal(c, emit.transpose(g, pair, [0, 2, 1, 3]), n, scale)
  const window = windowOf(c, n, frames) ?? emit.full(g, [n], scalar(frames.dtype, 1))
  const count = frames.shape[1] ?? 1
  const total = dims.add(dims.mul(dims.sub(count, 1), hop), n)
  const overlapped = (parts: Value): Value => {
    const size: Value = { dtype: 'int64', shape: [2], elements: [1, total] }
    const columns = emit.transpose(g, parts, [0, 2, 1])
    const image = g.one(
      'Col2Im',
      [columns, size, g.numbers('int64', [2], [1, n])],
      parts.dtype,
      [parts.shape[0] ?? 1, 1, 1, total],
      {
        strides: [1, hop],
      },
    )
    return emit.reshape(g, image, [parts.shape[0] ?? 1, total])
  }
  const sum = overlapped(binary(g, 'Mul', frames, window))
  const squares = emit.expand(g, binary(g, 'Mul', window, window), [1, count, n])
  const weight = overlapped(squares)
  const half = c.bool('center') ? Math.floor(n / 2) : 0
  const length = c.optionalDim('length')
  const end = length === undefined ? dims.sub(total, half) : dims.add(length, half)
  const cut = (x: Value): Value => resized(c, emit.slice(g, x, 1, half, dims.min(end, total)), 1, dims.sub(end, half))
  // Where no frame reaches, zeros stay zeros.
  const isReached = emit.compare(g, 'Greater', weight, like(weight, 1e-11)) // the bound of SpectralOps.cpp
  const y = cut(binary(g, 'Div', sum, emit.where(g, isReached, weight, like(weight, 1))))
  return given.shape.length === 4 ? y : emit.squeeze(g, y, [0])
}

/** Frequencies of bins. */
const frequencies =
  (oneSided: boolean): Lower =>
  (c) => {
    const n = lengthOf(c, c.dim('n'))
    const d = c.float('d')
    const count = oneSided ? Math.floor(n / 2) + 1 : n
    const at = (i: number): number => (!oneSided && i >= Math.ceil(n / 2) ? i - n : i) / (n * d)
    return c.g.numbers(
      c.dtype('dtype') ?? 'float32',
      [count],
      Array.from({ length: count }, (_, i) => at(i)),
    )
  }

/** Transforms, of complex tensors too. */
export const spectralOps: OpTable = {
  fft_fft: single(false),
  fft_ifft: single(true),
  fft_rfft: (c) => {
    const x = asFloat(c)
    return complexOf(alongReal(c, x, c.axis('dim', x.shape.length), c.optionalDim('n'), true))
  },
  fft_irfft: (c) => {
    const x = c.tensor('self')
    const pair = isComplex(x.dtype) ? pairOf(x) : asPair(c, asFloat(c))
    return toReal(c, pair, c.axis('dim', x.shape.length), c.optionalDim('n'))
  },
  fft_fft2: several(false),
  fft_fftn: several(false),
  fft_ifft2: several(true),
  fft_ifftn: several(true),
  fft_rfft2: severalReal,
  fft_rfftn: severalReal,
  fft_irfft2: severalToReal,
  fft_irfftn: severalToReal,
  fft_fftshift: shifted(1),
  fft_ifftshift: shifted(-1),
  fft_fftfreq: frequencies(false),
  fft_rfftfreq: frequencies(true),
  stft: shortTime,
  istft: inverseShortTime,
}
