import { families, lowerings } from './lower/index.ts'
import { pythonOps } from './python-ops.ts'

/** Names of the operators that are lowered to ONNX, as code calls them without `aten::`. */
export const loweredOps: readonly string[] = Object.keys(lowerings)

/** Operators by family, as Markdown: what is lowered to ONNX, then what runs while a model is lowered. */
export function renderOps(): string {
  const sections = Object.entries(families).map(([title, table]) => section(title, Object.keys(table)))
  return [...sections, section('On Python values, while lowering', Object.keys(pythonOps))].join('\n\n')
}

const section = (title: string, names: readonly string[]): string =>
  `### ${title}\n\n${[...names]
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ')}`
