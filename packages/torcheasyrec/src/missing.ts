import type { FeatureGenerator, FgRequest, InputColumn, SequenceColumn } from '@eas/fg'
import { isEmpty } from './check-request.ts'

/**
 * What features read and nobody has said, as `user:age`, or `item:price (2 of 3 items)` where some items have it.
 * @param columns The request as features were generated from it.
 */
export function missingInputs({ inputs }: FeatureGenerator, columns: FgRequest): string[] {
  return inputs.flatMap((input) => {
    const name = `${input.side}:${input.name}`
    const column = columns.column(input)
    if (!column) return [name]
    const { rows, missing } = countMissing(column)
    if (missing === 0) return []
    return [missing === rows ? name : `${name} (${missing} of ${rows} items)`]
  })
}

function countMissing(column: InputColumn): { readonly rows: number; readonly missing: number } {
  const isMissing = missingTest(column)
  const index = column.form === 'sequence' ? undefined : column.index
  const rows = index?.length ?? rowCount(column)
  let missing = 0
  for (let row = 0; row < rows; row++) {
    const entry = index ? (index[row] ?? -1) : row
    if (entry < 0 || isMissing(entry)) missing++
  }
  return { rows, missing }
}

function rowCount(column: InputColumn): number {
  if (column.form === 'sequence') return column.steps.length - 1
  return column.form === 'features'
    ? column.values.length
    : column.form === 'texts'
      ? column.texts.length
      : column.data.length
}

function missingTest(column: InputColumn): (entry: number) => boolean {
  switch (column.form) {
    case 'features':
      return (entry) => isEmpty(column.values[entry])
    case 'texts':
      return (entry) => !column.texts[entry]
    case 'numbers':
      return (entry) => column.valid?.[entry] === 0 || Number.isNaN(column.data[entry])
    case 'sequence':
      return missingSteps(column)
  }
}

/** Whether no step of a row has a value. */
function missingSteps({ steps, cells }: SequenceColumn): (row: number) => boolean {
  const isMissing = missingTest(cells)
  return (row) => {
    for (let step = steps[row] ?? 0; step < (steps[row + 1] ?? 0); step++) {
      const entry = cells.index ? (cells.index[step] ?? -1) : step
      if (entry >= 0 && !isMissing(entry)) return false
    }
    return true
  }
}
