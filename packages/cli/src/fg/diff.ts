import { parseFeatureText } from './feature-text.ts'

/** How often a feature was the same as in the log. */
export interface FeatureDiff {
  readonly name: string
  /** The same text, or the same numbers within the tolerance. */
  same: number
  /** The same values in another order. */
  reordered: number
  different: number
  /** Rows whose log does not have it, though we give a value. */
  notLogged: number
  /** Of the first row that is not the same. */
  first: { readonly row: string; readonly ours: string | undefined; readonly logged: string | undefined } | undefined
}

/** Compares features with what was logged, row by row. */
export class Diff {
  /** Rows that were compared, and rows that the log does not have. */
  rows = 0
  unlogged = 0
  private readonly tolerance: number
  private readonly byName = new Map<string, FeatureDiff>()

  /** @param tolerance Relative difference of numbers that are the same. */
  constructor(tolerance: number) {
    this.tolerance = tolerance
  }

  /** In the order in which they were first met. */
  get features(): readonly FeatureDiff[] {
    return [...this.byName.values()]
  }

  get isSame(): boolean {
    return this.features.every(({ reordered, different, notLogged }) => reordered + different + notLogged === 0)
  }

  /** @param logged `undefined` for a row that is not in the log. */
  add(row: string, oursText: string, logged: string | undefined): void {
    if (logged === undefined) {
      this.unlogged++
      return
    }
    this.rows++
    const ours = parseFeatureText(oursText)
    const theirs = parseFeatureText(logged)
    for (const name of new Set([...ours.keys(), ...theirs.keys()]))
      this.compare(name, row, ours.get(name), theirs.get(name))
  }

  private compare(name: string, row: string, ours: string | undefined, logged: string | undefined): void {
    const known = this.byName.get(name)
    const feature = known ?? { name, same: 0, reordered: 0, different: 0, notLogged: 0, first: undefined }
    if (!known) this.byName.set(name, feature)
    const verdict = verdictOf(ours ?? '', logged ?? '', this.tolerance)
    if (verdict === 'same') feature.same++
    else {
      feature.first ??= { row, ours, logged }
      if (logged === undefined) feature.notLogged++
      else feature[verdict]++
    }
  }
}

function verdictOf(ours: string, logged: string, tolerance: number): 'same' | 'reordered' | 'different' {
  if (ours === logged) return 'same'
  const a = ours.split(delimiters)
  const b = logged.split(delimiters)
  if (a.length !== b.length) return 'different'
  if (a.every((value, i) => isSame(value, b[i] ?? '', tolerance))) return 'same'
  const sortedA = a.toSorted()
  const sortedB = b.toSorted()
  return sortedA.every((value, i) => isSame(value, sortedB[i] ?? '', tolerance)) ? 'reordered' : 'different'
}

/** Between values, steps, and a value and its weight. */
const delimiters = /[,;:|]/

function isSame(a: string, b: string, tolerance: number): boolean {
  if (a === b) return true
  // An id is the same or it is not: only what is written as a float may differ.
  if (a === '' || b === '' || !(isFloat.test(a) || isFloat.test(b))) return false
  const x = Number(a)
  const y = Number(b)
  return Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y))
}

const isFloat = /^-?\d*(?:\.\d*|\d(?:\.\d*)?e[-+]?\d+)$/i
