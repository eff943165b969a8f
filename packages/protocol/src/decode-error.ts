import { EasError, oneLine } from '@eas/base'

/** A message that cannot be read: the client's fault, answered with 400. */
export class DecodeError extends EasError {
  override readonly name: string = 'DecodeError'
  /** Where in the message, as `map_inputs["x"].float_val`; empty for the message itself. */
  readonly field: string
  /** Where in the bytes the trouble was noticed. */
  readonly offset: number

  constructor(message: string, field: string, offset: number) {
    super('invalid_request', message)
    this.field = field
    this.offset = offset
  }
}

/**
 * A `DecodeError` in the making. It is thrown where the trouble is and gathers its path on the way up, so that reading a
 * sound message builds no paths. Not an `Error`: it never leaves `decodeMessage`, and needs no stack.
 */
export class Fault {
  readonly facts: string
  readonly offset: number
  /** What the field was to become, as `[1,784]`; empty when that is not the point. */
  readonly target: string
  /** A field below the one the message is about. */
  readonly leaf: string
  private path = ''

  constructor(facts: string, offset: number, target = '', leaf = '') {
    this.facts = facts
    this.offset = offset
    this.target = target
    this.leaf = leaf
  }

  within(name: string, key: string | number | bigint | undefined): this {
    const step = key === undefined ? name : `${name}[${typeof key === 'string' ? quoted(key) : key}]`
    this.path = this.path ? `${step}.${this.path}` : step
    return this
  }

  toDecodeError(messageName: string): DecodeError {
    const field = this.leaf && this.path ? `${this.path}.${this.leaf}` : this.leaf || this.path
    const target = this.target && ` as ${this.target}`
    return new DecodeError(`Cannot decode ${this.path || messageName}${target}: ${this.facts}`, field, this.offset)
  }
}

/** `thrown`, to be thrown on: a fault learns that it happened inside the field `name`, at `key` if that is known. */
export function inField(thrown: unknown, name: string, key?: string | number | bigint): unknown {
  return thrown instanceof Fault ? thrown.within(name, key) : thrown
}

const quoted = (key: string): string => JSON.stringify(oneLine(key, 80))
