import { type FunctionDef, type NodeDef, parseReference } from '../graph-def.ts'
import { argumentsOf } from './needed.ts'

/**
 * The cells of LSTM and GRU layers, recognised in the body of a While: what Keras 2 and 3 write, whatever the order of
 * factors and summands. Anything else, masks among it, is left to the loop it is.
 */

/** Where a gate stands among those computed at once: output `part` of a Split, or a slice of columns. */
export interface Gate {
  readonly node: NodeDef
  readonly part: number
}

/** Positions are among the loop's variables, references within its body. */
export interface Cell {
  readonly kind: 'LSTM' | 'GRU'
  /** The state that is also the output; `c` is an LSTM's other one. */
  readonly h: number
  readonly c?: number
  /** The list of inputs, and the variable that counts its elements. */
  readonly list: number
  readonly time: number
  readonly kernel: string
  readonly recurrent: string
  /** Biases of the input's part and of the state's part; of an LSTM's sum they are one. */
  readonly biases: readonly string[]
  readonly stateBiases: readonly string[]
  /** In the order that ONNX has them: i, o, f, c, or z, r, h. */
  readonly gates: readonly Gate[]
  /** The same gates of the state's part, of a GRU. */
  readonly stateGates: readonly Gate[]
}

/** What a reference is: an output of a node, or an argument. */
type Def = { readonly node: NodeDef; readonly index: number } | { readonly arg: number }

const adds = new Set(['Add', 'AddV2', 'BiasAdd'])
/** Gates summed up, at most; a tree of them is no cell. */
const maxSummands = 6

export class LoopBody {
  readonly f: FunctionDef
  /** Positions of the arguments that each turn hands on as they are. */
  readonly fixed: ReadonlySet<number>

  constructor(f: FunctionDef) {
    this.f = f
    this.fixed = new Set(f.args.flatMap((_, i) => (this.isArg(this.result(i), i) ? [i] : [])))
  }

  /** Reference to what a variable becomes. */
  result(i: number): string {
    const output = this.f.outputs[i] ?? ''
    return this.f.ret.get(output) ?? output
  }

  at(text: string): Def | undefined {
    let from = text
    for (let step = 0; step < 100; step++) {
      const { node: name, index } = parseReference(from)
      const arg = this.f.args.indexOf(name)
      if (arg >= 0) return { arg }
      const node = this.f.nodes.get(name)
      if (!node) return undefined
      if (node.op !== 'Identity') return { node, index }
      from = node.inputs[0] ?? ''
    }
    return undefined
  }

  isArg(text: string, position: number): boolean {
    const def = this.at(text)
    return def !== undefined && 'arg' in def && def.arg === position
  }

  argOf(text: string): number | undefined {
    const def = this.at(text)
    return def && 'arg' in def ? def.arg : undefined
  }

  nodeOf(text: string, ...ops: readonly string[]): NodeDef | undefined {
    const def = this.at(text)
    return def && 'node' in def && ops.includes(def.node.op) ? def.node : undefined
  }

  /** Both ways round, the two inputs of a node that does not care which is which. */
  pairs(text: string, ...ops: readonly string[]): (readonly [string, string])[] {
    const [a, b] = this.nodeOf(text, ...ops)?.inputs ?? []
    return a === undefined || b === undefined
      ? []
      : [
          [a, b],
          [b, a],
        ]
  }

  /** The input of an operator of one operand. */
  of(text: string, op: string): string | undefined {
    return this.nodeOf(text, op)?.inputs[0]
  }

  same(a: string, b: string): boolean {
    const [x, y] = [this.at(a), this.at(b)]
    if (!x || !y) return false
    if ('arg' in x || 'arg' in y) return 'arg' in x && 'arg' in y && x.arg === y.arg
    return x.node === y.node && x.index === y.index
  }

  /** What a sum is of. */
  summands(text: string, found: string[] = []): readonly string[] {
    const node = found.length < maxSummands ? this.nodeOf(text, ...adds) : undefined
    if (!node) found.push(text)
    else for (const input of node.inputs.slice(0, 2)) this.summands(input, found)
    return found
  }

  /** Whether it is the same in every turn. */
  isFixed(text: string): boolean {
    return argumentsOf(this.f, [text]).every((i) => this.fixed.has(i))
  }

  /** Whether a variable goes up by one in each turn. */
  isCounter(i: number): boolean {
    return this.pairs(this.result(i), 'Add', 'AddV2').some(([a, b]) => this.isArg(a, i) && this.number(b) === 1)
  }

  /** The whole number that a constant of the body is. */
  number(text: string): number | undefined {
    const tensor = this.nodeOf(text, 'Const')?.attrs.get('value')?.tensor
    if (!tensor || (tensor.tensor_shape?.dim.length ?? 0) > 0) return undefined
    return tensor.int_val[0] ?? (tensor.int64_val[0] === undefined ? undefined : Number(tensor.int64_val[0]))
  }

  /** The list that a list becomes by getting an element: where, and which. */
  written(i: number): { readonly index: string; readonly element: string } | undefined {
    const [list = '', index = '', element = ''] = this.nodeOf(this.result(i), 'TensorListSetItem')?.inputs ?? []
    return this.isArg(list, i) ? { index, element } : undefined
  }

  gate(text: string): { readonly source: string; readonly gate: Gate } | undefined {
    const def = this.at(text)
    if (!def || 'arg' in def) return undefined
    const { node, index } = def
    // A Split's one output argument is a list: its parts are `split:output:k`.
    if (node.op !== 'Split' && node.op !== 'StridedSlice') return undefined
    return { source: node.inputs[node.op === 'Split' ? 1 : 0] ?? '', gate: { node, part: index } }
  }
}

export const findCell = (body: LoopBody): Cell | undefined => {
  for (const i of body.f.args.keys()) {
    const cell = lstmAt(body, i) ?? gruAt(body, i)
    if (cell) return cell
  }
  return undefined
}

/** `h' = σ(o) · tanh(c')`, `c' = σ(f) · c + σ(i) · tanh(g)`. */
function lstmAt(body: LoopBody, h: number): Cell | undefined {
  for (const [first, second] of body.pairs(body.result(h), 'Mul')) {
    const [output, next] = [body.of(first, 'Sigmoid'), body.of(second, 'Tanh')]
    const c = body.f.args.findIndex((_, i) => next !== undefined && body.same(body.result(i), next))
    if (output === undefined || next === undefined || c < 0) continue
    for (const [kept, added] of body.pairs(next, ...adds)) {
      const forget = body.pairs(kept, 'Mul').find(([, state]) => body.isArg(state, c))?.[0]
      const pair = body.pairs(added, 'Mul').find(([gate, value]) => body.of(gate, 'Sigmoid') && body.of(value, 'Tanh'))
      if (forget === undefined || !pair) continue
      const inputs = [body.of(pair[0], 'Sigmoid'), output, body.of(forget, 'Sigmoid'), body.of(pair[1], 'Tanh')]
      const gates = inputs.map((text) => (text === undefined ? undefined : body.gate(text)))
      const [one] = gates
      if (!one || !gates.every((g) => g && body.same(g.source, one.source))) continue
      const sum = sumOf(body, one.source, h)
      if (sum?.kernel === undefined || sum.recurrent === undefined) continue
      const { kernel, recurrent, x, rest } = sum
      const all = gates.flatMap((g) => (g ? [g.gate] : []))
      return { kind: 'LSTM', h, c, ...x, kernel, recurrent, biases: rest, stateBiases: [], gates: all, stateGates: [] }
    }
  }
  return undefined
}

/** `h' = σ(z) · h + (1 - σ(z)) · tanh(g + σ(r) · s)`, where `s` is the state's own part. */
function gruAt(body: LoopBody, h: number): Cell | undefined {
  for (const [kept, added] of body.pairs(body.result(h), ...adds)) {
    const update = body.pairs(kept, 'Mul').find(([, state]) => body.isArg(state, h))?.[0]
    if (update === undefined || !body.of(update, 'Sigmoid')) continue
    const value = body
      .pairs(added, 'Mul')
      .find(([rest, tanh]) => isOneMinus(body, rest, update) && body.of(tanh, 'Tanh'))?.[1]
    if (value === undefined) continue
    for (const [own, reset] of body.pairs(body.of(value, 'Tanh') ?? '', ...adds)) {
      for (const [gate, state] of body.pairs(reset, 'Mul')) {
        const [z, r] = [body.of(update, 'Sigmoid'), body.of(gate, 'Sigmoid')]
        const cell = z !== undefined && r !== undefined ? gruOf(body, h, z, r, own, state) : undefined
        if (cell) return cell
      }
    }
  }
  return undefined
}

function gruOf(body: LoopBody, h: number, z: string, r: string, own: string, state: string): Cell | undefined {
  const [x, s] = [body.gate(own), body.gate(state)]
  if (!x || !s) return undefined
  const ordered = [z, r].map((text) =>
    body
      .pairs(text, ...adds)
      .map(([a, b]) => [body.gate(a), body.gate(b)] as const)
      .find(([a, b]) => a && b && body.same(a.source, x.source) && body.same(b.source, s.source)),
  )
  const [input, inner] = [sumOf(body, x.source, h), sumOf(body, s.source, h)]
  if (input?.kernel === undefined || input.recurrent !== undefined) return undefined
  if (inner?.recurrent === undefined || inner.kernel !== undefined || ordered.some((pair) => !pair)) return undefined
  return {
    kind: 'GRU',
    h,
    ...input.x,
    kernel: input.kernel,
    recurrent: inner.recurrent,
    biases: input.rest,
    stateBiases: inner.rest,
    gates: [...ordered.flatMap((pair) => (pair?.[0] ? [pair[0].gate] : [])), x.gate],
    stateGates: [...ordered.flatMap((pair) => (pair?.[1] ? [pair[1].gate] : [])), s.gate],
  }
}

function isOneMinus(body: LoopBody, text: string, what: string): boolean {
  const [one, other] = body.nodeOf(text, 'Sub')?.inputs ?? []
  const tensor = one === undefined ? undefined : body.nodeOf(one, 'Const')?.attrs.get('value')?.tensor
  return other !== undefined && body.same(other, what) && tensor?.float_val.length === 1 && tensor.float_val[0] === 1
}

interface Sum {
  readonly kernel: string | undefined
  readonly recurrent: string | undefined
  readonly x: { readonly list: number; readonly time: number }
  readonly rest: readonly string[]
}

/** Products of the input and the state with what is fixed, and what is added to them. */
function sumOf(body: LoopBody, text: string, h: number): Sum | undefined {
  let kernel: string | undefined
  let recurrent: string | undefined
  let x = { list: -1, time: -1 }
  const rest: string[] = []
  for (const part of body.summands(text)) {
    const product = body.nodeOf(part, 'MatMul')
    const [left = '', right = ''] = product?.inputs ?? []
    const isPlain = !product?.attrs.bool('transpose_a') && !product?.attrs.bool('transpose_b')
    const read = product && body.nodeOf(left, 'TensorListGetItem')
    const [list, time] = [body.argOf(read?.inputs[0] ?? ''), body.argOf(read?.inputs[1] ?? '')]
    if (product && !(isPlain && body.isFixed(right))) return undefined
    if (read && list !== undefined && time !== undefined && body.fixed.has(list) && kernel === undefined) {
      kernel = right
      x = { list, time }
    } else if (product && body.isArg(left, h) && recurrent === undefined) recurrent = right
    else if (!product && body.isFixed(part)) rest.push(part)
    else return undefined
  }
  return { kernel, recurrent, x, rest }
}
