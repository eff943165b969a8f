import { type Dim, dims, emit, type GraphBuilder, refuse, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, type Result, tuple } from '../call.ts'

/** Convolutions. Torch: aten/src/ATen/native/Convolution.cpp (2.4); ONNX: Conv 11, ConvTranspose 11. */

export interface ConvOptions {
  readonly stride: readonly number[]
  /** Before and after each axis. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

/** A convolution of `[N, C, …]`, or of `[C, …]` without a batch. */
export function conv(g: GraphBuilder, given: Value, weight: Value, bias: Value | undefined, o: ConvOptions): Value {
  return batched(g, given, weight.shape.length, (x) => {
    const kernel = weight.shape.slice(2).map((d) => fixed(g, d))
    const spatial = kernel.map((k, i) => {
      const size = dims.add(
        x.shape[i + 2] ?? 1,
        (o.before[i] ?? 0) + (o.after[i] ?? 0) - (o.dilation[i] ?? 1) * (k - 1) - 1,
      )
      return dims.add(dims.floorDiv(size, o.stride[i] ?? 1), 1)
    })
    const attributes = {
      kernel_shape: kernel,
      strides: o.stride,
      dilations: o.dilation,
      pads: [...o.before, ...o.after],
      group: o.groups,
    }
    const dtype = emit.kernelType('Conv', x.dtype)
    const inputs = [x, weight, bias].map((v) => v && emit.cast(g, v, dtype))
    return emit.cast(
      g,
      g.one('Conv', inputs, dtype, [x.shape[0] ?? 1, weight.shape[0] ?? 1, ...spatial], attributes),
      x.dtype,
    )
  })
}

/** Windows have fixed sizes, even where a request brings the weights. */
function fixed(g: GraphBuilder, d: Dim): number {
  const size = g.guards.pin(d)
  if (size === undefined) throw refuse('a convolution whose weights depend on data in their shape')
  return size
}

/** Adds the batch that an operator of ONNX asks for, and takes it off again. */
export function batched(g: GraphBuilder, x: Value, rank: number, lower: (x: Value) => Value): Value {
  if (x.shape.length === rank) return lower(x)
  return emit.squeeze(g, lower(emit.unsqueeze(g, x, [0])), [0])
}

function convTranspose(
  g: GraphBuilder,
  given: Value,
  weight: Value,
  bias: Value | undefined,
  o: Omit<ConvOptions, 'before' | 'after'> & { padding: readonly number[]; outputPadding: readonly number[] },
): Value {
  return batched(g, given, weight.shape.length, (x) => {
    const kernel = weight.shape.slice(2).map((d) => fixed(g, d))
    const spatial = kernel.map((k, i) => {
      const size = dims.mul(dims.sub(x.shape[i + 2] ?? 1, 1), o.stride[i] ?? 1)
      return dims.add(size, (o.dilation[i] ?? 1) * (k - 1) + (o.outputPadding[i] ?? 0) + 1 - 2 * (o.padding[i] ?? 0))
    })
    // ONNX Runtime takes an output padding below the stride; what is more is so much less padding behind.
    const after = o.padding.map((p, i) => {
      const more = o.outputPadding[i] ?? 0
      return more < (o.stride[i] ?? 1) ? p : Math.max(0, p - more)
    })
    const extra = o.padding.map((p, i) => (o.outputPadding[i] ?? 0) - p + (after[i] ?? 0))
    const attributes = {
      kernel_shape: kernel,
      strides: o.stride,
      dilations: o.dilation,
      pads: [...o.padding, ...after],
      output_padding: extra,
      group: o.groups,
    }
    const dtype = emit.kernelType('ConvTranspose', x.dtype)
    const inputs = [x, weight, bias].map((v) => v && emit.cast(g, v, dtype))
    const channels = dims.mul(weight.shape[1] ?? 1, o.groups)
    return emit.cast(
      g,
      g.one('ConvTranspose', inputs, dtype, [x.shape[0] ?? 1, channels, ...spatial], attributes),
      x.dtype,
    )
  })
}

/** Axes the window moves along. */
const spatialRank = (c: Call): number => c.tensor('weight').shape.length - 2

const convOp: Lower = (c) => {
  const n = spatialRank(c)
  const weight = c.tensor('weight')
  const stride = c.intsOf('stride', n)
  const dilation = c.has('dilation') ? c.intsOf('dilation', n) : new Array<number>(n).fill(1)
  const groups = c.has('groups') ? c.int('groups') : 1
  const bias = c.optionalTensor('bias')
  const mode = c.py('padding')
  if (typeof mode === 'string') {
    const kernel = weight.shape.slice(2).map((d) => c.fixed(d))
    // "same" puts the odd one behind.
    const total = kernel.map((k, i) => (mode === 'same' ? (dilation[i] ?? 1) * (k - 1) : 0))
    const before = total.map((t) => Math.floor(t / 2))
    return conv(c.g, c.tensor('input'), weight, bias, {
      stride,
      before,
      after: total.map((t, i) => t - (before[i] ?? 0)),
      dilation,
      groups,
    })
  }
  const padding = c.intsOf('padding', n)
  if (c.has('transposed') && c.bool('transposed')) {
    return convTranspose(c.g, c.tensor('input'), weight, bias, {
      stride,
      padding,
      dilation,
      groups,
      outputPadding: c.intsOf('output_padding', n),
    })
  }
  return conv(c.g, c.tensor(c.has('self') ? 'self' : 'input'), weight, bias, {
    stride,
    before: padding,
    after: padding,
    dilation,
    groups,
  })
}

const transposedOp: Lower = (c) => {
  const n = spatialRank(c)
  return convTranspose(c.g, c.tensor('input'), c.tensor('weight'), c.optionalTensor('bias'), {
    stride: c.intsOf('stride', n),
    padding: c.intsOf('padding', n),
    dilation: c.intsOf('dilation', n),
    groups: c.int('groups'),
    outputPadding: c.intsOf('output_padding', n),
  })
}

/** Columns of sliding windows, `[N, C·k, L]`, gathered by index. */
const im2col: Lower = (c) =>
  batched(c.g, c.tensor('self'), 4, (x) => {
    const { g } = c
    const [kernel, dilation, padding, stride] = ['kernel_size', 'dilation', 'padding', 'stride'].map((name) =>
      c.intsOf(name, 2),
    ) as [number[], number[], number[], number[]] // four names
    const padded = emit.pad(g, x, [0, 0, ...padding], [0, 0, ...padding])
    const [N = 1, C = 1] = x.shape
    let y = padded
    const counts: Dim[] = []
    for (const i of [0, 1]) {
      const length = padded.shape[2 + i] ?? 1
      const [k, d, s] = [kernel[i] ?? 1, dilation[i] ?? 1, stride[i] ?? 1]
      const count = dims.add(dims.floorDiv(dims.sub(length, d * (k - 1) + 1), s), 1)
      counts.push(count)
      const starts = emit.binary(g, 'Mul', emit.iota(g, count, 1, 2), c.g.numbers('int64', [], [s]))
      const offsets = c.g.numbers(
        'int64',
        [k, 1],
        Array.from({ length: k }, (_, j) => j * d),
      )
      // After the first axis: [N, C, k0, L0, W]; after the second: [N, C, k0, L0, k1, L1].
      y = emit.gather(g, y, emit.binary(g, 'Add', offsets, starts), i === 0 ? 2 : 4)
    }
    const ordered = emit.transpose(g, y, [0, 1, 2, 4, 3, 5])
    return emit.reshape(g, ordered, [N, dims.mul(C, (kernel[0] ?? 1) * (kernel[1] ?? 1)), dims.product(counts)])
  })

const col2im: Lower = (c) =>
  batched(c.g, c.tensor('self'), 3, (x) => {
    const size = c.dims('output_size')
    const [kernel, dilation, padding, stride] = ['kernel_size', 'dilation', 'padding', 'stride'].map((name) =>
      c.intsOf(name, 2),
    ) as [number[], number[], number[], number[]] // four names
    const channels = dims.floorDiv(x.shape[1] ?? 1, (kernel[0] ?? 1) * (kernel[1] ?? 1))
    const inputs = [x, { dtype: 'int64' as const, shape: [2], elements: size }, c.g.numbers('int64', [2], kernel)]
    return c.g.one('Col2Im', inputs, x.dtype, [x.shape[0] ?? 1, channels, ...size], {
      dilations: dilation,
      pads: [...padding, ...padding],
      strides: stride,
    })
  })

/** `g · v / |v|`, the norm over all axes but one. */
const weightNorm: Lower = (c) => {
  const v = c.tensor('v')
  const axis = c.int('dim')
  const axes = axis === -1 ? emit.allAxes(v) : emit.allAxes(v).filter((a) => a !== emit.axisOf(axis, v.shape.length))
  const length = emit.reduce(c.g, 'ReduceL2', v, axes, true)
  return emit.binary(c.g, 'Mul', v, emit.binary(c.g, 'Div', c.tensor('g'), length))
}

/** With the norms. */
const weightNormInterface: Lower = (c): Result => tuple(c.vm, weightNorm(c), c.tensor('g'))

export const convOps: OpTable = {
  _convolution: convOp,
  convolution: convOp,
  _convolution_mode: convOp,
  conv1d: convOp,
  conv2d: convOp,
  conv3d: convOp,
  thnn_conv2d: convOp,
  conv_transpose1d: transposedOp,
  conv_transpose2d: transposedOp,
  conv_transpose3d: transposedOp,
  im2col,
  col2im,
  _weight_norm: weightNorm,
  _weight_norm_interface: weightNormInterface,
  conv_tbc: (c) => {
    // [T, B, C] and weights [k, C, O].
    const x = emit.transpose(c.g, c.tensor('self'), [1, 2, 0])
    const pad = c.int('pad')
    const weight = emit.transpose(c.g, c.tensor('weight'), [2, 1, 0])
    const y = conv(c.g, x, weight, c.optionalTensor('bias'), {
      stride: [1],
      before: [pad],
      after: [pad],
      dilation: [1],
      groups: 1,
    })
    return emit.transpose(c.g, y, [2, 0, 1])
  },
}
