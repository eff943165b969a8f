import { refuse, scalar } from '@eas/onnx'
import { type Evaluator, Frame } from '../evaluator.ts'
import { type NodeDef, parseReference } from '../graph-def.ts'
import { type Item, opaque, poison, TensorItem } from '../item.ts'
import { Op } from '../op.ts'
import { branch } from './branch.ts'
import { settle, truth } from './control.ts'
import { flowOf } from './flow-graph.ts'
import { loop } from './loop.ts'

/**
 * Control flow by Switch, Merge, Enter, Exit and NextIteration. A Merge is where two sides of a condition meet and becomes
 * an If; the Exits of a frame are where a loop ends and become a Loop. What lies between is evaluated in the branch or body.
 * @see core/ops/control_flow_ops.cc (2.16), and "Implementation of Control Flow in TensorFlow" (2017)
 */

type Lazy = (e: Evaluator, frame: Frame, node: NodeDef) => readonly Item[]

const dataInputs = (node: NodeDef): string[] => node.inputs.filter((i) => !i.startsWith('^'))

/** Gives both sides what is switched: only the side that is taken gets looked at. */
const switchNode: Lazy = (e, frame, node) => {
  const [data = ''] = dataInputs(node)
  e.want(frame, [data])
  const item = e.get(frame, data)
  return [item, item]
}

const passOn: Lazy = (e, frame, node) => {
  const [data = ''] = dataInputs(node)
  e.want(frame, [data])
  return [e.get(frame, data)]
}

const merge: Lazy = (e, frame, node) => {
  const inputs = dataInputs(node)
  const flow = flowOf(frame.nodes)
  const fork = flow.forkOf(node)
  if (!fork)
    throw refuse(
      'it cannot be told what decides between the inputs',
      node.name,
      'Export the graph with control flow version 2',
    )
  const { predicate, whenTrue, whenFalse } = fork
  const side = (isTrue: boolean): number => (isTrue ? whenTrue : whenFalse)
  const take = (isTrue: boolean): readonly Item[] => {
    const text = inputs[side(isTrue)] ?? ''
    e.want(frame, [text])
    return [e.get(frame, text), e.tensor(scalar('int32', side(isTrue)))]
  }
  const assumed = assumption(frame, predicate)
  if (assumed !== undefined) return take(assumed)
  e.want(frame, [predicate])
  const decides = e.get(frame, predicate)
  if (!(decides instanceof TensorItem)) return [poison]
  const op = new Op(e, frame, node, [decides])
  const condition = truth(op, decides.value)
  const known = condition.elements?.[0]
  if (typeof known === 'number') return take(known !== 0)
  // What the sides are given has to be there before them.
  const given = flow.switchedInputs(node, predicate).filter((text) => !frame.memo.has(parseReference(text).node))
  e.want(frame, given)
  settle(given.map((text) => e.get(frame, text)))
  const inside = (isTrue: boolean) => (): readonly Item[] => {
    const assumedHere = new Map([...frame.assumed, [predicate, isTrue] as const])
    const owns = (name: string): boolean => flow.isGuarded(name, predicate)
    const inner = new Frame(frame.nodes, e.g.scope, {
      depth: frame.depth + 1,
      path: frame.path,
      parent: frame,
      owns,
      assumed: assumedHere,
    })
    return [e.demand(inner, inputs[side(isTrue)] ?? ''), e.tensor(scalar('int32', side(isTrue)))]
  }
  return branch(op, condition, [inside(true), inside(false)])
}

function assumption(frame: Frame, predicate: string): boolean | undefined {
  for (let at: Frame | undefined = frame; at; at = at.parent) {
    const known = at.assumed.get(predicate)
    if (known !== undefined) return known
  }
  return undefined
}

/** The first Exit of a frame asked for lowers the loop; the others find their results there. */
const exit: Lazy = (e, frame, node) => {
  const flow = flowOf(frame.nodes)
  const found = flow.loopOf(node)
  if (!found)
    throw refuse('the loop that it leaves is not complete', node.name, 'Export the graph with control flow version 2')
  const { variables, condition, body } = found
  const begins = variables.map((v) => v.enter)
  e.want(frame, begins)
  const given = found.constants.map((c) => c.input)
  e.want(frame, given)
  const initial = begins.map((text) => e.get(frame, text))
  settle([...initial, ...given.map((text) => e.get(frame, text))])
  const op = new Op(e, frame, node, initial)
  const within = (values: readonly Item[]): Frame => {
    const inner = new Frame(frame.nodes, e.g.scope, {
      depth: frame.depth + 1,
      path: frame.path,
      parent: frame,
      owns: (name) => body.has(name),
      assumed: frame.assumed,
    })
    for (const [i, v] of variables.entries()) inner.memo.set(v.merge, [values[i] ?? poison, opaque])
    return inner
  }
  const results = loop(op, {
    initial,
    condition: (values) => {
      const item = e.demand(within(values), condition)
      return item instanceof TensorItem && item.dtype !== 'bool' ? e.tensor(truth(op, item.value)) : item
    },
    body: (values) =>
      e.demandAll(
        within(values),
        variables.map((v) => v.next),
      ),
  })
  for (const [i, v] of variables.entries()) for (const name of v.exits) frame.memo.set(name, [results[i] ?? poison])
  return frame.memo.get(node.name) ?? [poison]
}

/** Operators that decide themselves which of their inputs are evaluated. */
export const lazyOps: Readonly<Record<string, Lazy>> = {
  Switch: switchNode,
  RefSwitch: switchNode,
  Merge: merge,
  RefMerge: merge,
  Enter: passOn,
  RefEnter: passOn,
  Exit: exit,
  RefExit: exit,
  LoopCond: passOn,
  NextIteration: passOn,
  RefNextIteration: passOn,
}
