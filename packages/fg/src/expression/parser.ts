import { ExpressionError } from './expression-error.ts'
import { type Token, tokensOf } from './lexer.ts'
import { type Operand, type Program, ProgramBuilder } from './program.ts'
import { binaryOperators, type Kernel, negate, power, scalarFunctions, select } from './scalar-functions.ts'
import { vectorFunctions } from './vector-functions.ts'

/** Bounds on an expression; those of the documents have tens of characters and a handful of variables. */
const limits = { sourceChars: 16_384, depth: 200, registers: 1024 } as const

export const constants: ReadonlyMap<string, number> = new Map([
  ['_pi', Math.PI],
  ['_e', Math.E],
])

/**
 * Reads an expression: `?:` binds least, then `binaryOperators`, then a sign, then `^`, which is right-associative:
 * `-a^b` is `-(a^b)`, as in muParser, whose functions and operators these are.
 *
 * @throws {ExpressionError}
 */
export function parseExpression(source: string, variables: readonly string[], random: Kernel): Program {
  if (source.length > limits.sourceChars) {
    throw new ExpressionError(`${source.length} characters, more than ${limits.sourceChars}`, limits.sourceChars)
  }
  return new Parser(source, variables, random).parse()
}

class Parser {
  readonly #tokens: Iterator<Token, Token>
  readonly #indexOf: ReadonlyMap<string, number>
  readonly #random: Kernel
  #next: Token
  #builder = new ProgramBuilder()
  #depth = 0

  constructor(source: string, variables: readonly string[], random: Kernel) {
    this.#tokens = tokensOf(source)
    this.#indexOf = new Map(variables.map((name, index) => [name, index]))
    this.#random = random
    this.#next = this.#tokens.next().value
  }

  parse(): Program {
    const result = this.#ternary()
    if (this.#next.kind !== 'end') throw this.#unexpected('an operator')
    return this.#builder.build([result])
  }

  #ternary(): Operand {
    return this.#nested(() => {
      const condition = this.#binary(1)
      if (!this.#skip('?')) return condition
      const a = this.#ternary()
      this.#expect(':')
      return this.#apply(select, [condition, a, this.#ternary()])
    })
  }

  /** Operators that bind at least as tight as `precedence`. */
  #binary(precedence: number): Operand {
    let left = this.#signed()
    for (;;) {
      const operator = this.#next.kind === 'sign' ? binaryOperators.get(this.#next.text) : undefined
      if (!operator || operator.precedence < precedence) return left
      this.#advance()
      left = this.#apply(operator.kernel, [left, this.#binary(operator.precedence + 1)])
    }
  }

  #signed(): Operand {
    return this.#nested(() => {
      if (this.#skip('-')) return this.#apply(negate, [this.#signed()])
      if (this.#skip('+')) return this.#signed()
      const base = this.#primary()
      return this.#skip('^') ? this.#apply(power, [base, this.#signed()]) : base
    })
  }

  #primary(): Operand {
    const { kind, text, offset } = this.#next
    if (kind === 'number') {
      this.#advance()
      return this.#builder.constant(Number(text))
    }
    if (kind === 'name') {
      this.#advance()
      return this.#next.text === '(' ? this.#call(text, offset) : this.#named(text, offset)
    }
    if (!this.#skip('(')) throw this.#unexpected('a number, a variable or (')
    const inner = this.#ternary()
    this.#expect(')')
    return inner
  }

  #named(name: string, offset: number): Operand {
    const index = this.#indexOf.get(name)
    if (index !== undefined) return this.#builder.variable(index)
    const constant = constants.get(name)
    if (constant !== undefined) return this.#builder.constant(constant)
    throw new ExpressionError(`no variable is named ${name}`, offset)
  }

  #call(name: string, offset: number): Operand {
    if (name === 'rnd') {
      this.#arguments(name, offset, 0, 0)
      return this.#apply(this.#random, [])
    }
    const scalar = scalarFunctions.get(name)
    if (scalar) return this.#apply(scalar.kernel, this.#arguments(name, offset, ...scalar.arity))
    const vector = vectorFunctions.get(name)
    if (!vector) throw new ExpressionError(`no function is named ${name}`, offset)
    // Its arguments have as many elements as their vectors, whatever is around the call: they are a program apart.
    const outer = this.#builder
    this.#builder = new ProgramBuilder()
    const inner = this.#builder.build(this.#arguments(name, offset, vector.arity, vector.arity))
    this.#builder = outer
    return outer.reduced(vector, inner)
  }

  #arguments(name: string, offset: number, least: number, most: number): Operand[] {
    this.#expect('(')
    const operands: Operand[] = []
    if (!this.#skip(')')) {
      do operands.push(this.#ternary())
      while (this.#skip(','))
      this.#expect(')')
    }
    if (operands.length < least || operands.length > most) {
      const wanted = least === most ? `${least}` : `${least} to ${most}`
      throw new ExpressionError(`${name} takes ${wanted} arguments, not ${operands.length}`, offset)
    }
    return operands
  }

  #apply(kernel: Kernel, inputs: readonly Operand[]): Operand {
    const output = this.#builder.apply(kernel, inputs)
    if (this.#builder.size > limits.registers) {
      throw new ExpressionError(`more than ${limits.registers} values at a time`, this.#next.offset)
    }
    return output
  }

  /** Counts levels, so that a deep expression is refused before the stack is used up. */
  #nested<T>(read: () => T): T {
    if (++this.#depth > limits.depth * 2) {
      throw new ExpressionError(`nested deeper than ${limits.depth} levels`, this.#next.offset)
    }
    const result = read()
    this.#depth--
    return result
  }

  #advance(): void {
    this.#next = this.#tokens.next().value
  }

  #skip(sign: string): boolean {
    if (this.#next.kind !== 'sign' || this.#next.text !== sign) return false
    this.#advance()
    return true
  }

  #expect(sign: string): void {
    if (!this.#skip(sign)) throw this.#unexpected(sign)
  }

  #unexpected(wanted: string): ExpressionError {
    const found = this.#next.kind === 'end' ? 'the end' : this.#next.text
    return new ExpressionError(`${wanted} expected, found ${found.slice(0, 40)}`, this.#next.offset)
  }
}
