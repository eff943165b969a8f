import { dims, refuse, scalar, type Value } from '@eas/onnx'
import { type Item, opaque, TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { branch } from './branch.ts'
import { LoopBody } from './cell.ts'
import { compare, num } from './elementwise.ts'
import { loop } from './loop.ts'
import { neededVariables } from './needed.ts'
import { recurrent } from './recurrent.ts'

/** Control flow by functions. TF: core/ops/functional_ops.cc (2.16). ONNX: If and Loop. */

/** A condition as a bool scalar: numbers count when they are not zero, tensors when they have elements. */
export function truth(op: Op, x: Value): Value {
  if (x.shape.length > 0) {
    const size = dims.product(x.shape)
    if (dims.bounds(size)[0] > 0 || size === 0) return { dtype: 'bool', shape: [], elements: [size === 0 ? 0 : 1] }
    return compare(op, 'Greater', scalar('int64', size), scalar('int64', 0))
  }
  if (x.dtype === 'bool') return x
  if (x.dtype === 'string') throw refuse('a string decides a branch', op.node.name)
  if (x.elements?.every((e) => typeof e === 'number'))
    return { dtype: 'bool', shape: [], elements: [x.elements[0] === 0 ? 0 : 1] }
  const isZero = compare(op, 'Equal', x, num(x, 0))
  return op.one('Not', [isZero], 'bool', isZero.shape)
}

const ifElse: Lowering = (op) => {
  const condition = truth(op, op.x(0))
  const args = op.inputs.slice(1)
  const side = (name: string) => (): Item[] =>
    op.e.call(op.e.functionOf(op.attr.func(name), op.node.name), args, op.frame)
  const known = condition.elements?.[0]
  if (typeof known === 'number') return side(known ? 'then_branch' : 'else_branch')()
  settle(args)
  return branch(op, condition, [side('then_branch'), side('else_branch')])
}

/** What a nested graph will use is put into the graph around it first. */
export function settle(items: readonly Item[]): void {
  for (const item of items) if (item instanceof TensorItem && !item.channelsFirst) void item.value
}

/** The last branch is for every index that has none. */
const switchCase: Lowering = (op) => {
  const index = op.x(0)
  const args = op.inputs.slice(1)
  const names = op.attr.funcs('branches')
  const side = (i: number): Item[] => op.e.call(op.e.functionOf(names[i] ?? '', op.node.name), args, op.frame)
  const known = index.elements?.[0]
  if (typeof known === 'number') return side(known >= 0 && known < names.length ? known : names.length - 1)
  settle(args)
  const from = (i: number): Item[] => {
    if (i === names.length - 1) return side(i)
    return branch(op, compare(op, 'Equal', index, num(index, i)), [() => side(i), () => from(i + 1)])
  }
  return from(0)
}

const whileLoop: Lowering = (op) => {
  const condition = op.e.functionOf(op.attr.func('cond'), op.node.name)
  const body = op.e.functionOf(op.attr.func('body'), op.node.name)
  // What training wants to remember goes through loops too: variables that reach no result are left out.
  const needed = neededVariables(op.frame, op.node, condition, body)
  const initial = op.inputs.map((item, i) => (needed.has(i) ? item : opaque))
  settle(initial)
  return loop(op, {
    initial,
    condition: (variables) => {
      const [item] = op.e.call(condition, variables, op.frame)
      if (!(item instanceof TensorItem)) return item ?? { kind: 'poison' }
      return item.dtype === 'bool' ? item : op.e.tensor(truth(op, item.value))
    },
    body: (variables) => op.e.call(body, variables, op.frame, needed),
    fixed: new LoopBody(body).fixed,
    fused: (turns, kinds) => recurrent(op, body, initial, turns, kinds),
  })
}

export const controlOps: OpTable = {
  If: ifElse,
  StatelessIf: ifElse,
  Case: switchCase,
  StatelessCase: switchCase,
  While: whileLoop,
  StatelessWhile: whileLoop,
  ToBool: (op) => truth(op, op.x(0)),
}
