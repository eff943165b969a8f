import type { Key } from './config-key.ts'
import { groupKeys, sequenceKeys } from './document.ts'
import { renderExpressionLanguage } from './expression/index.ts'
import { officialOperators } from './operators/custom-operators.ts'
import { operators, unsupportedOperators } from './operators/index.ts'
import { renderTokenizers } from './text/index.ts'

/** Every operator and every key, as Markdown tables. */
export function renderOperators(): string {
  const rows = operators.map(({ feature_type, summary }) => [`\`${feature_type}\``, summary])
  const refused = unsupportedOperators.map((type) => [
    `\`${type}\``,
    'Refused by name: its parameters are not published.',
  ])
  const official = [...officialOperators.keys(), 'SeqExpr'].map((name) => `\`${name}\``).join(', ')
  return [
    '### Operators',
    table(['operator', 'what it gives'], [...rows, ...refused]),
    `Operators of \`custom_feature\`: ${official}, and those that \`compileFg\` is given.`,
    '### Keys',
    '`feature_name` and `feature_type` are required everywhere. Keys that are not in the table are left alone.',
    table(['key', 'in', 'type', 'default', 'meaning'], keyRows()),
    '### Keys of a sequence group',
    table(
      ['key', 'type', 'default', 'meaning'],
      Object.entries(groupKeys).map(([name, key]) => cellsOf(name, key)),
    ),
    '### Formulas',
    renderExpressionLanguage(),
    '### Tokenizers',
    renderTokenizers(),
  ].join('\n\n')
}

/** Keys of all operators: those that mean the same share a row. */
function keyRows(): string[][] {
  const found = new Map<string, { readonly name: string; readonly key: Key<unknown>; readonly types: string[] }>()
  const sequences = { feature_type: 'sequences', keys: sequenceKeys }
  for (const { feature_type, keys } of [...operators, sequences]) {
    for (const [name, key] of Object.entries(keys)) {
      const id = JSON.stringify([name, key.meaning, key.default ?? null])
      const known = found.get(id) ?? { name, key, types: [] }
      known.types.push(feature_type.replace(/_feature$/, ''))
      found.set(id, known)
    }
  }
  return [...found.values()].map(({ name, key, types }) => {
    const [names = '', ...rest] = cellsOf(name, key)
    return [names, typesText(types), ...rest]
  })
}

/** Operators by name, or all but a few. */
function typesText(types: readonly string[]): string {
  const others = operators
    .map(({ feature_type }) => feature_type.replace(/_feature$/, ''))
    .filter((t) => !types.includes(t))
  if (others.length === 0) return 'all'
  return others.length < types.length && others.length <= 4 ? `all but ${others.join(', ')}` : types.join(', ')
}

function cellsOf(name: string, key: Key<unknown>): string[] {
  const names = [name, ...key.aliases].map((spelling) => `\`${spelling}\``).join(', ')
  const type = key.required ? `${key.words}, required` : key.words
  return [names, type, key.required || key.default === undefined ? '' : `\`${shownDefault(key.default)}\``, key.meaning]
}

const shownDefault = (value: unknown): string => JSON.stringify(value)

/** Columns are padded, as the formatter of this repository wants them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, column) => cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 3))
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const rule = line(widths.map((width) => '-'.repeat(width)))
  return [line(cells[0] ?? []), rule, ...cells.slice(1).map(line)].join('\n')
}
