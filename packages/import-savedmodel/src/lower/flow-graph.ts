import { type NodeDef, parseReference } from '../graph-def.ts'

/** What old-style control flow says without saying it: which condition a node depends on, and which nodes make up a loop. */

/** Where two sides of a condition meet. */
interface Fork {
  /** Reference to the condition. */
  readonly predicate: string
  /** Index of the Merge's input for each side. */
  readonly whenTrue: number
  readonly whenFalse: number
}

interface FlowLoop {
  readonly variables: readonly {
    readonly enter: string
    readonly merge: string
    readonly next: string
    readonly exits: readonly string[]
  }[]
  /** What does not change: nodes that bring it in, and what they bring. */
  readonly constants: readonly { readonly node: string; readonly input: string }[]
  readonly condition: string
  /** Nodes that are evaluated anew in every turn. */
  readonly body: ReadonlySet<string>
}

type Guards = ReadonlySet<string>
const none: Guards = new Set()

const isOp = (node: NodeDef | undefined, name: string): boolean => node?.op === name || node?.op === `Ref${name}`

const flows = new WeakMap<ReadonlyMap<string, NodeDef>, Flow>()

export function flowOf(nodes: ReadonlyMap<string, NodeDef>): Flow {
  let flow = flows.get(nodes)
  if (!flow) {
    flow = new Flow(nodes)
    flows.set(nodes, flow)
  }
  return flow
}

class Flow {
  private readonly nodes: ReadonlyMap<string, NodeDef>
  private readonly guards = new Map<string, Guards>()
  private users: Map<string, NodeDef[]> | undefined

  constructor(nodes: ReadonlyMap<string, NodeDef>) {
    this.nodes = nodes
  }

  /** The condition whose sides meet in a Merge: true is among what one input depends on, false among what the other does. */
  forkOf(merge: NodeDef): Fork | undefined {
    const inputs = merge.inputs.filter((i) => !i.startsWith('^'))
    const [a, b] = [this.guardsOf(inputs[0] ?? ''), this.guardsOf(inputs[1] ?? '')]
    let lone: Fork | undefined
    for (const [own, other, at] of [
      [a, b, 0],
      [b, a, 1],
    ] as const) {
      for (const guard of own) {
        const [predicate, isTrue] = [guard.slice(0, -2), guard.endsWith('=1')]
        const fork = { predicate, whenTrue: isTrue ? at : 1 - at, whenFalse: isTrue ? 1 - at : at }
        if (other.has(`${predicate}=${isTrue ? 0 : 1}`)) return fork
        // Constants of the other side may have lost the edge that tied them to it.
        if (!other.has(guard)) lone = fork
      }
    }
    return lone
  }

  isGuarded(name: string, predicate: string): boolean {
    const node = this.nodes.get(name)
    if (!node || isOp(node, 'Switch')) return false
    const guards = this.guardsOf(name)
    return guards.has(`${predicate}=0`) || guards.has(`${predicate}=1`)
  }

  /** What Switches of a condition pass into the sides that meet in a Merge. */
  switchedInputs(merge: NodeDef, predicate: string): string[] {
    const found = new Set<string>()
    const seen = new Set<string>()
    const open = merge.inputs.filter((i) => !i.startsWith('^')).map((i) => parseReference(i).node)
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (seen.has(name)) continue
      seen.add(name)
      const node = this.nodes.get(name)
      if (!node) continue
      const inputs = node.inputs.filter((i) => !i.startsWith('^'))
      if (isOp(node, 'Switch') && this.origin(inputs[1] ?? '') === predicate) found.add(inputs[0] ?? '')
      else if (this.isGuarded(name, predicate) || isOp(node, 'Switch'))
        for (const i of inputs) open.push(parseReference(i).node)
      else continue
    }
    return [...found]
  }

  /** Conditions a reference depends on, as `condition=side`. */
  private guardsOf(text: string): Guards {
    const { node: start, index } = parseReference(text)
    const open = [start]
    while (open.length > 0) {
      const name = open.at(-1) ?? ''
      if (this.guards.has(name)) {
        open.pop()
        continue
      }
      const node = this.nodes.get(name)
      const before = node ? this.before(node).filter((i) => !this.guards.has(parseReference(i).node)) : []
      if (before.length > 0 && !this.pending.has(name)) {
        this.pending.add(name)
        for (const i of before) open.push(parseReference(i).node)
        continue
      }
      this.guards.set(name, node ? this.combine(node) : none)
      this.pending.delete(name)
      open.pop()
    }
    return this.withSide(start, index)
  }
  private readonly pending = new Set<string>()

  /** Guards of one output: those of the node, and of a Switch the side. */
  private withSide(name: string, index: number): Guards {
    const guards = this.guards.get(name) ?? none
    const node = this.nodes.get(name)
    if (!node || !isOp(node, 'Switch')) return guards
    const predicate = this.origin(node.inputs[1] ?? '')
    if (isOp(this.nodes.get(parseReference(predicate).node), 'LoopCond')) return guards
    return new Set([...guards, `${predicate}=${index}`])
  }

  /** Inputs that a node's guards come from. */
  private before(node: NodeDef): readonly string[] {
    if (isOp(node, 'Merge'))
      return node.inputs.filter((i) => !isOp(this.nodes.get(parseReference(i).node), 'NextIteration'))
    return isOp(node, 'NextIteration') ? [] : node.inputs
  }

  private combine(node: NodeDef): Guards {
    const sets = this.before(node).map((i) => {
      const { node: name, index } = parseReference(i)
      return this.withSide(name, index)
    })
    const largest = sets.reduce((a, b) => (b.size > a.size ? b : a), none)
    const all = sets.every((s) => s === largest || [...s].every((g) => largest.has(g)))
      ? largest
      : new Set(sets.flatMap((s) => [...s]))
    if (!isOp(node, 'Merge')) return all
    // Both sides of a condition meet here, so nothing behind depends on it.
    const left = [...all].filter((g) => !all.has(`${g.slice(0, -2)}=${g.endsWith('=1') ? 0 : 1}`))
    return left.length === all.size ? all : new Set(left)
  }

  /** A reference with Identities taken off, so that equal conditions have equal names. */
  private origin(text: string): string {
    let at = text
    for (let step = 0; step < 100; step++) {
      const { node: name, index } = parseReference(at)
      const node = this.nodes.get(name)
      if (node?.op !== 'Identity' || node.inputs[0] === undefined) return index === 0 ? name : `${name}:${index}`
      at = node.inputs[0]
    }
    return at
  }

  private usersOf(name: string): readonly NodeDef[] {
    if (!this.users) {
      this.users = new Map()
      for (const node of this.nodes.values()) {
        for (const i of node.inputs) {
          if (i.startsWith('^')) continue
          const { node: used } = parseReference(i)
          const list = this.users.get(used)
          if (list) list.push(node)
          else this.users.set(used, [node])
        }
      }
    }
    return this.users.get(name) ?? []
  }

  /** The loop that an Exit leaves: the variables of its frame, its condition and its body. */
  loopOf(exit: NodeDef): FlowLoop | undefined {
    const first = this.nodes.get(parseReference(exit.inputs[0] ?? '').node)
    const merge = first && this.nodes.get(parseReference(first.inputs[0] ?? '').node)
    const enter = merge?.inputs.map((i) => this.nodes.get(parseReference(i).node)).find((n) => isOp(n, 'Enter'))
    const frameName = enter?.attrs.string('frame_name')
    if (frameName === undefined) return undefined
    const enters = [...this.nodes.values()].filter(
      (n) => isOp(n, 'Enter') && n.attrs.string('frame_name') === frameName,
    )
    const variables: FlowLoop['variables'][number][] = []
    const constants: FlowLoop['constants'][number][] = []
    let condition: string | undefined
    for (const e of enters) {
      const [input = ''] = e.inputs
      const at = this.usersOf(e.name).find((u) => isOp(u, 'Merge'))
      if (!at) {
        constants.push({ node: e.name, input })
        continue
      }
      const next = at.inputs.map((i) => this.nodes.get(parseReference(i).node)).find((n) => isOp(n, 'NextIteration'))
      const fork = this.usersOf(at.name).find(
        (u) => isOp(u, 'Switch') && isOp(this.nodes.get(parseReference(u.inputs[1] ?? '').node), 'LoopCond'),
      )
      if (fork) condition ??= this.nodes.get(parseReference(fork.inputs[1] ?? '').node)?.inputs[0]
      const exits = fork ? this.usersOf(fork.name).filter((u) => isOp(u, 'Exit')) : []
      variables.push({ enter: input, merge: at.name, next: next?.inputs[0] ?? '', exits: exits.map((x) => x.name) })
    }
    if (condition === undefined || variables.some((v) => v.next === '')) return undefined
    const exits = new Set(variables.flatMap((v) => v.exits))
    return {
      variables,
      constants,
      condition,
      body: this.behind(
        variables.map((v) => v.merge),
        exits,
      ),
    }
  }

  /** Nodes that depend on `starts`, up to the Exits of the loop. */
  private behind(starts: readonly string[], exits: ReadonlySet<string>): Set<string> {
    const found = new Set<string>(starts)
    const open = [...starts]
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      for (const user of this.usersOf(name)) {
        if (found.has(user.name) || exits.has(user.name)) continue
        found.add(user.name)
        open.push(user.name)
      }
    }
    return found
  }
}
