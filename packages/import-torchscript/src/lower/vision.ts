import { type Dim, dims, emit, scalar, type Value, vector } from '@eas/onnx'
import { type Call, type OpTable, tuple } from '../call.ts'

/** Operators of torchvision. torchvision/csrc/ops (0.19). */
export const visionOps: OpTable = {
  'torchvision::nms': (c) => suppress(c, c.tensor('dets'), c.tensor('scores'), c.float('iou_threshold')),

  'torchvision::roi_align': (c) => {
    const { boxes, batch } = regions(c)
    const ratio = c.int('sampling_ratio')
    return c.g.one('RoiAlign', [c.tensor('input'), boxes, batch], 'float32', pooledShape(c, boxes), {
      mode: 'avg',
      output_height: c.int('pooled_height'),
      output_width: c.int('pooled_width'),
      sampling_ratio: ratio > 0 ? ratio : 0,
      spatial_scale: { float: c.float('spatial_scale') },
      coordinate_transformation_mode: c.bool('aligned') ? 'half_pixel' : 'output_half_pixel',
    })
  },

  /** ONNX rounds corners as torchvision does; both give two results, of which models use the first. */
  'torchvision::roi_pool': (c) => {
    const shape = pooledShape(c, c.tensor('rois'))
    const pooled = c.g.one('MaxRoiPool', [c.tensor('input'), c.tensor('rois')], 'float32', shape, {
      pooled_shape: [c.int('pooled_height'), c.int('pooled_width')],
      spatial_scale: { float: c.float('spatial_scale') },
    })
    return tuple(c.vm, pooled, emit.full(c.g, shape, scalar('int32', 0)))
  },

  /** Each bin is read from channels of its own: all channels are read for all bins, and the bin's own are kept. */
  'torchvision::ps_roi_align': (c) => {
    const { g } = c
    const { boxes, batch } = regions(c)
    const [height, width] = [c.int('pooled_height'), c.int('pooled_width')]
    const all = g.one('RoiAlign', [c.tensor('input'), boxes, batch], 'float32', pooledShape(c, boxes), {
      mode: 'avg',
      output_height: height,
      output_width: width,
      sampling_ratio: Math.max(0, c.int('sampling_ratio')),
      spatial_scale: { float: c.float('spatial_scale') },
      coordinate_transformation_mode: 'half_pixel',
    })
    const [rois = 1, channels = 1] = all.shape
    const bins = height * width
    const outputs = dims.floorDiv(channels, bins)
    const shaped = emit.reshape(g, all, [rois, outputs, bins, bins])
    const own = emit.compare(g, 'Equal', emit.iota(g, bins, 2, 4), emit.iota(g, bins, 3, 4))
    const kept = emit.where(g, own, shaped, scalar('float32', 0))
    const shape = [rois, outputs, height, width]
    const pooled = emit.reshape(g, emit.reduce(g, 'ReduceSum', kept, [3]), shape)
    return tuple(c.vm, pooled, emit.full(g, shape, scalar('int32', 0)))
  },

  'torchvision::deform_conv2d': (c) => deformConv(c),
}

/** Indices of the boxes that are kept, best first. */
function suppress(c: Call, boxes: Value, scores: Value, threshold: number): Value {
  const { g } = c
  const n = boxes.shape[0] ?? 1
  // ONNX compares boxes of one class of one image: [1, n, 4] and [1, 1, n].
  const inputs = [
    emit.reshape(g, emit.cast(g, boxes, 'float32'), [1, n, 4]),
    emit.reshape(g, emit.cast(g, scores, 'float32'), [1, 1, n]),
    emit.cast(g, vector([n]), 'int64'),
    scalarRow(threshold),
  ]
  const kept = g.freshDim('kept')
  const rows = g.one('NonMaxSuppression', inputs, 'int64', [kept, 3])
  return emit.select(g, rows, 1, 2)
}

const scalarRow = (value: number): Value => ({ dtype: 'float32', shape: [1], elements: [Math.fround(value)] })

/** Rows of `[image, x1, y1, x2, y2]`, taken apart. */
function regions(c: Call): { boxes: Value; batch: Value } {
  const rois = emit.cast(c.g, c.tensor('rois'), 'float32')
  return {
    boxes: emit.slice(c.g, rois, 1, 1, 5),
    batch: emit.cast(c.g, emit.select(c.g, rois, 1, 0), 'int64'),
  }
}

const pooledShape = (c: Call, boxes: Value): Dim[] => [
  boxes.shape[0] ?? 1,
  c.tensor('input').shape[1] ?? 1,
  c.int('pooled_height'),
  c.int('pooled_width'),
]

/**
 * Deformable convolution: each tap of the kernel reads at its own offset, bilinearly, with zeros outside. Lowered to one
 * GridSample per group of offsets, over the taps in a row, and a product with the weights.
 */
function deformConv(c: Call): Value {
  const { g } = c
  const [x, weight, offset] = [c.tensor('input'), c.tensor('weight'), c.tensor('offset')]
  const [stride, padding, dilation] = ['stride', 'pad', 'dilation'].map((name) => [
    c.int(`${name}_h`),
    c.int(`${name}_w`),
  ]) as [number[], number[], number[]]
  const [groups, offsetGroups] = [c.int('groups'), c.int('offset_groups')]
  const [N = 1, C = 1, H = 1, W = 1] = x.shape
  const [O = 1, , kernelHeight = 1, kernelWidth = 1] = weight.shape.map((d) => c.fixed(d))
  const [, , outHeight = 1, outWidth = 1] = offset.shape
  const taps = kernelHeight * kernelWidth
  const channels = c.fixed(C)
  const perGroup = channels / offsetGroups
  const f = (v: number) => scalar('float32', v)
  const tapPlace = (axis: 0 | 1): Value => {
    const each = Array.from(
      { length: taps },
      (_, t) => (axis === 0 ? Math.floor(t / kernelWidth) : t % kernelWidth) * (dilation[axis] ?? 1),
    )
    const tap: Value = { dtype: 'float32', shape: [1, taps, 1, 1], elements: each }
    const out = emit.iota(g, axis === 0 ? outHeight : outWidth, 2 + axis, 4, 'float32')
    const start = emit.binary(g, 'Sub', emit.binary(g, 'Mul', out, f(stride[axis] ?? 1)), f(padding[axis] ?? 0))
    return emit.binary(g, 'Add', start, tap)
  }
  const scaled = (place: Value, size: Dim): Value => {
    // Pixel p is at (2p + 1) / size - 1 when corners are not aligned.
    const doubled = emit.binary(g, 'Add', emit.binary(g, 'Mul', place, f(2)), f(1))
    return emit.binary(g, 'Sub', emit.binary(g, 'Div', doubled, emit.cast(g, scalar('int64', size), 'float32')), f(1))
  }
  const sampled = Array.from({ length: offsetGroups }, (_, k) => {
    const mine = emit.slice(g, offset, 1, 2 * taps * k, 2 * taps * (k + 1))
    const pairs = emit.reshape(g, mine, [N, taps, 2, outHeight, outWidth])
    const y = scaled(emit.binary(g, 'Add', emit.select(g, pairs, 2, 0), tapPlace(0)), H)
    const xs = scaled(emit.binary(g, 'Add', emit.select(g, pairs, 2, 1), tapPlace(1)), W)
    const grid = emit.concat(g, [emit.unsqueeze(g, xs, [4]), emit.unsqueeze(g, y, [4])], 4)
    const rows = emit.reshape(g, grid, [N, dims.mul(taps, outHeight), outWidth, 2])
    const part = emit.slice(g, x, 1, perGroup * k, perGroup * (k + 1))
    const at = g.one('GridSample', [part, rows], 'float32', [N, perGroup, dims.mul(taps, outHeight), outWidth], {
      mode: 'linear',
      padding_mode: 'zeros',
      align_corners: 0,
    })
    const values = emit.reshape(g, at, [N, perGroup, taps, outHeight, outWidth])
    if (!c.bool('use_mask')) return values
    const mask = emit.slice(g, c.tensor('mask'), 1, taps * k, taps * (k + 1))
    return emit.binary(g, 'Mul', values, emit.unsqueeze(g, mask, [1]))
  })
  const pixels = dims.mul(outHeight, outWidth)
  const columns = emit.reshape(g, emit.concat(g, sampled, 1), [N, groups, (channels / groups) * taps, pixels])
  const kernels = emit.reshape(g, weight, [1, groups, O / groups, (channels / groups) * taps])
  const y = emit.reshape(g, emit.matmul(g, kernels, columns), [N, O, outHeight, outWidth])
  return emit.binary(g, 'Add', y, emit.reshape(g, c.tensor('bias'), [1, O, 1, 1]))
}
