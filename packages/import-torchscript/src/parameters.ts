import type { Archive } from './archive.ts'
import { Program, typeText } from './program.ts'
import type { ParameterDef } from './script/ast.ts'

/** What a parameter takes. */
export type ParameterKind = 'tensor' | 'tensor dict' | 'tensor list' | 'other'

export interface TorchScriptParameter {
  readonly name: string
  /** As the source writes it: `Dict[str, Tensor]`. */
  readonly type: string
  readonly kind: ParameterKind
  /** Whether it may be left out. */
  readonly optional: boolean
}

export interface TorchScriptDescription {
  /** Class of the root module. */
  readonly type: string
  /** Version of the file format. */
  readonly version: number
  /** Public methods, `forward` first. */
  readonly methods: readonly { readonly name: string; readonly parameters: readonly TorchScriptParameter[] }[]
}

export function kindOf(type: string): ParameterKind {
  const inner = type.replace(/^Optional\[(.*)\]$/, '$1')
  if (inner === 'Tensor') return 'tensor'
  if (/^Dict\[str, (?:Optional\[)?Tensor\]*$/.test(inner)) return 'tensor dict'
  return /^(?:List|Tuple)\[(?:Tensor(?:, )?)+\]$/.test(inner) ? 'tensor list' : 'other'
}

export function toParameter(p: ParameterDef): TorchScriptParameter {
  const type = typeText(p.type)
  return { name: p.name, type, kind: kindOf(type), optional: p.default !== undefined || type.startsWith('Optional[') }
}

export function describe(archive: Archive): TorchScriptDescription {
  const root = archive.root()
  const methods = [...(new Program(archive).class(root.type)?.methods.values() ?? [])]
    .filter((m) => !m.name.startsWith('_'))
    .map((m) => ({ name: m.name, parameters: m.parameters.slice(1).map(toParameter) }))
    .sort((a, b) => Number(b.name === 'forward') - Number(a.name === 'forward'))
  return { type: root.type, version: archive.version, methods }
}
