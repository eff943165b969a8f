import { toBytes } from './bytes.ts'
import { type Atom, bounds, type Dim, isStatic, type Sym } from './dim.ts'
import { elementTypes } from './element-type.ts'
import type { GraphBuilder } from './graph-builder.ts'
import type { Value } from './value.ts'

/**
 * Name of a value whose elements are known: a constant when all are numbers, else nodes that compute the sizes from the
 * shapes of what they were read off. Each size is computed once per graph.
 */
export function emitDims(g: GraphBuilder, value: Value): string {
  const { dtype, shape, elements = [] } = value
  if (isStatic(elements)) {
    return g.initializer(dtype, shape as readonly number[], { bytes: toBytes(dtype, elements) }) // elements are few, so sizes are fixed
  }
  const key = `elements ${dtype}[${shape}] ${elements.map(String).join(' ')}`
  return g.memoised(key, () => {
    const parts = elements.map((d) => emitDim(g, d))
    let name = parts.length === 1 && parts[0] !== undefined ? parts[0] : g.raw('Concat', parts, { axis: 0 })
    if (shape.length !== 1) name = g.raw('Reshape', [name, constant(g, shape as readonly number[])])
    return dtype === 'int64' ? name : g.raw('Cast', [name], { to: elementTypes[dtype].code })
  })
}

const constant = (g: GraphBuilder, values: readonly number[]): string =>
  g.initializer('int64', [values.length], { bytes: toBytes('int64', values) })

/** Name of an int64 vector of one element. */
function emitDim(g: GraphBuilder, d: Dim): string {
  return typeof d === 'number' ? constant(g, [d]) : g.memoised(`dim ${d.key}`, () => emitSum(g, d))
}

function emitSum(g: GraphBuilder, d: Sym): string {
  const terms = d.terms.map(({ coefficient, atoms }) => {
    const factors = atoms.map((a) => g.memoised(`atom ${a.name}`, () => emitAtom(g, a)))
    if (coefficient !== 1 || factors.length === 0) factors.push(constant(g, [coefficient]))
    return factors.reduce((a, b) => g.raw('Mul', [a, b]))
  })
  return terms.reduce((a, b) => g.raw('Add', [a, b]))
}

function emitAtom(g: GraphBuilder, a: Atom): string {
  if (!a.of) {
    const { value, axis } = g.sourceOf(a)
    const name = g.nameOf(value)
    if (axis !== undefined) return g.raw('Shape', [name], { start: axis, end: axis + 1 })
    const whole = value.dtype === 'int64' ? name : g.raw('Cast', [name], { to: elementTypes.int64.code })
    return g.raw('Reshape', [whole, constant(g, [1])])
  }
  const left = emitDim(g, a.of.a)
  const right = emitDim(g, a.of.b)
  switch (a.of.op) {
    case 'max':
      return g.raw('Max', [left, right])
    case 'min':
      return g.raw('Min', [left, right])
    case 'mod':
      return g.raw('Mod', [left, right])
    case 'div': {
      // ONNX divides towards zero; where the dividend can be negative, take the remainder off first.
      if (bounds(a.of.a)[0] >= 0) return g.raw('Div', [left, right])
      return g.raw('Div', [g.raw('Sub', [left, g.raw('Mod', [left, right])]), right])
    }
  }
}
