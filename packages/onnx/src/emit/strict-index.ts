import type { GraphBuilder } from '../graph-builder.ts'
import type { Value } from '../value.ts'
import { cast } from './elementwise.ts'
import { toIndex } from './index-ops.ts'

/**
 * Indices for a lookup that takes none below zero, as those of torch and TensorFlow: ONNX counts such an index from the back.
 * Here it loses the bit of 2^62, which leaves it before every beginning, where ONNX Runtime refuses it. Tables end long before.
 */
export function strictIndex(g: GraphBuilder, x: Value): Value {
  const index = toIndex(g, x)
  if (index.elements || index.content || countsFromFront(g, g.nameOf(index), depthMax)) return index
  return g.one('BitwiseAnd', [cast(g, index, 'int64'), allButOne], 'int64', index.shape)
}

/** As bytes: numbers of JavaScript end before. */
const allButOne: Value = {
  dtype: 'int64',
  shape: [],
  content: { bytes: Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 0xbf) },
}

/** Nodes between an index and what it was made from. Further away nothing is looked for. */
const depthMax = 16

/** Operators whose first output holds nothing that their first input does not. */
const picks: ReadonlySet<string> = new Set([
  'Cast',
  'Expand',
  'Flatten',
  'Gather',
  'GatherElements',
  'GatherND',
  'Identity',
  'Reshape',
  'Slice',
  'Squeeze',
  'Tile',
  'Transpose',
  'Unique',
  'Unsqueeze',
])

/** Operators whose outputs, but for the first of some, are places or sizes. */
const placesFrom: Readonly<Record<string, number>> = {
  ArgMax: 0,
  ArgMin: 0,
  NonZero: 0,
  Shape: 0,
  Size: 0,
  TopK: 1,
  Unique: 1,
}

/** Whether nothing below zero can be there, as far as the graph shows. A model's own constants are what it was trained with. */
function countsFromFront(g: GraphBuilder, name: string, depth: number): boolean {
  const node = g.producerOf(name)
  if (!node) return !g.isInput(name)
  const from = placesFrom[node.op_type]
  if (from !== undefined && node.output.indexOf(name) >= from) return true
  const [source = ''] = node.input
  return depth > 0 && picks.has(node.op_type) && node.output[0] === name && countsFromFront(g, source, depth - 1)
}
