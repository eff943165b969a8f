import { type Attributes, type Dim, dims, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import type { Lowering, Op, OpTable } from '../op.ts'
import { binary, compare, unary, where } from './elementwise.ts'
import { gather } from './index-ops.ts'
import { channelsFirst, fromChannelsFirst } from './layout.ts'
import { topK } from './no-rows.ts'

/** Images and boxes. TF: core/ops/image_ops.cc (2.16). ONNX: opset 20. */

/** How places of the result fall on places of the source. */
const placement = (op: Op): string =>
  op.attr.bool('half_pixel_centers') ? 'half_pixel' : op.attr.bool('align_corners') ? 'align_corners' : 'asymmetric'

function resize(op: Op, attributes: Attributes, keepsType: boolean): Value | ReturnType<typeof fromChannelsFirst> {
  const given = channelsFirst(op, op.tensor(0))
  const [height = 1, width = 1] = op.sizes(1)
  const x = keepsType && given.dtype !== 'float64' ? given : emit.cast(op.g, given, 'float32')
  const kernel = emit.kernelType('Resize', x.dtype)
  const shape = [x.shape[0] ?? 1, x.shape[1] ?? 1, height, width]
  const y = op.one(
    'Resize',
    [emit.cast(op.g, x, kernel), undefined, undefined, vector(shape)],
    kernel,
    shape,
    attributes,
  )
  return fromChannelsFirst(op, emit.cast(op.g, y, keepsType ? given.dtype : 'float32'))
}

const bilinear: Lowering = (op) => resize(op, { mode: 'linear', coordinate_transformation_mode: placement(op) }, false)

const nearest: Lowering = (op) => {
  const mode = placement(op)
  if (mode === 'half_pixel') {
    // TensorFlow takes floor((x + 0.5) · scale), without the half that others take off again: `half_pixel` and rounding up.
    return resize(
      op,
      { mode: 'nearest', coordinate_transformation_mode: 'half_pixel', nearest_mode: 'round_prefer_ceil' },
      true,
    )
  }
  return resize(
    op,
    {
      mode: 'nearest',
      coordinate_transformation_mode: mode,
      nearest_mode: mode === 'align_corners' ? 'round_prefer_ceil' : 'floor',
    },
    true,
  )
}

/** Steps of the table that TensorFlow reads weights from. @see core/kernels/image/resize_bicubic_op.cc kTableSize */
const cubicSteps = 1024

/**
 * Four neighbours per axis, weighted by a cubic kernel: Keys' (a = -0.5) without what is outside the image where half pixels
 * are meant, and a = -0.75 with the edge repeated before. Places are rounded to the steps of TensorFlow's table, which no
 * mode of ONNX's Resize does.
 */
const bicubic: Lowering = (op) => {
  const { g } = op
  let x = emit.cast(g, op.x(0), 'float32')
  for (const [i, size] of op.sizes(1).entries()) {
    const axis = i + 1
    const rank = x.shape.length - axis
    const limit = x.shape[axis] ?? 1
    const neighbours = cubicNeighbours(op, size, limit).map(({ index, weight }) => {
      const row = emit.gather(g, x, index, axis)
      return binary(
        op,
        'Mul',
        row,
        emit.unsqueeze(
          g,
          weight,
          Array.from({ length: rank - 1 }, (_, k) => k + 1),
        ),
      )
    })
    x = neighbours.reduce((sum, v) => binary(op, 'Add', sum, v))
  }
  return x
}

/** Indices and weights `[size]` of the four neighbours of each place. */
function cubicNeighbours(op: Op, size: Dim, limit: Dim): { readonly index: Value; readonly weight: Value }[] {
  const { g } = op
  const isHalf = op.attr.bool('half_pixel_centers')
  const a = isHalf ? -0.5 : -0.75
  const bin = (o: string, l: Value, r: Value): Value => binary(op, o, l, r)
  const c = (v: number): Value => scalar('float32', v)
  const float = (d: Dim): Value => emit.cast(g, scalar('int64', d), 'float32')
  const isAligned = op.attr.bool('align_corners') && size !== 1
  const less = (d: Dim): Value => float(isAligned ? dims.sub(d, 1) : d)
  const scale = bin('Div', less(limit), less(size))
  const place = emit.iota(g, size, 0, 1, 'float32')
  const at = isHalf ? bin('Sub', bin('Mul', bin('Add', place, c(0.5)), scale), c(0.5)) : bin('Mul', place, scale)
  const low = unary(op, 'Floor', at)
  const step = unary(op, 'Round', bin('Mul', bin('Sub', at, low), c(cubicSteps)))
  const near = bin('Div', step, c(cubicSteps))
  const far = bin('Sub', c(1), near)
  const inner = (t: Value): Value => {
    const sum = bin('Sub', bin('Mul', c(a + 2), t), c(a + 3))
    return bin('Add', bin('Mul', bin('Mul', sum, t), t), c(1))
  }
  const outer = (t: Value): Value => {
    const u = bin('Add', t, c(1))
    const sum = bin('Add', bin('Mul', bin('Sub', bin('Mul', c(a), u), c(5 * a)), u), c(8 * a))
    return bin('Sub', bin('Mul', sum, u), c(4 * a))
  }
  const last = float(dims.sub(limit, 1))
  const found = [outer(near), inner(near), inner(far), outer(far)].map((weight, k) => {
    const index = bin('Add', low, c(k - 1))
    const held = bin('Min', bin('Max', index, c(0)), last)
    const isIn = compare(op, 'Equal', held, index)
    return { index: emit.cast(g, held, 'int64'), weight: isHalf ? where(op, isIn, weight, c(0)) : weight }
  })
  if (!isHalf) return found
  const total = found.map(({ weight }) => weight).reduce((sum, w) => bin('Add', sum, w))
  return found.map(({ index, weight }) => ({ index, weight: bin('Div', weight, total) }))
}

/**
 * Boxes cut out of images and resized, by sampling: the place in the source of each place of the result, between its four
 * neighbours, with a value of its own outside the image.
 * @see core/kernels/image/crop_and_resize_op.cc
 */
const cropAndResize: Lowering = (op) => {
  const { g } = op
  const image = emit.cast(g, op.x(0), 'float32')
  const boxes = op.x(1)
  const [outHeight = 1, outWidth = 1] = op.sizes(3)
  const isNearest = op.attr.string('method', 'bilinear') === 'nearest'
  const n = boxes.shape[0] ?? 1
  const float = (d: Dim): Value => emit.cast(g, scalar('int64', d), 'float32')
  const bin = (o: string, a: Value, b: Value): Value => binary(op, o, a, b)
  const places = (low: number, high: number, count: Dim, size: Dim): Value => {
    const from = emit.unsqueeze(g, emit.select(g, boxes, 1, low), [1])
    const to = emit.unsqueeze(g, emit.select(g, boxes, 1, high), [1])
    const last = float(dims.sub(size, 1))
    if (count === 1) return bin('Mul', bin('Mul', bin('Add', from, to), scalar('float32', 0.5)), last)
    const step = bin('Div', bin('Mul', bin('Sub', to, from), last), float(dims.sub(count, 1)))
    return bin('Add', bin('Mul', from, last), bin('Mul', emit.iota(g, count, 1, 2, 'float32'), step))
  }
  const [, height = 1, width = 1] = image.shape
  const y = emit.unsqueeze(g, places(0, 2, outHeight, height), [2])
  const x = emit.unsqueeze(g, places(1, 3, outWidth, width), [1])
  const inside = (v: Value, size: Dim): Value =>
    compare(
      op,
      'And',
      compare(op, 'GreaterOrEqual', v, scalar('float32', 0)),
      compare(op, 'LessOrEqual', v, float(dims.sub(size, 1))),
    )
  const held = (v: Value, size: Dim): Value =>
    emit.cast(g, bin('Min', bin('Max', v, scalar('float32', 0)), float(dims.sub(size, 1))), 'int64')
  const shape = [n, outHeight, outWidth]
  const batch = emit.expand(g, emit.unsqueeze(g, emit.cast(g, op.x(2), 'int64'), [1, 2]), shape)
  const at = (row: Value, column: Value): Value => {
    const coordinates = [
      batch,
      emit.expand(g, held(row, height), shape),
      emit.expand(g, held(column, width), shape),
    ].map((c) => emit.unsqueeze(g, c, [3]))
    return emit.gatherND(g, image, emit.concat(g, coordinates, 3))
  }
  const sampled = (): Value => {
    const nearestTo = (v: Value): Value => unary(op, 'Floor', bin('Add', v, scalar('float32', 0.5)))
    if (isNearest) return at(nearestTo(y), nearestTo(x))
    const [top, left] = [unary(op, 'Floor', y), unary(op, 'Floor', x)]
    const [bottom, right] = [unary(op, 'Ceil', y), unary(op, 'Ceil', x)]
    const [dy, dx] = [emit.unsqueeze(g, bin('Sub', y, top), [3]), emit.unsqueeze(g, bin('Sub', x, left), [3])]
    const mix = (a: Value, b: Value, t: Value): Value => bin('Add', a, bin('Mul', bin('Sub', b, a), t))
    return mix(mix(at(top, left), at(top, right), dx), mix(at(bottom, left), at(bottom, right), dx), dy)
  }
  const isInside = emit.unsqueeze(g, compare(op, 'And', inside(y, height), inside(x, width)), [3])
  const outside = scalar('float32', op.attr.float('extrapolation_value', 0))
  return where(op, isInside, sampled(), outside)
}

/** Boxes `[n, 4]`, scores `[n]`: indices kept, best first. */
function suppress(op: Op, boxes: Value, scores: Value, most: Value, overlap: Value, least: Value | undefined): Value {
  const n = op.g.freshDim('kept')
  const inputs = [
    emit.unsqueeze(op.g, boxes, [0]),
    emit.unsqueeze(op.g, scores, [0, 1]),
    emit.cast(op.g, emit.reshape(op.g, most, [1]), 'int64'),
    emit.reshape(op.g, overlap, [1]),
    least && emit.reshape(op.g, least, [1]),
  ]
  const rows = op.one('NonMaxSuppression', inputs, 'int64', [n, 3])
  return emit.select(op.g, rows, 1, 2)
}

const nms: Lowering = (op) => {
  const overlap = op.count > 3 ? op.x(3) : scalar('float32', op.attr.float('iou_threshold', 0.5))
  return emit.cast(op.g, suppress(op, op.x(0), op.x(1), op.x(2), overlap, op.count > 4 ? op.x(4) : undefined), 'int32')
}

/** V4 and V5 pad what is kept with zeros to a fixed length, and say how much is real. */
const nmsPadded =
  (scored: boolean): Lowering =>
  (op) => {
    if (scored && op.x(5).elements?.[0] !== 0)
      throw refuse('scores lowered by overlap are not supported', op.node.name, 'Export with soft_nms_sigma 0')
    const kept = suppress(op, op.x(0), op.x(1), op.x(2), op.x(3), op.x(4))
    const count = kept.shape[0] ?? 0
    const padded = (v: Value): Value => {
      if (!op.attr.bool('pad_to_max_output_size')) return v
      const most = op.sizes(2)[0] ?? 0
      return emit.pad(op.g, v, [0], [dims.sub(most, count)])
    }
    const padIndices = padded(kept)
    const scores = padded(emit.gather(op.g, op.x(1), kept, 0))
    const valid = emit.cast(op.g, scalar('int64', count), 'int32')
    const indices = emit.cast(op.g, padIndices, 'int32')
    return scored ? [indices, scores, valid] : [indices, valid]
  }

/**
 * Boxes `[B, n, q, 4]` and scores `[B, n, C]`: the best of each class, then the best of all, with zeros behind them.
 * @see core/kernels/image/non_max_suppression_op.cc CombinedNonMaxSuppressionOp
 */
const nmsCombined: Lowering = (op) => {
  const { g } = op
  const [boxes, scores] = [op.x(0), op.x(1)]
  const [batch = 1, n = 1, q = 1] = boxes.shape
  const classes = scores.shape[2] ?? 1
  const [perClass = 0, total = 0] = [op.sizes(2)[0], op.sizes(3)[0]]
  const size = op.attr.bool('pad_per_class') ? dims.min(total, dims.mul(perClass, classes)) : total
  const rows = dims.mul(batch, classes)
  // Each class of each image is an image of its own, since boxes may differ by class.
  const perRow = emit.reshape(
    g,
    emit.expand(g, emit.transpose(g, boxes, [0, 2, 1, 3]), [batch, q === 1 ? classes : q, n, 4]),
    [rows, n, 4],
  )
  const scored = emit.reshape(g, emit.transpose(g, scores, [0, 2, 1]), [rows, 1, n])
  const one = (x: Value): Value => emit.reshape(g, x, [1])
  const limit = [emit.cast(g, one(op.x(2)), 'int64'), one(op.x(4)), one(op.x(5))]
  const kept = op.one('NonMaxSuppression', [perRow, scored, ...limit], 'int64', [g.freshDim('kept'), 3])
  const place = emit.gather(g, kept, vector([0, 2]), 1)
  const flatScores = emit.reshape(g, scored, [rows, n])
  const nothing = scalar('float32', -3.4028234663852886e38)
  const best = emit.scatterND(g, emit.full(g, [rows, n], nothing), place, emit.gatherND(g, flatScores, place))
  // As many more places as are asked for, so that there always are enough.
  const all = dims.mul(classes, n)
  const candidates = emit.concat(g, [emit.reshape(g, best, [batch, all]), emit.full(g, [batch, size], nothing)], 1)
  const [top, at] = topK(g, candidates, size, 1, {})
  const isReal = compare(op, 'Greater', top, nothing)
  const index = emit.cast(g, binary(op, 'Min', at, scalar('int64', dims.sub(all, 1))), 'int64')
  const found = gather(op, emit.reshape(g, perRow, [batch, all, 4]), index, 1, 1)
  const held = op.attr.bool('clip_boxes', true)
    ? emit.clip(g, found, scalar('float32', 0), scalar('float32', 1))
    : found
  const real = (x: Value, mask = isReal): Value => where(op, mask, x, scalar('float32', 0))
  return [
    real(held, emit.unsqueeze(g, isReal, [2])),
    real(top),
    real(emit.cast(g, binary(op, 'Div', index, scalar('int64', n)), 'float32')),
    emit.reduce(g, 'ReduceSum', emit.cast(g, isReal, 'int32'), [1]),
  ]
}

/** Away from, or nearer to, the mean of each channel of each image. */
const adjustContrast: Lowering = (op) => {
  const x = op.x(0)
  const rank = x.shape.length
  const mean = emit.reduce(op.g, 'ReduceMean', x, [rank - 3, rank - 2], true)
  return binary(op, 'Add', binary(op, 'Mul', binary(op, 'Sub', x, mean), op.x(1)), mean)
}

export const imageOps: OpTable = {
  AdjustContrastv2: adjustContrast,
  ResizeBilinear: bilinear,
  ResizeNearestNeighbor: nearest,
  ResizeBicubic: bicubic,
  CombinedNonMaxSuppression: nmsCombined,
  CropAndResize: cropAndResize,
  NonMaxSuppression: nms,
  NonMaxSuppressionV2: nms,
  NonMaxSuppressionV3: nms,
  NonMaxSuppressionV4: nmsPadded(false),
  NonMaxSuppressionV5: nmsPadded(true),
}
