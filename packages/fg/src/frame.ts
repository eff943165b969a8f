import { EasError, oneLine } from '@eas/base'
import type { IdBags, NumberBags, TextBags } from './bags.ts'
import { FgCounters } from './counters.ts'
import { type InputColumn, rowsOf } from './input-column.ts'

/** Where a reference takes its value from. `feature` is another feature's output, `const` the name itself. */
export const sides = ['user', 'item', 'context', 'feature', 'const'] as const
export type Side = (typeof sides)[number]
/** Sides whose values come with the request or from the item cache. */
export type InputSide = 'user' | 'item' | 'context'

/** A column that features read. */
export interface FgInput {
  readonly side: InputSide
  /** The column's name: in a sequence group `<sequence_name>__<field>`. */
  readonly name: string
  /** Of a sequence group: which group, and the field of each step. */
  readonly sequence: FgSequence | undefined
}

export interface FgSequence {
  readonly sequence_name: string
  /** The `user` input that holds the ids of the steps. */
  readonly sequence_pk: string
  readonly field: string
  readonly sequence_delim: string
  /** Steps kept; 0 keeps all. */
  readonly sequence_length: number
}

/** The raw values of one request. */
export interface FgRequest {
  /** Items of the request. */
  readonly rows: number
  /** Whether the user's features keep their one row although there are more items, as when the model tiles its input. */
  readonly isOfOneUser?: boolean
  /** The column of an input, of `rows` rows or of one that stands for all; `undefined` when there is none. */
  column(input: FgInput): InputColumn | undefined
}

/** What a feature came to. */
export interface FeatureValue {
  /** Before bucketizing. */
  readonly before: TextBags | NumberBags | IdBags
  readonly after: TextBags | NumberBags | IdBags
}

/** A column that nobody sent. */
export const nothing: InputColumn = { form: 'texts', texts: [undefined] }

/** What is computed for one request: columns, what was read of them, values of features. */
export class Frame {
  readonly rows: number
  readonly isOfOneUser: boolean
  readonly counters: FgCounters
  /** What readers made, by slot. */
  readonly slots: unknown[]
  readonly values: (FeatureValue | undefined)[]
  private readonly request: FgRequest
  private readonly columns: (InputColumn | undefined)[] = []

  constructor(request: FgRequest, slots: number, features: number) {
    this.rows = request.rows
    this.isOfOneUser = request.isOfOneUser ?? false
    this.request = request
    this.counters = new FgCounters(features)
    this.slots = new Array(slots).fill(undefined)
    this.values = new Array(features).fill(undefined)
  }

  /** @throws {EasError} `invalid_request` when a column has neither one row nor as many as there are items. */
  column(input: FgInput, slot: number): InputColumn {
    const known = this.columns[slot]
    if (known) return known
    const column = this.request.column(input) ?? nothing
    checkRows(input, column, this.rows)
    this.columns[slot] = column
    return column
  }
}

/** @throws {EasError} `invalid_request` when a column has neither one row nor `rows`. */
export function checkRows(input: FgInput, column: InputColumn, rows: number): void {
  const own = rowsOf(column)
  if (own === 1 || own === rows) return
  const name = oneLine(`${input.side}:${input.name}`)
  throw new EasError('invalid_request', `Cannot generate features: ${name} has ${own} values for ${rows} items`)
}
