import type { Tensor } from '@eas/base'
import { at, type IdBags, type NumberBags, NumbersBuilder, OffsetsBuilder } from './bags.ts'
import { checkRows, type FgInput, type FgRequest, nothing } from './frame.ts'
import type { FeatureGenerator, FgFeature, FgOutput, TensorType } from './generator.ts'
import { IdWriter } from './ids.ts'
import { type InputColumn, rowsOf } from './input-column.ts'
import { parseNumber } from './number-text.ts'
import { type Sink, walkColumn } from './readers/walk.ts'
import { outputNames, tensorsOf } from './tensors.ts'

/**
 * Features that were generated elsewhere: TorchEasyRec's FG_NONE, where a column has the feature's name and holds ids or
 * float32 values already, as numbers, lists, or text between U+0003.
 */
export interface EncodedFeature {
  readonly name: string
  readonly kind: 'ids' | 'dense'
  /** Columns of a dense row; of ids, how many there may be (0: any). */
  readonly value_dim: number
  /** Ids come as `id:weight` or as a map; an id alone weighs 1. */
  readonly weighted: boolean
  /** What separates the steps of a text; `undefined` when it is no sequence. */
  readonly sequence_delim: string | undefined
  /** `fg_encoded_multival_sep`. */
  readonly multival_sep: string
  /** What stands for a missing value; empty leaves ids out, a sequence without steps, and a dense row zeros. */
  readonly defaults: readonly number[]
}

/** Between the values of a text, as pai-fg writes them. */
const defaultMultivalSep = '\u0003'

/** Features of a compiled document as encoded columns; missing ones are what the generator makes of missing inputs. */
export function encodedFeaturesOf(generator: FeatureGenerator): EncodedFeature[] {
  const missing = generator.generate({ rows: 1, column: () => undefined })
  return generator.features
    .filter(({ stub, kind }) => !stub && kind !== 'texts')
    .map((feature) => {
      const after = missing.value(feature.name)?.after
      const defaults =
        after?.kind === 'ids' ? Array.from(after.ids, Number) : after?.kind === 'numbers' ? [...after.numbers] : []
      const { name, value_dim, weighted } = feature
      return {
        name,
        kind: feature.kind === 'dense' ? 'dense' : 'ids',
        value_dim,
        weighted,
        sequence_delim: feature.sequence ? feature.sequence_delim : undefined,
        multival_sep: defaultMultivalSep,
        defaults,
      }
    })
}

/** Encoded columns to tensors; the counterpart of `FeatureGenerator`. */
export interface EncodedReader {
  readonly inputs: readonly FgInput[]
  readonly outputs: readonly FgOutput[]
  /** @throws {EasError} `invalid_request` when columns disagree about the number of rows. */
  tensors(request: FgRequest): Map<string, Tensor>
}

/** @param tensorTypes As in `FgOptions`. */
export function compileEncoded(
  features: readonly EncodedFeature[],
  tensorTypes: ReadonlyMap<string, TensorType> = new Map(),
): EncodedReader {
  const types = { tensorTypes, int64Lengths: false, inputTile: 0 } as const
  const inputs = features.map(({ name }): FgInput => ({ side: 'user', name, sequence: undefined }))
  const forms = features.map(
    ({ name, kind, value_dim, weighted, sequence_delim }): FgFeature => ({
      name,
      kind,
      value_dim: kind === 'dense' ? Math.max(value_dim, 1) : value_dim,
      weighted,
      feature_type: 'encoded',
      stub: false,
      user: false,
      sequence: sequence_delim !== undefined,
      sequence_delim: sequence_delim ?? ';',
    }),
  )
  return {
    inputs,
    outputs: outputNames(forms, types),
    tensors(request) {
      const columns = inputs.map((input) => {
        const column = request.column(input) ?? nothing
        checkRows(input, column, request.rows)
        return column
      })
      const values = features.map((feature, i) => readEncoded(feature, columns[i] ?? nothing))
      return tensorsOf(forms, values, { rows: request.rows, isOfOneUser: false }, types)
    },
  }
}

/**
 * One encoded column. Ids are 64-bit and exact, numbers beyond them wrap; a text that is no number is left out and counted
 * as malformed.
 */
export function readEncoded(feature: EncodedFeature, column: InputColumn): IdBags | NumberBags {
  const { sequence_delim, multival_sep: separator } = feature
  const sequence = sequence_delim === undefined ? undefined : { delim: sequence_delim, length: 0 }
  const rows = rowsOf(column)
  const values = feature.kind === 'ids' ? new Ids(feature) : new Floats(feature)
  const steps = walkColumn(column, { separator, sequence }, values)
  const kept = steps && values.withoutMissingRows(steps)
  return values.finish(rows, kept)
}

/** The values of a column: cells that are missing have the default when it is read. */
abstract class Values implements Sink {
  protected readonly feature: EncodedFeature
  protected readonly ends = new OffsetsBuilder(16)
  protected malformed = 0
  /** Cells that had no value of their own, by cell. */
  private readonly empty: boolean[] = []
  private start = 0

  constructor(feature: EncodedFeature) {
    this.feature = feature
  }

  abstract get count(): number
  abstract text(value: string): void
  abstract number(value: number): void
  abstract long(value: bigint): void
  abstract finish(rows: number, steps: Int32Array | undefined): IdBags | NumberBags

  map(map: ReadonlyMap<unknown, unknown>): void {
    for (const [key, weight] of map) this.text(`${key}:${weight}`)
  }

  endCell(): void {
    this.empty.push(this.count === this.start)
    if (this.count === this.start) for (const value of this.feature.defaults) this.number(value)
    this.start = this.count
    this.ends.end(this.count)
  }

  /** Rows into cells; a sequence that is missing as a whole has no step, unless there is a default. */
  withoutMissingRows(steps: Int32Array): Int32Array {
    if (this.feature.defaults.length > 0) return steps
    const out = new Int32Array(steps.length)
    const ends = [0]
    const all = this.ends.finish()
    for (let row = 0; row + 1 < steps.length; row++) {
      const first = at(steps, row)
      const last = at(steps, row + 1)
      const isMissing = last - first === 1 && this.empty[first] === true
      if (!isMissing) for (let cell = first; cell < last; cell++) ends.push(at(all, cell + 1))
      out[row + 1] = ends.length - 1
    }
    this.cells = Int32Array.from(ends)
    return out
  }

  /** Cells into values, once missing rows are gone. */
  protected cells: Int32Array | undefined
}

class Ids extends Values {
  private readonly ids: (number | bigint)[] = []
  private readonly weights: number[] = []

  get count(): number {
    return this.ids.length
  }

  text(value: string): void {
    const colon = this.feature.weighted ? value.lastIndexOf(':') : -1
    const weight = colon < 0 ? 1 : parseNumber(value.slice(colon + 1))
    const id = (colon < 0 ? value : value.slice(0, colon)).trim()
    if (/^[-+]?\d+$/.test(id) && id.length < 400)
      this.push(id.length < 16 ? Number(id) : BigInt(id.replace('+', '')), weight)
    else {
      const number = Math.trunc(parseNumber(id))
      if (Number.isFinite(number)) this.push(BigInt(number), weight)
      else this.malformed++
    }
  }

  number(value: number): void {
    const whole = Math.trunc(value)
    if (Number.isSafeInteger(whole)) this.push(whole, 1)
    else if (Number.isFinite(whole)) this.push(BigInt(whole), 1)
  }

  long(value: bigint): void {
    this.push(value, 1)
  }

  private push(id: number | bigint, weight: number): void {
    this.ids.push(id)
    this.weights.push(Number.isNaN(weight) ? 1 : weight)
  }

  finish(rows: number, steps: Int32Array | undefined): IdBags {
    const writer = new IdWriter(this.ids.length)
    for (const [i, id] of this.ids.entries()) writer.setExact(i, id)
    const weights = this.feature.weighted ? Float32Array.from(this.weights) : undefined
    const offsets = this.cells ?? this.ends.finish()
    return { kind: 'ids', rows, steps, offsets, malformed: this.malformed, ids: writer.ids, weights }
  }
}

class Floats extends Values {
  private readonly numbers = new NumbersBuilder(16)

  get count(): number {
    return this.numbers.length
  }

  text(value: string): void {
    this.number(parseNumber(value))
  }

  number(value: number): void {
    if (Number.isNaN(value)) this.malformed++
    else this.numbers.push(value)
  }

  long(value: bigint): void {
    this.numbers.push(Number(value))
  }

  /** Rows of `value_dim`: what is short is filled with zeros, what is long is cut. */
  finish(rows: number, steps: Int32Array | undefined): NumberBags {
    const ends = this.cells ?? this.ends.finish()
    const dim = Math.max(this.feature.value_dim, 1)
    const cells = ends.length - 1
    const all = this.numbers.finish()
    const numbers = new Float64Array(cells * dim)
    const offsets = new Int32Array(cells + 1)
    let malformed = this.malformed
    for (let cell = 0; cell < cells; cell++) {
      const start = at(ends, cell)
      const count = at(ends, cell + 1) - start
      if (count !== dim && count > 0) malformed++
      for (let i = 0; i < Math.min(count, dim); i++) numbers[cell * dim + i] = at(all, start + i)
      offsets[cell + 1] = (cell + 1) * dim
    }
    return { kind: 'numbers', rows, steps, offsets, malformed, numbers }
  }
}
