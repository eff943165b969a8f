import type { ExpressionColumn, VectorColumn } from './column.ts'
import type { Leaf, Program } from './program.ts'

/** By variable; what no expression names may be missing. */
type Columns = readonly (ExpressionColumn | undefined)[]

/** Elements computed at a time: few enough that a dozen registers stay in a core's own cache. */
const stretch = 512
/** Longer registers, which a long vector needs, are given up afterwards. */
const keptElements = 65_536
/** Elements of all rows of a result: those of a request's features are thousands. */
const maxElements = 2 ** 25

/** A leaf's values for this evaluation. */
interface Source {
  readonly values: Float64Array
  /** Of vectors; numbers have none. */
  readonly offsets?: Int32Array
  /** The same for all rows. */
  readonly fixed: boolean
}

/** Rows `first` up to `last`, computed: row `r` is elements `offsets[r - first]` … `offsets[r - first + 1]`. */
type UseRows = (first: number, last: number, offsets: Int32Array) => void

/** A program with its registers; not to be called from within itself. */
export class Evaluator {
  readonly #program: Program
  readonly #fillMissing: number
  readonly #inner: readonly (Evaluator | undefined)[]
  readonly #offsets = new Int32Array(stretch + 1)
  #registers: Float64Array[] = []

  constructor(program: Program, fillMissing: number) {
    this.#program = program
    this.#fillMissing = fillMissing
    this.#inner = program.leaves.map((leaf) =>
      leaf.kind === 'reduced' ? new Evaluator(leaf.of, fillMissing) : undefined,
    )
  }

  /** The first element of each row's result, NaN where it has none. */
  numbers(columns: Columns, rows: number, out: Float64Array): Float64Array {
    const sources = this.#sources(columns, rows)
    this.#run(sources, rows, (first, last, offsets) => {
      const result = this.#result(0)
      if (!sources.some((source) => source.offsets)) out.set(result.subarray(0, last - first), first)
      else {
        for (let row = first; row < last; row++) {
          const start = offsets[row - first] as number // as many as rows, and one
          out[row] = start < (offsets[row - first + 1] as number) ? (result[start] as number) : Number.NaN
        }
      }
    })
    return out
  }

  vectors(columns: Columns, rows: number): VectorColumn {
    const sources = this.#sources(columns, rows)
    const ends = new Int32Array(rows + 1)
    for (let row = 0; row < rows; row++) {
      const end = (ends[row] as number) + lengthOf(sources, row)
      if (end > maxElements) throw new RangeError(`Cannot evaluate expression: more than ${maxElements} elements`)
      ends[row + 1] = end
    }
    const values = new Float64Array(ends[rows] as number)
    this.#run(sources, rows, (first, last, offsets) => {
      values.set(this.#result(0).subarray(0, offsets[last - first]), ends[first])
    })
    return { values, offsets: ends }
  }

  /** One number for each row's vector, or two vectors. */
  #reduce(leaf: Leaf & { readonly kind: 'reduced' }, columns: Columns, rows: number): Source {
    const sources = this.#sources(columns, rows)
    const fixed = sources.every((source) => source.fixed)
    const values = new Float64Array(fixed ? 1 : rows)
    this.#run(sources, values.length, (first, last, offsets) => {
      const a = this.#result(0)
      const b = leaf.by.arity === 2 ? this.#result(1) : a
      for (let row = first; row < last; row++) {
        values[row] = leaf.by.reduce(a, b, offsets[row - first] as number, offsets[row - first + 1] as number)
      }
    })
    return { values, fixed }
  }

  #sources(columns: Columns, rows: number): Source[] {
    return this.#program.leaves.map((leaf, index) => {
      if (leaf.kind === 'constant') return { values: Float64Array.of(leaf.value), fixed: true }
      if (leaf.kind === 'variable') return sourceOf(columns[leaf.index], rows, leaf.index)
      // Each reduced leaf has its evaluator.
      return (this.#inner[index] as Evaluator).#reduce(leaf, columns, rows)
    })
  }

  #run(sources: readonly Source[], rows: number, use: UseRows): void {
    const jagged = sources.some((source) => source.offsets)
    const offsets = this.#offsets
    for (let first = 0; first < rows; ) {
      let last = first
      let elements = 0
      do {
        elements += jagged ? lengthOf(sources, last) : 1
        last++
        offsets[last - first] = elements
      } while (last < rows && last - first < stretch && elements < stretch)
      this.#reserve(elements)
      for (const [index, source] of sources.entries()) {
        const register = this.#registers[index] as Float64Array // the leaves' come first
        if (jagged) spread(source, first, last, offsets, register, this.#fillMissing)
        else if (source.fixed) register.fill(source.values[0] as number, 0, elements)
        else register.set(source.values.subarray(first, last))
      }
      for (const { kernel, inputs, output } of this.#program.steps) {
        kernel(
          this.#registers[output] as Float64Array,
          inputs.map((input) => this.#registers[input] as Float64Array),
          elements,
        )
      }
      use(first, last, offsets)
      first = last
    }
    if ((this.#registers[0]?.length ?? 0) > keptElements) this.#registers = []
  }

  #reserve(elements: number): void {
    const length = Math.max(stretch, elements)
    if ((this.#registers[0]?.length ?? 0) >= length) return
    this.#registers = Array.from({ length: this.#program.registers }, () => new Float64Array(length))
  }

  #result(index: number): Float64Array {
    return this.#registers[this.#program.results[index] as number] as Float64Array // the program's own registers
  }
}

function sourceOf(column: ExpressionColumn | undefined, rows: number, index: number): Source {
  if (!column) throw new RangeError(`Cannot evaluate expression: there is no column ${index}`)
  if (column instanceof Float64Array) {
    if (column.length !== 1 && column.length < rows) {
      throw new RangeError(`Cannot evaluate expression: column ${index} has ${column.length} values for ${rows} rows`)
    }
    return { values: column, fixed: column.length === 1 }
  }
  const { values, offsets } = column
  if (offsets.length !== 2 && offsets.length < rows + 1) {
    throw new RangeError(`Cannot evaluate expression: column ${index} has ${offsets.length} offsets for ${rows} rows`)
  }
  for (let i = 0; i < offsets.length; i++) {
    if ((offsets[i] as number) < (i === 0 ? 0 : (offsets[i - 1] as number)) || (offsets[i] as number) > values.length) {
      throw new RangeError(`Cannot evaluate expression: offset ${i} of column ${index} is ${offsets[i]}`)
    }
  }
  return { values, offsets, fixed: offsets.length === 2 }
}

/** Elements of a row's result: as many as the longest vector has, or one where all are numbers. */
function lengthOf(sources: readonly Source[], row: number): number {
  let longest = -1
  for (const { offsets, fixed } of sources) {
    if (!offsets) continue
    const at = fixed ? 0 : row
    const length = (offsets[at + 1] as number) - (offsets[at] as number) // checked by `sourceOf`
    if (length > longest) longest = length
  }
  return longest < 0 ? 1 : longest
}

/** A leaf's elements for some rows: numbers and vectors of one are repeated, longer ones filled up. */
function spread(
  { values, offsets, fixed }: Source,
  first: number,
  last: number,
  ends: Int32Array,
  register: Float64Array,
  fillMissing: number,
): void {
  for (let row = first; row < last; row++) {
    const to = ends[row - first] as number
    const end = ends[row - first + 1] as number
    const at = fixed ? 0 : row
    const start = offsets ? (offsets[at] as number) : at
    const length = offsets ? (offsets[at + 1] as number) - start : 1
    if (length === 1) register.fill(values[start] as number, to, end)
    else {
      for (let i = 0; i < length; i++) register[to + i] = values[start + i] as number
      register.fill(fillMissing, to + length, end)
    }
  }
}
