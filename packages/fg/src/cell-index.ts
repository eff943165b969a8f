import { at, cellsOf, type TextBags } from './bags.ts'
import type { Aligned } from './layout.ts'

/** Cells by the one text they hold. */
export type CellIndex = ReadonlyMap<string, readonly number[]>

const known = new WeakMap<TextBags, CellIndex | null>()

/**
 * The cells of `bags` by text, made once for all features that read the same input. A table of a user's few entries is
 * joined with many items by asking for each entry's cells, instead of asking the table for each cell's text.
 *
 * @param size Entries that will be asked for.
 * @returns undefined where that would not be less work, or where a cell holds several texts.
 */
export function cellIndex(bags: TextBags, aligned: Aligned | undefined, size: number): CellIndex | undefined {
  if (!aligned || aligned.index || aligned.stride === 0 || size * 2 > cellsOf(bags)) return undefined
  let index = known.get(bags)
  if (index === undefined) {
    index = makeIndex(bags) ?? null
    known.set(bags, index)
  }
  return index ?? undefined
}

function makeIndex(bags: TextBags): CellIndex | undefined {
  const index = new Map<string, number[]>()
  for (let cell = 0; cell < cellsOf(bags); cell++) {
    const start = at(bags.offsets, cell)
    const count = at(bags.offsets, cell + 1) - start
    if (count > 1) return undefined
    if (count === 0) continue
    const text = bags.texts[start] ?? ''
    const cells = index.get(text)
    if (cells) cells.push(cell)
    else index.set(text, [cell])
  }
  return index
}
