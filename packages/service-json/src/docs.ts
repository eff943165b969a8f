import type { KeyRow, KeyTable } from './key-row.ts'
import { bladeKeys, easyRecKeys, torchEasyRecKeys } from './model-keys.ts'
import { serviceKeys } from './service-keys.ts'

const tables: readonly { readonly title: string; readonly prefix: string; readonly table: KeyTable }[] = [
  { title: 'service.json', prefix: '', table: serviceKeys },
  { title: '`model_config` of `easyrec-torch-*`', prefix: 'model_config.', table: torchEasyRecKeys },
  { title: '`model_config` of `easyrec-*`', prefix: 'model_config.', table: easyRecKeys },
  { title: 'Blade items', prefix: 'plugins[].config.model_info.<file>.', table: bladeKeys },
]

/** Every key with its type, default and fate, as Markdown tables. */
export function renderServiceKeys(): string {
  return tables.map(({ title, prefix, table }) => `### ${title}\n\n${renderTable(prefix, table)}`).join('\n\n')
}

/** Columns are padded, as the formatter of this repository wants them. */
function renderTable(prefix: string, table: KeyTable): string {
  const head = ['key', 'type', 'default', 'fate', 'meaning']
  const rows = Object.entries(table).map(([key, row]) => cellsOf(prefix + key, row))
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const rule = line(widths.map((width) => '-'.repeat(width)))
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function cellsOf(key: string, row: KeyRow): string[] {
  const unset = row.default === undefined
  const meaning = row.note ? `${row.meaning} ${capitalized(row.note)}.` : row.meaning
  const type = row.required ? `${row.type.words}, required` : row.type.words
  const cells = [`\`${key}\``, type, unset ? '' : `\`${row.default}\``, row.fate, meaning]
  return cells.map((cell) => cell.replaceAll('|', '\\|'))
}

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
