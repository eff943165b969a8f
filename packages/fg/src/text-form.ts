import { oneLine } from '@eas/base'
import { at, type IdBags, type NumberBags, type TextBags } from './bags.ts'
import type { FgInput } from './frame.ts'
import type { FgFeature } from './generator.ts'
import { type InputColumn, rowsOf } from './input-column.ts'
import { numpyFloat32 } from './number-text.ts'
import { readTexts } from './readers/sinks.ts'
import { rowCells } from './tensors.ts'

/**
 * Features as text, `name:value | name:value`: what TorchEasyRec's `dump_parsed_inputs` writes and its
 * `create_online_infer_data` reads. Several values have `,` between them, steps of a sequence its delimiter; weighted ids
 * are `id:weight`, in the order of those texts; floats are as numpy prints a float32.
 */
export function featureText(feature: FgFeature, bags: TextBags | NumberBags | IdBags, row: number): string {
  const { first, last } = rowCells(bags, row)
  const cells: string[] = []
  for (let cell = first; cell < last; cell++) {
    const values: string[] = []
    const end = at(bags.offsets, cell + 1)
    for (let i = at(bags.offsets, cell); i < end; i++) values.push(valueText(bags, i))
    if (feature.weighted) values.sort()
    cells.push(values.join(','))
  }
  return `${feature.name}:${cells.join(feature.sequence_delim)}`
}

function valueText(bags: TextBags | NumberBags | IdBags, i: number): string {
  if (bags.kind === 'numbers') return numpyFloat32(Math.fround(at(bags.numbers, i)))
  const text = bags.kind === 'ids' ? String(bags.ids[i]) : (bags.texts[i] ?? '')
  return bags.weights ? `${text}:${numpyFloat32(bags.weights[i] ?? 1)}` : text
}

/** A column of the request as text: several values have `,` between them, maps are `key:value`. */
export function rawText(input: FgInput, column: InputColumn, row: number): string {
  const own = rowsOf(column) === 1 ? 0 : row
  const delim = input.sequence?.sequence_delim
  const sequence = column.form === 'sequence' || delim !== undefined ? { delim: delim ?? ';', length: 0 } : undefined
  const bags = readTexts({ column: rowOf(column, own), rows: 1 }, { separator: '\u001d', sequence })
  const cells: string[] = []
  for (let cell = 0; cell + 1 < bags.offsets.length; cell++) {
    cells.push(bags.texts.slice(at(bags.offsets, cell), at(bags.offsets, cell + 1)).join(','))
  }
  return `${oneLine(input.name)}:${cells.join(delim ?? ';')}`
}

/** One row of a column. */
function rowOf(column: InputColumn, row: number): InputColumn {
  if (column.form === 'sequence') {
    const { steps, cells } = column
    const first = at(steps, row)
    const last = at(steps, row + 1)
    const index = Int32Array.from({ length: last - first }, (_, i) => cells.index?.[first + i] ?? first + i)
    return { form: 'sequence', steps: Int32Array.of(0, index.length), cells: { ...cells, index } }
  }
  return { ...column, index: Int32Array.of(column.index?.[row] ?? row) }
}
