import { type Dim, dims, type Scope, type Value } from '@eas/onnx'
import { type Item, poison, TensorItem } from '../item.ts'
import type { Op } from '../op.ts'
import { stacked, stackOf } from './lists.ts'

/** What both sides of a branch give, each evaluated in a graph of its own, as one ONNX If. */
export function branch(
  op: Op,
  condition: Value,
  sides: readonly [then: () => readonly Item[], otherwise: () => readonly Item[]],
): Item[] {
  const { g } = op
  const [a, b] = sides.map((side) => g.nested(() => flatten(op, side()))) as [Side, Side] // two sides
  const count = a.result.items.length
  const picked: { readonly index: number; readonly when: Value; readonly otherwise: Value }[] = []
  const joined = Array.from({ length: count }, (_, i): Item | undefined => {
    const [x, y] = [a.result.items[i] ?? poison, b.result.items[i] ?? poison]
    if (x.kind === 'poison' || y.kind === 'poison') return poison
    if (x === y || !(x instanceof TensorItem) || !(y instanceof TensorItem)) return x
    picked.push({ index: i, when: x.value, otherwise: y.value })
    return undefined
  })
  if (picked.length === 0) return joined.map((j) => j ?? poison)
  const types = picked.map(({ when, otherwise }) => ({
    dtype: when.dtype,
    shape: joinShapes(op, when.shape, otherwise.shape),
  }))
  const outputs = g.node('If', [condition], types, {
    then_branch: g.subgraph(
      a.scope,
      picked.map((p) => p.when),
    ),
    else_branch: g.subgraph(
      b.scope,
      picked.map((p) => p.otherwise),
    ),
  })
  for (const [k, { index }] of picked.entries()) joined[index] = op.e.tensor(outputs[k] as Value) // an output per type
  return joined.map((item, i) =>
    item instanceof TensorItem && a.result.lists.has(i) ? stacked(item.dtype, item) : (item ?? poison),
  )
}

interface Side {
  readonly scope: Scope
  readonly result: { readonly items: readonly Item[]; readonly lists: ReadonlySet<number> }
}

/** Lists leave a branch as tensors. Values are asked for here, so that what they need is emitted within. */
function flatten(op: Op, items: readonly Item[]): Side['result'] {
  const lists = new Set<number>()
  const flat = items.map((item, i) => {
    if (item.kind === 'list') {
      lists.add(i)
      return op.e.tensor(stackOf(op, item))
    }
    if (item instanceof TensorItem) op.g.nameOf(item.value)
    return item
  })
  return { items: flat, lists }
}

/** Sizes of either side: where they differ, a run tells. */
function joinShapes(op: Op, a: readonly Dim[], b: readonly Dim[]): Dim[] {
  return a.map((d, i) => (dims.same(d, b[i] ?? -1) ? d : op.g.freshDim('either')))
}
