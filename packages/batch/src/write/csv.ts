import type { Tensor } from '@eas/base'
import { mapRows, type OutputFormat } from './row-writer.ts'
import { type ColumnOut, groupRows, tableWriter } from './table-writer.ts'
import { elementOf, jsonOfRow } from './values.ts'

/** Comma-separated values with a header in every part; an output of several elements is a JSON list. @see RFC 4180 */
export const csvOutput: OutputFormat = {
  name: 'csv',
  extension: 'csv',
  contentType: 'text/csv; charset=utf-8',
  writer: (outputs) =>
    tableWriter(outputs, {
      groupRows,
      async open(first) {
        const lines = [first.map(({ name }) => field(name)).join(',')]
        return {
          add(columns, count) {
            const cells = columns.map(cellsOf)
            for (let row = 0; row < count; row++) lines.push(cells.map((cell) => cell(row)).join(','))
          },
          end: () => Buffer.from(`${lines.join('\r\n')}\r\n`),
        }
      },
    }),
}

function cellsOf(column: ColumnOut): (row: number) => string {
  if (column.kind === 'output') {
    const textOf = column.rank === 0 ? (tensor: Tensor, i: number) => String(elementOf(tensor, i)) : jsonOfRow
    const texts = mapRows(column.rows, textOf)
    return (row) => field(texts[row] ?? '')
  }
  const { values } = column
  return (row) => {
    const value = values[row]
    if (value === null || value === undefined) return ''
    return field(value instanceof Date ? value.toISOString() : String(value))
  }
}

const field = (text: string) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
