import { refuse } from '@eas/onnx'
import { limits } from '../limits.ts'
import type { ClassDef, Expr, FunctionDef, ParameterDef, SourceFile, Statement, Target } from './ast.ts'
import { type Token, tokenize } from './tokens.ts'

const imaginaries: ReadonlyMap<string, number> = new Map([
  ['infj', Number.POSITIVE_INFINITY],
  ['nanj', Number.NaN],
])

/**
 * Parses one file of `code/`.
 * @throws {ImportRefusal} Naming file and line, at what torch's printer does not print.
 * @see https://github.com/pytorch/pytorch/blob/v2.4.0/torch/csrc/jit/serialization/python_print.cpp
 */
export const parseSource = (source: string, file: string): SourceFile => new Parser(tokenize(source, file), file).file()

const constants = new Map<string, boolean | number | null>([
  ['None', null],
  ['True', true],
  ['False', false],
  ['inf', Number.POSITIVE_INFINITY],
  ['nan', Number.NaN],
])

class Parser {
  private readonly tokens: readonly Token[]
  private readonly fileName: string
  private at = 0
  private depth = 0

  constructor(tokens: readonly Token[], fileName: string) {
    this.tokens = tokens
    this.fileName = fileName
  }

  file(): SourceFile {
    const classes = new Map<string, ClassDef>()
    const functions = new Map<string, FunctionDef>()
    while (this.token.kind !== 'end') {
      if (this.isWord('class')) {
        const definition = this.class()
        classes.set(definition.name, definition)
      } else if (this.isWord('def')) {
        const definition = this.def()
        functions.set(definition.name, definition)
      } else this.statement() // `op_version_set = 1` in old files
    }
    return { classes, functions }
  }

  private get token(): Token {
    return this.tokens[this.at] as Token // the last one is `end`, which nothing passes
  }

  private bad(what = `${JSON.stringify(this.token.text || this.token.kind)} is out of place`): Error {
    return refuse(`the source does not parse: ${what}`, `${this.fileName}:${this.token.line}`)
  }

  private isKind(kind: Token['kind']): boolean {
    return this.token.kind === kind
  }
  private is(mark: string): boolean {
    return this.token.kind === 'mark' && this.token.text === mark
  }
  private isWord(text: string): boolean {
    return this.token.kind === 'name' && this.token.text === text
  }
  private accept(mark: string): boolean {
    if (!this.is(mark)) return false
    this.at++
    return true
  }
  private expect(mark: string): void {
    if (!this.accept(mark)) throw this.bad()
  }
  private word(): string {
    if (this.token.kind !== 'name') throw this.bad()
    return (this.tokens[this.at++] as Token).text // it is the token just looked at
  }
  private newline(): void {
    if (this.token.kind !== 'newline') throw this.bad()
    this.at++
  }

  private class(): ClassDef {
    this.at++
    const name = this.word()
    let base = ''
    if (this.accept('(')) {
      if (!this.is(')')) base = this.dotted()
      this.expect(')')
    }
    const fields: ClassDef['fields'][number][] = []
    const methods = new Map<string, FunctionDef>()
    for (const statement of this.block()) {
      if (statement.kind === 'def') methods.set(statement.function.name, statement.function)
      else if (statement.kind === 'field' || statement.kind === 'assign' || statement.kind === 'expression')
        fields.push(statement)
      else if (statement.kind !== 'pass') throw this.bad(`a ${statement.kind} in class ${name}`)
    }
    return { name, base, fields, methods, file: this.fileName }
  }

  private dotted(): string {
    let name = this.word()
    while (this.accept('.')) name += `.${this.word()}`
    return name
  }

  private def(): FunctionDef {
    const { line } = this.token
    this.at++
    const name = this.word()
    this.expect('(')
    const parameters: ParameterDef[] = []
    while (!this.is(')')) {
      const parameter = this.word()
      const type = this.accept(':') ? this.expression() : undefined
      const value = this.accept('=') ? this.expression() : undefined
      parameters.push({ name: parameter, type, default: value })
      if (!this.accept(',')) break
    }
    this.expect(')')
    const returns = this.accept('->') ? this.expression() : undefined
    const body = this.block()
    return { name, parameters, returns, body, file: this.fileName, line }
  }

  private block(): Statement[] {
    this.expect(':')
    this.newline()
    // A class or function without a body, as interfaces have.
    if (!this.isKind('indent')) return []
    this.at++
    this.deeper()
    const statements: Statement[] = []
    while (!this.isKind('dedent')) {
      if (this.isKind('end')) throw this.bad('the file ends within a block')
      statements.push(this.statement())
    }
    this.at++
    this.depth--
    return statements
  }

  private deeper(): void {
    if (++this.depth > limits.depth) throw this.bad(`it nests over ${limits.depth} deep`)
  }

  private statement(): Statement {
    const { line, kind, text } = this.token
    const keyword = kind === 'name' ? this.keywords[text] : undefined
    if (keyword) return { line, ...keyword.call(this) } as Statement // each gives a statement but for its line
    const first = this.expression()
    if (this.accept(':')) {
      const type = this.expression()
      const value = this.accept('=') ? this.expression() : undefined
      this.newline()
      return { line, kind: 'field', name: fieldName(first) ?? this.fail(), type, value }
    }
    const targets = [first]
    let unpack = false
    while (this.accept(',')) {
      unpack = true
      if (this.is('=')) break
      targets.push(this.expression())
    }
    if (this.accept('=')) {
      const value = this.expressions()
      this.newline()
      const annotated = first.kind === 'index' ? fieldName(first) : undefined
      if (annotated !== undefined) return { line, kind: 'field', name: annotated, type: value, value: undefined }
      return { line, kind: 'assign', targets: targets.map((t) => this.target(t)), unpack, value }
    }
    if (unpack) throw this.bad()
    this.newline()
    return { line, kind: 'expression', value: first }
  }

  private readonly keywords: Readonly<Record<string, (this: Parser) => object>> = {
    pass() {
      this.at++
      this.newline()
      return { kind: 'pass' }
    },
    return() {
      this.at++
      const value = this.token.kind === 'newline' ? undefined : this.expressions()
      this.newline()
      return { kind: 'return', value }
    },
    if() {
      this.at++
      const condition = this.expression()
      const whenTrue = this.block()
      let whenFalse: Statement[] = []
      if (this.isWord('else')) {
        this.at++
        whenFalse = this.block()
      }
      return { kind: 'if', condition, whenTrue, whenFalse }
    },
    for() {
      this.at++
      const variable = this.word()
      if (this.word() !== 'in') throw this.bad()
      const over = this.expression()
      return { kind: 'for', variable, over, body: this.block() }
    },
    while() {
      this.at++
      const condition = this.expression()
      return { kind: 'while', condition, body: this.block() }
    },
    with() {
      this.at++
      const context = this.expression()
      let name: string | undefined
      if (this.isWord('as')) {
        this.at++
        name = this.word()
      }
      return { kind: 'with', context, name, body: this.block() }
    },
    def() {
      return { kind: 'def', function: this.def() }
    },
  }

  private fail(): never {
    throw this.bad()
  }

  private target(e: Expr): Target {
    if (e.kind === 'name' || e.kind === 'attribute') return e
    throw this.bad('something is assigned to that is no variable')
  }

  /** One expression, or a tuple without parentheses. */
  private expressions(): Expr {
    const first = this.expression()
    if (!this.is(',')) return first
    const items = [first]
    while (this.accept(',')) if (this.token.kind !== 'newline') items.push(this.expression())
    return { kind: 'tuple', items }
  }

  private expression(): Expr {
    this.deeper()
    let e = this.primary()
    for (;;) {
      if (this.accept('.')) e = { kind: 'attribute', of: e, name: this.word() }
      else if (this.accept('(')) e = this.call(e)
      else if (this.accept('[')) e = this.subscript(e)
      else break
    }
    this.depth--
    return e
  }

  private primary(): Expr {
    const { token } = this
    this.at++
    if (token.kind === 'name') {
      if (constants.has(token.text)) return { kind: 'constant', value: constants.get(token.text) ?? null }
      const imaginary = imaginaries.get(token.text)
      return imaginary === undefined ? { kind: 'name', name: token.text } : { kind: 'complex', value: [0, imaginary] }
    }
    if (token.kind === 'value') {
      const { value } = token
      return typeof value === 'object' ? { kind: 'complex', value } : { kind: 'constant', value }
    }
    if (token.kind !== 'mark') {
      this.at--
      throw this.bad()
    }
    switch (token.text) {
      case '(': {
        if (this.accept(')')) return { kind: 'tuple', items: [] }
        const first = this.expression()
        if (this.accept(')')) return first
        const items = [first]
        while (this.accept(',')) if (!this.is(')')) items.push(this.expression())
        this.expect(')')
        return { kind: 'tuple', items }
      }
      case '[':
        return { kind: 'list', items: this.items(']') }
      case '{': {
        const entries: [Expr, Expr][] = []
        while (!this.is('}')) {
          const key = this.expression()
          this.expect(':')
          entries.push([key, this.expression()])
          if (!this.accept(',')) break
        }
        this.expect('}')
        return { kind: 'dict', entries }
      }
      case '-': {
        const of = this.expression()
        if (of.kind === 'constant' && (typeof of.value === 'bigint' || typeof of.value === 'number'))
          return { kind: 'constant', value: -of.value }
        return { kind: 'negative', of }
      }
      default:
        this.at--
        throw this.bad()
    }
  }

  private items(close: string): Expr[] {
    const items: Expr[] = []
    while (!this.is(close)) {
      items.push(this.expression())
      if (!this.accept(',')) break
    }
    this.expect(close)
    return items
  }

  private call(callee: Expr): Expr {
    const args: Expr[] = []
    const keywords: [string, Expr][] = []
    while (!this.is(')')) {
      const next = this.tokens[this.at + 1]
      if (this.token.kind === 'name' && next?.kind === 'mark' && next.text === '=') {
        const name = this.word()
        this.at++
        keywords.push([name, this.expression()])
      } else args.push(this.expression())
      if (!this.accept(',')) break
    }
    this.expect(')')
    return { kind: 'call', callee, args, keywords }
  }

  private subscript(of: Expr): Expr {
    const part = (): Expr | undefined => (this.is(':') || this.is(']') ? undefined : this.expression())
    const lower = part()
    if (this.accept(':')) {
      const upper = part()
      const step = this.accept(':') ? part() : undefined
      this.expect(']')
      return { kind: 'slice', of, lower, upper, step }
    }
    if (!lower) throw this.bad()
    const index = [lower]
    while (this.accept(',')) if (!this.is(']')) index.push(this.expression())
    this.expect(']')
    return { kind: 'index', of, index }
  }
}

/** `name`, or `__annotations__["0"]` for a name that is no identifier. */
function fieldName(e: Expr): string | undefined {
  if (e.kind === 'name') return e.name
  const [key] = e.kind === 'index' ? e.index : []
  return key?.kind === 'constant' && typeof key.value === 'string' ? key.value : undefined
}
