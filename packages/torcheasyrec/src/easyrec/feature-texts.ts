import { float32Text, type Generated } from '@eas/fg'

/** The separators of a feature's text. */
export interface TextForm {
  /** Between the steps of a sequence. */
  readonly steps: string
  /** Between the values of a step. */
  readonly values: string
  /** Between the values of a feature that is no sequence. */
  readonly list: string
  /** Between a value and its weight; `undefined` where nothing says. */
  readonly weight: string | undefined
}

/** What was generated for a feature, as texts; one row where it is the same for all items. */
export interface FeatureTexts {
  readonly rows: number
  /** All values of a row as one text. */
  text(row: number, form: TextForm): string
  /** The values of a row, those of all steps, without weights. */
  values(row: number): readonly string[]
}

/** `undefined` for a name that no feature has. */
export function featureTexts(generated: Generated, feature: string): FeatureTexts | undefined {
  const bags = generated.value(feature)?.after
  if (!bags) return undefined
  const { offsets, steps, rows } = bags
  const valueAt = (i: number): string => {
    if (bags.kind === 'numbers') return float32Text(Math.fround(bags.numbers[i] ?? 0))
    return bags.kind === 'ids' ? String(bags.ids[i] ?? 0) : (bags.texts[i] ?? '')
  }
  const weights = bags.kind === 'numbers' ? undefined : bags.weights
  const firstCell = (row: number): number => (steps ? (steps[row] ?? 0) : row)
  return {
    rows,
    text(row, form) {
      const between = steps ? form.values : form.list
      const first = firstCell(row)
      const last = firstCell(row + 1)
      let text = ''
      for (let cell = first; cell < last; cell++) {
        if (cell > first) text += form.steps
        const start = offsets[cell] ?? 0
        const end = offsets[cell + 1] ?? 0
        for (let i = start; i < end; i++) {
          if (i > start) text += between
          text += valueAt(i)
          if (weights) text += `${form.weight ?? ''}${float32Text(weights[i] ?? 1)}`
        }
      }
      return text
    },
    values(row) {
      const start = offsets[firstCell(row)] ?? 0
      const end = offsets[firstCell(row + 1)] ?? 0
      return Array.from({ length: end - start }, (_, i) => valueAt(start + i))
    },
  }
}
