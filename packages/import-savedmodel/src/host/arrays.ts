import type { Tensor } from '@eas/base'
import { refuse } from '@eas/onnx'
import type { HostAttrs, HostOp, HostTable } from './program.ts'
import { concatFlat } from './sparse.ts'
import {
  allocate,
  boolAttr,
  broadcast,
  bytesOf,
  dtypeAttr,
  fresh,
  invalid,
  latin1,
  listAttr,
  number,
  numberAttr,
  numbers,
  numericTensor,
  pick,
  placesIn,
  scalars,
  sizeOfShape,
  strides,
  strings,
  stringTensor,
  typed,
} from './values.ts'

/**
 * Operators that the graph has lowerings for, computed on the host where strings depend on them, or are what they move.
 * Types and shapes come from the lowering.
 */
export const op = (run: HostOp['run']): HostOp => ({
  run,
  infer: (o) => {
    throw refuse('it has no lowering of its own', o.node.name)
  },
})

export const first = (inputs: readonly Tensor[], i = 0): Tensor => {
  const t = inputs[i]
  if (!t) throw invalid(`input ${i} is missing`)
  return t
}
const withShape = (t: Tensor, shape: readonly number[]): Tensor => {
  if (sizeOfShape(shape) !== sizeOfShape(t.shape))
    throw invalid(`a tensor of shape [${t.shape}] cannot have the shape [${shape}]`)
  return { ...t, shape } as Tensor // the same elements
}
export const counted = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

export type Scalar = number | bigint | string
export const elements = (t: Tensor): readonly Scalar[] => (t.dtype === 'string' ? t.data.map(latin1) : scalars(t))

const none = new Uint8Array()

/** Strings are joined. */
export const joined: HostOp = {
  run: (inputs) => {
    const [a, b] = [first(inputs), first(inputs, 1)]
    const shape = broadcast(a.shape, b.shape)
    const [i, j] = [placesIn(a.shape, shape), placesIn(b.shape, shape)]
    const [left, right] = [strings(a), strings(b)]
    return [
      stringTensor(
        i.map((at, k) => Buffer.concat([left[at] ?? none, right[j[k] ?? 0] ?? none])),
        shape,
      ),
    ]
  },
  infer: (o) => [typed(o.tensor(0).dtype, o.e.broadcast(o.tensor(0).shape, o.tensor(1).shape))],
}

/** Shape `x` is picked from along an axis. */
function gather(x: Tensor, indices: Tensor, axis: number): Tensor {
  const at = numbers(indices)
  const size = x.shape[axis] ?? 1
  const outer = sizeOfShape(x.shape.slice(0, axis))
  const inner = sizeOfShape(x.shape.slice(axis + 1))
  const order: number[] = []
  allocate(outer * at.length * inner)
  for (let o = 0; o < outer; o++) {
    for (const i of at) {
      if (i < 0 || i >= size) throw invalid(`indices ${i} is not in [0, ${size})`)
      for (let k = 0; k < inner; k++) order.push((o * size + i) * inner + k)
    }
  }
  return pick(x, order, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)])
}

function gatherNd(x: Tensor, indices: Tensor): Tensor {
  const depth = indices.shape.at(-1) ?? 0
  const flat = numbers(indices)
  const step = strides(x.shape)
  const inner = sizeOfShape(x.shape.slice(depth))
  const order: number[] = []
  const count = depth === 0 ? sizeOfShape(indices.shape.slice(0, -1)) : flat.length / depth
  for (let i = 0; i < count; i++) {
    let at = 0
    for (let k = 0; k < depth; k++) {
      const index = flat[i * depth + k] ?? 0
      if (index < 0 || index >= (x.shape[k] ?? 1))
        throw invalid(`indices[${i}] does not index into the shape [${x.shape}]`)
      at += index * (step[k] ?? 1)
    }
    for (let k = 0; k < inner; k++) order.push(at + k)
  }
  return pick(x, order, [...indices.shape.slice(0, -1), ...x.shape.slice(depth)])
}

function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const shape = tensors[0]?.shape ?? []
  const at = counted(axis, shape.length)
  const outer = sizeOfShape(shape.slice(0, at))
  const all = concatFlat(tensors)
  const blocks = tensors.map((t) => sizeOfShape(t.shape.slice(at)))
  const order: number[] = []
  for (let o = 0; o < outer; o++) {
    let base = 0
    for (const [i, t] of tensors.entries()) {
      const block = blocks[i] ?? 0
      for (let k = 0; k < block; k++) order.push(base + o * block + k)
      base += sizeOfShape(t.shape)
    }
  }
  const size = tensors.reduce((n, t) => n + (t.shape[at] ?? 1), 0)
  return pick(
    all,
    order,
    shape.map((d, i) => (i === at ? size : d)),
  )
}

/** Indices of each axis of an index expression; see the lowering of StridedSlice. */
function stridedSlice([x, begin, end, step]: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  const t = x ? x : first([])
  const [from, to, by] = [numbers(begin), numbers(end), numbers(step)]
  const mask = (name: string, i: number): boolean => ((numberAttr(attrs, name, 0) >> i) & 1) === 1
  const picks: number[][] = []
  const shape: number[] = []
  const used = by.filter((_, i) => !mask('ellipsis_mask', i) && !mask('new_axis_mask', i)).length
  let axis = 0
  const whole = (): void => {
    const size = t.shape[axis++] ?? 1
    picks.push(Array.from({ length: size }, (_, i) => i))
    shape.push(size)
  }
  for (const [i, stride] of by.entries()) {
    if (mask('ellipsis_mask', i)) for (let k = used; k < t.shape.length; k++) whole()
    else if (mask('new_axis_mask', i)) shape.push(1)
    else {
      const size = t.shape[axis++] ?? 1
      const place = (d: number): number => (d < 0 ? d + size : d)
      if (mask('shrink_axis_mask', i)) {
        const at = place(from[i] ?? 0)
        if (at < 0 || at >= size) throw invalid(`slice index ${from[i]} of dimension ${axis - 1} out of bounds`)
        picks.push([at])
        continue
      }
      const clamp = (d: number): number =>
        stride > 0 ? Math.max(0, Math.min(size, d)) : Math.max(-1, Math.min(size - 1, d))
      const start = mask('begin_mask', i) ? (stride > 0 ? 0 : size - 1) : clamp(place(from[i] ?? 0))
      const stop = mask('end_mask', i) ? (stride > 0 ? size : -1) : clamp(place(to[i] ?? 0))
      const list: number[] = []
      if (stride !== 0) for (let k = start; stride > 0 ? k < stop : k > stop; k += stride) list.push(k)
      picks.push(list)
      shape.push(list.length)
    }
  }
  while (axis < t.shape.length) whole()
  const steps = strides(t.shape)
  let order = [0]
  for (const [k, list] of picks.entries()) order = order.flatMap((base) => list.map((i) => base + i * (steps[k] ?? 1)))
  return [pick(t, order, shape)]
}

export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  const shape = perm.map((p) => x.shape[p] ?? 1)
  const [from, to] = [strides(x.shape), strides(shape)]
  const order = Array.from({ length: sizeOfShape(shape) }, (_, n) =>
    perm.reduce((at, p, k) => at + (Math.floor(n / (to[k] ?? 1)) % (shape[k] ?? 1)) * (from[p] ?? 1), 0),
  )
  return pick(x, order, shape)
}

function unique(x: Tensor, attrs: HostAttrs): Tensor[] {
  const places = new Map<Scalar, number>()
  const order: number[] = []
  const index = elements(x).map((e, i) => {
    const known = places.get(e)
    if (known !== undefined) return known
    places.set(e, order.length)
    order.push(i)
    return order.length - 1
  })
  const counts = new Array<number>(order.length).fill(0)
  for (const i of index) counts[i] = (counts[i] ?? 0) + 1
  const dtype = dtypeAttr(attrs, 'out_idx', 'int32')
  return [pick(x, order, [order.length]), numericTensor(dtype, index), numericTensor(dtype, counts)]
}

/** Elements of a table, kept between requests by the tensor of its keys. */
const tables = new WeakMap<Tensor, Map<Scalar, number>>()

function lookUp([keys, values, query, fallback]: readonly Tensor[]): Tensor[] {
  if (!keys || !values || !query || !fallback) return []
  let places = tables.get(keys)
  if (!places) {
    places = new Map(elements(keys).map((k, i) => [k, i]))
    tables.set(keys, places)
  }
  // A table may hold rows. Only those that are found are copied: it may be of millions.
  const row = values.shape.slice(1)
  const width = sizeOfShape(row)
  const rows = elements(query).map((q) => places.get(q) ?? -1)
  allocate(rows.length * width)
  const from = (start: number): number[] => Array.from({ length: width }, (_, k) => start + k)
  const hits = rows.filter((i) => i >= 0)
  const found = pick(
    values,
    hits.flatMap((i) => from(i * width)),
    [hits.length * width],
  )
  let next = 0
  const order = rows.flatMap((i) => from(i >= 0 ? width * next++ : hits.length * width))
  return [pick(concatFlat([found, fallback]), order, [...query.shape, ...row])]
}

const select = op((inputs) => {
  const [c, a, b] = [first(inputs), first(inputs, 1), first(inputs, 2)]
  const rows =
    c.shape.length === 1 && a.shape.length > 1 ? withShape(c, [...c.shape, ...a.shape.slice(1).map(() => 1)]) : c
  const shape = broadcast(broadcast(rows.shape, a.shape), b.shape)
  const [i, j, k] = [placesIn(rows.shape, shape), placesIn(a.shape, shape), placesIn(b.shape, shape)]
  const truth = numbers(rows)
  const size = sizeOfShape(a.shape)
  return [
    pick(
      concatFlat([a, b]),
      i.map((at, n) => (truth[at] ? (j[n] ?? 0) : size + (k[n] ?? 0))),
      shape,
    ),
  ]
})

const bucketize = (x: Tensor, boundaries: readonly number[]): Tensor =>
  numericTensor(
    'int32',
    numbers(x).map((v) => boundaries.filter((b) => b <= v).length),
    x.shape,
  )

/** How often each number comes: over all, or over each row. */
function tally(
  rows: readonly (readonly number[])[],
  size: number,
  weights: Tensor | undefined,
  attrs: HostAttrs,
): number[] {
  const counts = new Array<number>(allocate(rows.length * size)).fill(0)
  const weight = numbers(weights)
  const isBinary = boolAttr(attrs, 'binary_output')
  let i = 0
  for (const [r, row] of rows.entries()) {
    for (const v of row) {
      const by = weight[i++] ?? 1
      if (v < 0) throw invalid('numbers to be counted must not be negative')
      if (v < size) counts[r * size + v] = isBinary ? 1 : (counts[r * size + v] ?? 0) + by
    }
  }
  return counts
}

const bincount = op(([x, size, weights], attrs) => {
  const values = numbers(x)
  const [rows = 1, width = values.length] = x?.shape.length === 2 ? x.shape : [1]
  const split = Array.from({ length: rows }, (_, r) => values.slice(r * width, (r + 1) * width))
  const n = number(size)
  const shape = x?.shape.length === 2 ? [rows, n] : [n]
  return [numericTensor(dtypeAttr(attrs, 'T', 'int32'), tally(split, n, weights, attrs), shape)]
})

const raggedBincount: HostOp = {
  run: ([splits, values, size, weights], attrs) => {
    const flat = numbers(values)
    const ends = numbers(splits)
    const rows = ends.slice(1).map((end, i) => flat.slice(ends[i], end))
    const n = number(size)
    return [numericTensor(dtypeAttr(attrs, 'T', 'int32'), tally(rows, n, weights, attrs), [rows.length, n])]
  },
  infer: (o) => [typed(o.attr.dtype('T') ?? 'int32', [fresh(o), o.sizes(2)[0] ?? fresh(o)])],
}

export const arrayOps: HostTable = {
  Bincount: bincount,
  RaggedBincount: raggedBincount,
  DenseBincount: bincount,
  Select: select,
  SelectV2: select,
  Shape: op((inputs, attrs) => [numericTensor(dtypeAttr(attrs, 'out_type', 'int32'), first(inputs).shape)]),
  Size: op((inputs, attrs) => [
    numericTensor(dtypeAttr(attrs, 'out_type', 'int32'), [sizeOfShape(first(inputs).shape)], []),
  ]),
  Rank: op((inputs) => [numericTensor('int32', [first(inputs).shape.length], [])]),
  Reshape: op((inputs) => {
    const x = first(inputs)
    const target = numbers(inputs[1])
    const rest = target.filter((d) => d >= 0).reduce((a, b) => a * b, 1)
    return [
      withShape(
        x,
        target.map((d) => (d < 0 ? (rest === 0 ? 0 : sizeOfShape(x.shape) / rest) : d)),
      ),
    ]
  }),
  Squeeze: op((inputs, attrs) => {
    const x = first(inputs)
    const axes = listAttr(attrs, 'squeeze_dims').map((a) => counted(Number(a), x.shape.length))
    return [
      withShape(
        x,
        x.shape.filter((d, i) => (axes.length > 0 ? !axes.includes(i) : d !== 1)),
      ),
    ]
  }),
  ExpandDims: op((inputs) => {
    const x = first(inputs)
    const at = number(inputs[1])
    const axis = at < 0 ? at + x.shape.length + 1 : at
    return [withShape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)])]
  }),
  Transpose: op((inputs) => [transpose(first(inputs), numbers(inputs[1]))]),
  ConcatV2: op((inputs) => [concat(inputs.slice(0, -1), number(inputs.at(-1)))]),
  Pack: op((inputs, attrs) => {
    const axis = counted(numberAttr(attrs, 'axis', 0), first(inputs).shape.length + 1)
    return [
      concat(
        inputs.map((t) => withShape(t, [...t.shape.slice(0, axis), 1, ...t.shape.slice(axis)])),
        axis,
      ),
    ]
  }),
  Unpack: op((inputs, attrs) => {
    const x = first(inputs)
    const axis = counted(numberAttr(attrs, 'axis', 0), x.shape.length)
    return Array.from({ length: numberAttr(attrs, 'num', 0) }, (_, i) =>
      gather(x, numericTensor('int64', [i], []), axis),
    )
  }),
  StridedSlice: op(stridedSlice),
  Slice: op((inputs) => {
    const x = first(inputs)
    const [begin, size] = [numbers(inputs[1]), numbers(inputs[2])]
    return [
      x.shape.reduce(
        (t, d, axis) =>
          gather(
            t,
            numericTensor(
              'int64',
              Array.from(
                { length: (size[axis] ?? -1) < 0 ? d - (begin[axis] ?? 0) : (size[axis] ?? 0) },
                (_, i) => i + (begin[axis] ?? 0),
              ),
            ),
            axis,
          ),
        x,
      ),
    ]
  }),
  Gather: op((inputs) => [gather(first(inputs), first(inputs, 1), 0)]),
  GatherV2: op((inputs, attrs) => {
    if (numberAttr(attrs, 'batch_dims', 0) !== 0)
      throw invalid('looking up with batch dimensions in front of the model is not supported')
    return [gather(first(inputs), first(inputs, 1), counted(number(inputs[2]), first(inputs).shape.length))]
  }),
  GatherNd: op((inputs) => [gatherNd(first(inputs), first(inputs, 1))]),
  Where: op((inputs) => {
    const x = first(inputs)
    const step = strides(x.shape)
    const hits = elements(x).flatMap((v, i) => (v !== 0 && v !== 0n && v !== '' ? [i] : []))
    return [
      numericTensor(
        'int64',
        hits.flatMap((i) => x.shape.map((d, k) => Math.floor(i / (step[k] ?? 1)) % d)),
        [hits.length, x.shape.length],
      ),
    ]
  }),
  Tile: op((inputs) => [
    numbers(inputs[1]).reduce(
      (t, count, axis) => concat(new Array<Tensor>(allocate(count)).fill(t), axis),
      first(inputs),
    ),
  ]),
  Fill: op((inputs) => {
    const shape = numbers(inputs[0])
    return [pick(first(inputs, 1), new Array<number>(allocate(sizeOfShape(shape))).fill(0), shape)]
  }),
  BroadcastTo: op((inputs) => {
    const [x, shape] = [first(inputs), numbers(inputs[1])]
    return [pick(x, placesIn(x.shape, shape), shape)]
  }),
  ZerosLike: op((inputs) => {
    const x = first(inputs)
    if (x.dtype === 'string') return [{ ...x, data: strings(x).map(() => bytesOf('')) }]
    return [numericTensor(x.dtype, new Array<number>(sizeOfShape(x.shape)).fill(0), x.shape)]
  }),
  Range: op((inputs) => {
    const [from, to, by] = [number(inputs[0]), number(inputs[1]), number(inputs[2])]
    return [
      numericTensor(
        first(inputs).dtype,
        Array.from({ length: allocate(Math.max(0, Math.ceil((to - from) / by))) }, (_, i) => from + i * by),
      ),
    ]
  }),
  Unique: op((inputs, attrs) => unique(first(inputs), attrs).slice(0, 2)),
  UniqueV2: op((inputs, attrs) => unique(first(inputs), attrs).slice(0, 2)),
  UniqueWithCounts: op((inputs, attrs) => unique(first(inputs), attrs)),
  Bucketize: op((inputs, attrs) => [bucketize(first(inputs), listAttr(attrs, 'boundaries').map(Number))]),
  LookupTableFindV2: op(lookUp),
}
