import type { DType } from '@eas/base'
import { type Dim, dims, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import { type ListItem, TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { elementType } from '../tensor-proto.ts'

/** Lists of tensors. TF: core/ops/list_ops.cc, data_flow_ops.cc (2.16). In ONNX they are one tensor, elements along axis 0. */

/** A scalar as a size: what only a run tells is told once. */
export function dimOf(op: Op, item: TensorItem): Dim {
  const { value } = item
  const known = value.elements?.[0]
  if (known !== undefined) return known
  let d = dimsOfScalars.get(value)
  if (d === undefined) {
    d = op.g.scalarDim(value, 0)
    dimsOfScalars.set(value, d)
  }
  return d
}
const dimsOfScalars = new WeakMap<Value, Dim>()

const listOf = (op: Op, i: number): ListItem => {
  const item = op.inputs[i]
  if (item?.kind === 'list') return item
  throw refuse(`input ${i} is not a list of tensors`, op.node.name)
}

const zeros = (op: Op, list: ListItem, shape: readonly Dim[]): Value => {
  const dtype = elementType(list.dtype, op.node.name)
  if (dtype === 'string') return emit.full(op.g, shape, { dtype, shape: [], content: { strings: [new Uint8Array()] } })
  return emit.full(op.g, shape, scalar(dtype, 0))
}

/** Elements of a list so far, `[n, …element]`. @param like Sizes of an element, where the list does not know them. */
export function stackOf(op: Op, list: ListItem, like?: readonly Dim[]): Value {
  const { state } = list
  switch (state.is) {
    case 'stacked':
    case 'pieces':
      return state.value.value
    case 'carried':
      return state.loop.read().value
    case 'reserved': {
      const shape = list.elementShape?.every((d) => d >= 0) ? list.elementShape : like
      if (!shape)
        throw refuse(
          'a list is read whose elements have no known shape',
          op.node.name,
          'Give the list an element_shape',
        )
      return zeros(op, list, [dimOf(op, state.length), ...shape])
    }
    case 'set': {
      const element = state.element.value
      const at = emit.cast(op.g, state.index.value, 'int64')
      let base = stackOf(op, state.base, element.shape)
      if (state.grows) {
        const [length = 0] = base.shape
        const needed = dims.max(dims.add(dimOf(op, op.e.tensor(at)), 1), length)
        const more = zeros(op, list, [dims.sub(needed, length), ...element.shape])
        base = op.one('Concat', [base, more], element.dtype, [needed, ...element.shape], { axis: 0 })
      }
      const row = emit.unsqueeze(op.g, element, [0])
      if (base.shape[0] === 1 && !state.grows) return row
      // Elements that no turn of a loop has written may be of size 1 where these are not.
      const wide = emit.expand(op.g, base, [base.shape[0] ?? 1, ...element.shape])
      return emit.scatterND(op.g, wide, emit.reshape(op.g, at, [1, 1]), row)
    }
    case 'pushed': {
      const row = emit.unsqueeze(op.g, state.element.value, [0])
      const isEmpty = state.base.state.is === 'reserved' && dimOf(op, state.base.state.length) === 0
      return isEmpty ? row : emit.concat(op.g, [stackOf(op, state.base, state.element.shape), row], 0)
    }
  }
}

export function lengthOf(op: Op, list: ListItem): Dim {
  const { state } = list
  if (state.is === 'reserved') return dimOf(op, state.length)
  if (state.is === 'pieces') return state.lengths.shape[0] ?? 0
  if (state.is === 'set' && !state.grows) return lengthOf(op, state.base)
  if (state.is === 'pushed') return dims.add(lengthOf(op, state.base), 1)
  if (state.is === 'carried' && state.loop.length) return dimOf(op, state.loop.length)
  return stackOf(op, list).shape[0] ?? 0
}

export const stacked = (dtype: DType, value: Value | TensorItem): ListItem => ({
  kind: 'list',
  dtype,
  elementShape: undefined,
  state: { is: 'stacked', value: value instanceof TensorItem ? value : new TensorItem(value) },
})

const reserved = (dtype: DType | undefined, shape: readonly number[] | undefined, length: TensorItem): ListItem => ({
  kind: 'list',
  // Lists of lists hold what training wants to remember: they are made, and never read.
  dtype: dtype ?? 'float32',
  elementShape: shape,
  state: { is: 'reserved', length },
})

/** Sizes an input names, -1 for unknown; undefined when even the rank is. */
function shapeInput(op: Op, i: number): readonly number[] | undefined {
  const { elements, shape } = op.x(i)
  if (shape.length === 0) return undefined
  return elements?.map((d) => (typeof d === 'number' ? d : -1))
}

const zero = (op: Op): TensorItem => op.e.tensor(scalar('int32', 0))

const setItem = (base: ListItem, index: TensorItem, element: TensorItem, grows: boolean): ListItem => ({
  ...base,
  state: { is: 'set', base, index, element, grows },
})

function getItem(op: Op, list: ListItem, index: TensorItem): Value | TensorItem {
  const { state } = list
  if (state.is === 'pieces') {
    const lengths = emit.cast(op.g, state.lengths.value, 'int64')
    const at = emit.cast(op.g, index.value, 'int64')
    const end = op.g.scalarDim(emit.gather(op.g, emit.cumSum(op.g, lengths, 0), at, 0), 0)
    const size = op.g.scalarDim(emit.gather(op.g, lengths, at, 0), 0)
    const { value } = state.value
    return op.one('Slice', [value, vector([dims.sub(end, size)]), vector([end]), vector([0])], value.dtype, [
      size,
      ...value.shape.slice(1),
    ])
  }
  const [known] = index.value.elements ?? []
  if (state.is === 'set' && known !== undefined && state.index.value.elements?.[0] === known) return state.element
  return emit.gather(op.g, stackOf(op, list), emit.toIndex(op.g, index.value), 0)
}

/** Elements put at places: all of them, in order, is how a tensor becomes a list. */
function scatterList(op: Op, base: ListItem, indices: TensorItem, values: TensorItem): ListItem {
  const rows = values.shape[0] ?? 1
  const isInOrder =
    (indices.facts?.rangeTo !== undefined && indices.shape.length === 1) ||
    indices.value.elements?.every((e, i) => e === i)
  const length = base.state.is === 'reserved' ? dimOf(op, base.state.length) : undefined
  const isWhole = length === undefined || typeof length !== 'number' || length <= 0 || dims.same(length, rows)
  if (isInOrder && isWhole) return { ...base, state: { is: 'stacked', value: values } }
  const index = emit.unsqueeze(op.g, emit.cast(op.g, indices.value, 'int64'), [1])
  if (base.state.is !== 'reserved') {
    const whole = emit.scatterND(op.g, stackOf(op, base, values.shape.slice(1)), index, values.value)
    return { ...base, state: { is: 'stacked', value: op.e.tensor(whole) } }
  }
  const count = length === undefined || (typeof length === 'number' && length <= 0) ? rows : length
  const whole = emit.scatterND(op.g, zeros(op, base, [count, ...values.shape.slice(1)]), index, values.value)
  return { ...base, state: { is: 'stacked', value: op.e.tensor(whole) } }
}

/** Elements one after the other along their own first axis, and how long each was. */
function concatList(op: Op, list: ListItem): [Value, Value] {
  if (list.state.is === 'pieces') return [list.state.value.value, emit.cast(op.g, list.state.lengths.value, 'int64')]
  const x = stackOf(op, list)
  const [n = 1, rows = 1, ...rest] = x.shape
  return [emit.reshape(op.g, x, [dims.mul(n, rows), ...rest]), emit.full(op.g, [n], scalar('int64', rows))]
}

const splitList = (value: TensorItem, lengths: TensorItem): ListItem => ({
  kind: 'list',
  dtype: value.dtype,
  elementShape: undefined,
  state: { is: 'pieces', value, lengths },
})

/** The list's elements as a tensor, under a shape they are known to have. */
function stack(op: Op, list: ListItem, element: readonly number[] | undefined): Value | TensorItem {
  if (list.state.is === 'stacked') return list.state.value
  return stackOf(op, list, element?.every((d) => d >= 0) ? element : undefined)
}

function resize(op: Op, list: ListItem, item: TensorItem): ListItem {
  if (list.state.is === 'reserved') return { ...list, state: { is: 'reserved', length: item } }
  const x = stackOf(op, list)
  const length = dimOf(op, item)
  const more = dims.max(dims.sub(length, x.shape[0] ?? 0), 0)
  const longer = emit.pad(
    op.g,
    x,
    x.shape.map(() => 0),
    x.shape.map((_, i) => (i === 0 ? more : 0)),
  )
  return stacked(
    list.dtype,
    op.one('Slice', [longer, vector([0]), vector([length]), vector([0])], x.dtype, [length, ...x.shape.slice(1)]),
  )
}

function popBack(op: Op, list: ListItem): [ListItem, Value | TensorItem] {
  if (list.state.is === 'pushed') return [list.state.base, list.state.element]
  const x = stackOf(op, list)
  return [stacked(list.dtype, emit.slice(op.g, x, 0, 0, dims.sub(x.shape[0] ?? 1, 1))), emit.select(op.g, x, 0, -1)]
}

/** A handle, which nothing looks at, and the list that flows. */
const tensorArray: Lowering = (op) => {
  const list = reserved(op.attr.dtype('dtype'), op.attr.shape('element_shape'), op.tensor(0))
  return [{ kind: 'opaque' }, { ...list, grows: op.attr.bool('dynamic_size') }]
}

const arrayGather: Lowering = (op) => {
  const indices = op.tensor(1)
  const shape = op.attr.shape('element_shape')
  const x = stackOf(op, listOf(op, 2), shape?.every((d) => d >= 0) ? shape : undefined)
  const isAll = indices.facts?.rangeTo !== undefined && dims.same(indices.facts.rangeTo, x.shape[0] ?? -1)
  return isAll ? x : emit.gather(op.g, x, emit.toIndex(op.g, indices.value), 0)
}

export const listOps: OpTable = {
  EmptyTensorList: (op) => reserved(op.attr.dtype('element_dtype'), shapeInput(op, 0), zero(op)),
  TensorListReserve: (op) => reserved(op.attr.dtype('element_dtype'), shapeInput(op, 0), op.tensor(1)),
  TensorListFromTensor: (op) => stacked(op.dtype('element_dtype'), op.tensor(0)),
  TensorListSetItem: (op) =>
    setItem(listOf(op, 0), op.tensor(1), op.tensor(2), op.attr.bool('resize_if_index_out_of_bounds')),
  TensorListGetItem: (op) => getItem(op, listOf(op, 0), op.tensor(1)),
  TensorListPushBack: (op) => {
    const base = listOf(op, 0)
    return { ...base, state: { is: 'pushed', base, element: op.tensor(1) } }
  },
  TensorListPopBack: (op) => popBack(op, listOf(op, 0)),
  TensorListStack: (op) => stack(op, listOf(op, 0), shapeInput(op, 1)),
  TensorListLength: (op) => scalar('int32', lengthOf(op, listOf(op, 0))),
  TensorListElementShape: (op) => vector(stackOf(op, listOf(op, 0)).shape.slice(1), op.dtype('shape_type', 'int32')),
  TensorListResize: (op) => resize(op, listOf(op, 0), op.tensor(1)),
  TensorListGather: (op) => emit.gather(op.g, stackOf(op, listOf(op, 0)), emit.toIndex(op.g, op.x(1)), 0),
  TensorListScatter: (op) =>
    scatterList(op, reserved(op.attr.dtype('element_dtype'), undefined, zero(op)), op.tensor(1), op.tensor(0)),
  TensorListScatterV2: (op) =>
    scatterList(op, reserved(op.attr.dtype('element_dtype'), undefined, op.tensor(3)), op.tensor(1), op.tensor(0)),
  TensorListScatterIntoExistingList: (op) => scatterList(op, listOf(op, 0), op.tensor(2), op.tensor(1)),
  TensorListConcat: (op) => concatList(op, listOf(op, 0)),
  TensorListConcatV2: (op) => concatList(op, listOf(op, 0)),
  TensorListSplit: (op) => splitList(op.tensor(0), op.tensor(2)),

  TensorArrayV3: tensorArray,
  TensorArrayWriteV3: (op) => setItem(listOf(op, 3), op.tensor(1), op.tensor(2), listOf(op, 3).grows === true),
  TensorArrayReadV3: (op) => getItem(op, listOf(op, 2), op.tensor(1)),
  TensorArrayGatherV3: arrayGather,
  TensorArrayScatterV3: (op) => scatterList(op, listOf(op, 3), op.tensor(1), op.tensor(2)),
  TensorArraySizeV3: (op) => scalar('int32', lengthOf(op, listOf(op, 1))),
  TensorArrayConcatV3: (op) => concatList(op, listOf(op, 1)),
  TensorArraySplitV3: (op) => splitList(op.tensor(1), op.tensor(2)),
  TensorArrayCloseV3: () => ({ kind: 'opaque' }),
}
