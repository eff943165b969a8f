import type { Complex } from './tokens.ts'

/** The dialect of Python that torch prints TorchScript in: no operators, comparisons or comprehensions, only calls. */
export type Expr =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: bigint | number | string | boolean | null }
  | { readonly kind: 'complex'; readonly value: Complex }
  | { readonly kind: 'tuple'; readonly items: readonly Expr[] }
  | { readonly kind: 'list'; readonly items: readonly Expr[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [key: Expr, value: Expr])[] }
  | { readonly kind: 'attribute'; readonly of: Expr; readonly name: string }
  | {
      readonly kind: 'call'
      readonly callee: Expr
      readonly args: readonly Expr[]
      readonly keywords: readonly (readonly [name: string, value: Expr])[]
    }
  | { readonly kind: 'index'; readonly of: Expr; readonly index: readonly Expr[] }
  | {
      readonly kind: 'slice'
      readonly of: Expr
      readonly lower: Expr | undefined
      readonly upper: Expr | undefined
      readonly step: Expr | undefined
    }
  | { readonly kind: 'negative'; readonly of: Expr }

export type Target = { readonly kind: 'name'; readonly name: string } | Extract<Expr, { kind: 'attribute' }>

export type Statement = { readonly line: number } & (
  | { readonly kind: 'assign'; readonly targets: readonly Target[]; readonly unpack: boolean; readonly value: Expr }
  | { readonly kind: 'field'; readonly name: string; readonly type: Expr; readonly value: Expr | undefined }
  | {
      readonly kind: 'if'
      readonly condition: Expr
      readonly whenTrue: readonly Statement[]
      readonly whenFalse: readonly Statement[]
    }
  | { readonly kind: 'for'; readonly variable: string; readonly over: Expr; readonly body: readonly Statement[] }
  | { readonly kind: 'while'; readonly condition: Expr; readonly body: readonly Statement[] }
  | {
      readonly kind: 'with'
      readonly context: Expr
      readonly name: string | undefined
      readonly body: readonly Statement[]
    }
  | { readonly kind: 'return'; readonly value: Expr | undefined }
  | { readonly kind: 'expression'; readonly value: Expr }
  | { readonly kind: 'def'; readonly function: FunctionDef }
  | { readonly kind: 'pass' }
)

export interface FunctionDef {
  readonly name: string
  readonly parameters: readonly ParameterDef[]
  readonly returns: Expr | undefined
  readonly body: readonly Statement[]
  /** File of the archive it stands in, and its first line. */
  readonly file: string
  readonly line: number
}

export interface ParameterDef {
  readonly name: string
  readonly type: Expr | undefined
  readonly default: Expr | undefined
}

export interface ClassDef {
  readonly name: string
  /** `Module`, `NamedTuple`, `Enum`, `Interface`, `ModuleInterface`, or none. */
  readonly base: string
  readonly fields: readonly Extract<Statement, { kind: 'field' | 'assign' | 'expression' }>[]
  readonly methods: ReadonlyMap<string, FunctionDef>
  readonly file: string
}

/** What a file of code defines. */
export interface SourceFile {
  readonly classes: ReadonlyMap<string, ClassDef>
  readonly functions: ReadonlyMap<string, FunctionDef>
}
