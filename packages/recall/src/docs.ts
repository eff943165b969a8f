import { indexFormats } from './read-index.ts'

/** The kinds of index that are read, as a Markdown table. Columns are padded, as the formatter of this repository wants them. */
export function renderIndexFormats(): string {
  const rows = Object.entries(indexFormats).map(([fourcc, { meaning }]) => [`\`${fourcc}\``, meaning])
  const all = [['type', 'FAISS class'], ...rows]
  const widths = [0, 1].map((column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(all[0] ?? []), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
