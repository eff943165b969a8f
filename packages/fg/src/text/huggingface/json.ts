import { TokenizerError, tokenizerLimits } from '../tokenizer.ts'

/** A value of a `tokenizer.json` with the path to it, so that what is wrong can be said where. */
export class Node {
  readonly value: unknown
  readonly path: string
  readonly depth: number

  constructor(value: unknown, path: string, depth = 0) {
    if (depth > 16) throw new TokenizerError(`Cannot read ${path}: nested deeper than 16 levels`)
    this.value = value
    this.path = path
    this.depth = depth
  }

  get missing(): boolean {
    return this.value === undefined || this.value === null
  }

  get(key: string): Node {
    const { value } = this
    const own = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    // An object's own property, whatever it holds.
    return new Node(own ? (value as { [key: string]: unknown })[key] : undefined, `${this.path}.${key}`, this.depth + 1)
  }

  items(): Node[] {
    if (!Array.isArray(this.value)) throw this.wrong('a list')
    if (this.value.length > tokenizerLimits.pieces) throw this.wrong(`at most ${tokenizerLimits.pieces} entries`)
    return this.value.map((item, index) => new Node(item, `${this.path}[${index}]`, this.depth + 1))
  }

  string(fallback?: string): string {
    if (this.missing && fallback !== undefined) return fallback
    if (typeof this.value !== 'string') throw this.wrong('a text')
    return this.value
  }

  boolean(fallback: boolean): boolean {
    if (this.missing) return fallback
    if (typeof this.value !== 'boolean') throw this.wrong('true or false')
    return this.value
  }

  /** A whole number from 0 to 2^22 - 1, or `fallback` where there is none. */
  count(fallback?: number): number {
    if (this.missing && fallback !== undefined) return fallback
    const { value } = this
    if (!isCount(value)) throw this.notCount()
    return value
  }

  /** Texts and their ids. */
  vocabulary(): Map<string, number> {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('an object')
    const vocabulary = new Map<string, number>()
    for (const [text, id] of Object.entries(value)) {
      if (isCount(id)) vocabulary.set(text, id)
      else throw new Node(id, `${this.path}[${JSON.stringify(text.slice(0, 40))}]`).notCount()
    }
    return vocabulary
  }

  wrong(wanted: string): TokenizerError {
    return new TokenizerError(`Cannot read tokenizer.json: ${this.path} is not ${wanted}`)
  }

  notCount(): TokenizerError {
    return this.wrong(`a whole number from 0 to ${tokenizerLimits.pieces - 1}`)
  }

  unsupported(): TokenizerError {
    const shown = JSON.stringify(this.value)?.slice(0, 80)
    return new TokenizerError(`Cannot use tokenizer.json: ${this.path} is ${shown}, which is not supported`)
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < tokenizerLimits.pieces

/** What a component is made by: its `type` is looked up in a table. */
export type Components<T> = { readonly [type: string]: (node: Node) => T }

export function makeComponent<T>(node: Node, components: Components<T>): T {
  const type = node.get('type').string()
  const make = Object.hasOwn(components, type) ? components[type] : undefined
  if (!make) throw node.get('type').unsupported()
  return make(node)
}
