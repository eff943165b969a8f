import type { DType } from '@eas/base'
import { type Message, refuse } from '@eas/onnx'
import { dtypeOf } from './dtype.ts'

/** A node as the file has it, with its attributes by name. */
export interface NodeDef {
  readonly name: string
  readonly op: string
  /** `node`, `node:k`, `^control`; within functions also `node:out_arg:k`. */
  readonly inputs: readonly string[]
  readonly attrs: Attrs
}

export interface FunctionDef {
  readonly name: string
  /** Names of the arguments. */
  readonly args: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: ReadonlyMap<string, NodeDef>
  /** Output name → reference within the body. */
  readonly ret: ReadonlyMap<string, string>
}

export interface GraphDef {
  readonly nodes: ReadonlyMap<string, NodeDef>
  readonly functions: ReadonlyMap<string, FunctionDef>
}

/** A decoded `AttrValue` each. Defaults are the caller's to know: writers may strip them. */
export class Attrs {
  private readonly byName: ReadonlyMap<string, Message>

  constructor(entries: readonly Message[]) {
    this.byName = new Map(entries.map(({ key, value }) => [key ?? '', value ?? {}]))
  }

  has(name: string): boolean {
    return this.byName.has(name)
  }

  get(name: string): Message | undefined {
    return this.byName.get(name)
  }

  int(name: string, otherwise: number): number {
    return this.byName.get(name)?.i ?? otherwise
  }

  float(name: string, otherwise: number): number {
    return this.byName.get(name)?.f ?? otherwise
  }

  bool(name: string, otherwise = false): boolean {
    return this.byName.get(name)?.b ?? otherwise
  }

  string(name: string, otherwise = ''): string {
    const s: Uint8Array | undefined = this.byName.get(name)?.s
    return s ? Buffer.from(s).toString('utf8') : otherwise
  }

  ints(name: string, otherwise: readonly number[] = []): readonly number[] {
    return this.byName.get(name)?.list?.i ?? otherwise
  }

  floats(name: string): readonly number[] {
    return this.byName.get(name)?.list?.f ?? []
  }

  strings(name: string): readonly string[] {
    const list: readonly Uint8Array[] = this.byName.get(name)?.list?.s ?? []
    return list.map((s) => Buffer.from(s).toString('utf8'))
  }

  /** The element type; undefined for resources, variants and attributes that are not there. */
  dtype(name: string): DType | undefined {
    const code: number | undefined = this.byName.get(name)?.type
    return code === undefined ? undefined : dtypeOf(code)
  }

  dtypes(name: string): readonly (DType | undefined)[] {
    const codes: readonly number[] = this.byName.get(name)?.list?.type ?? []
    return codes.map(dtypeOf)
  }

  /** Sizes with -1 for unknown ones; undefined when the rank is unknown. */
  shape(name: string): readonly number[] | undefined {
    const shape: Message | undefined = this.byName.get(name)?.shape
    return shape && toShape(shape)
  }

  shapes(name: string): readonly (readonly number[] | undefined)[] {
    const shapes: readonly Message[] = this.byName.get(name)?.list?.shape ?? []
    return shapes.map(toShape)
  }

  /** Name of a function. */
  func(name: string): string {
    return this.byName.get(name)?.func?.name ?? ''
  }

  funcs(name: string): readonly string[] {
    const list: readonly Message[] = this.byName.get(name)?.list?.func ?? []
    return list.map((f) => f.name ?? '')
  }

  /** Attributes a host operator can be told: names, numbers and lists of them, as plain data. */
  plain(): Record<string, PlainAttr> {
    const plain: Record<string, PlainAttr> = {}
    for (const name of this.byName.keys()) {
      const value = this.plainValue(name)
      if (value !== undefined) plain[name] = value
    }
    return plain
  }

  private plainValue(name: string): PlainAttr | undefined {
    const value = this.byName.get(name)
    if (!value || name.startsWith('_')) return undefined
    if (value.s !== undefined) return this.string(name)
    for (const simple of [value.i, value.f, value.b]) if (simple !== undefined) return simple
    if (value.type !== undefined) return dtypeOf(value.type)
    if (value.shape !== undefined) return this.shape(name)
    const list = value.list
    if (!list) return undefined
    if (list.type.length > 0) return this.dtypes(name).map((t) => t ?? 'resource')
    if (list.shape.length > 0) return this.shapes(name).map((s) => s ?? [])
    if (list.s.length > 0) return this.strings(name)
    return [...list.i, ...list.f, ...list.b]
  }
}

export type PlainAttr = number | string | boolean | readonly PlainAttr[]

export const toShape = (shape: Message): readonly number[] | undefined =>
  shape.unknown_rank ? undefined : shape.dim.map((d: Message) => d.size ?? 0)

/** @throws {ImportRefusal} When two nodes share a name. */
function toNodes(messages: readonly Message[]): Map<string, NodeDef> {
  const nodes = new Map<string, NodeDef>()
  for (const { name = '', op = '', input, attr } of messages) {
    if (nodes.has(name)) throw refuse('two nodes of the graph have one name', name)
    nodes.set(name, { name, op, inputs: input, attrs: new Attrs(attr) })
  }
  return nodes
}

/** @param message A `GraphDef` as `graphType` decodes it. */
export function toGraphDef(message: Message): GraphDef {
  const functions = new Map<string, FunctionDef>()
  for (const f of message.library?.function ?? []) {
    const signature: Message = f.signature ?? { input_arg: [], output_arg: [] }
    const name: string = signature.name ?? ''
    functions.set(name, {
      name,
      args: signature.input_arg.map((a: Message) => a.name ?? ''),
      outputs: signature.output_arg.map((a: Message) => a.name ?? ''),
      nodes: toNodes(f.node_def),
      ret: new Map(f.ret.map(({ key, value }: Message) => [key ?? '', value ?? ''])),
    })
  }
  return { nodes: toNodes(message.node), functions }
}

/** `name`, output index or name, and whether it is a mere order of execution. */
export interface Reference {
  readonly node: string
  /** Output of that name within the node's outputs; absent in graphs outside functions. */
  readonly arg?: string
  readonly index: number
  readonly isControl: boolean
}

export function parseReference(text: string): Reference {
  if (text.startsWith('^')) return { node: text.slice(1), index: 0, isControl: true }
  const [node = '', second, third] = text.split(':')
  if (third !== undefined) return { node, arg: second ?? '', index: Number(third), isControl: false }
  return { node, index: second === undefined ? 0 : Number(second), isControl: false }
}
