import { type DataOf, type DType, dtypes, sizeOf, type Tensor } from '@eas/base'
import { RowError } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'
import type { NumberArray } from '../read/table.ts'
import { type ElementType, elementTypes } from './element-type.ts'
import { JsonScanner } from './json-scanner.ts'
import { readFloats, readIntegers } from './number-lists.ts'

type Numbers = { [D in Exclude<DType, 'string'>]: DataOf<D> }[Exclude<DType, 'string'>]

/** Rows of one input under way to being a tensor: their elements end to end, and each row's shape. */
export class FeedBuilder {
  readonly name: string
  readonly dtype: DType
  /** Rows that are complete. */
  rows = 0
  private readonly element: ElementType
  /** Dimensions of a row; -1 where rows may differ; `undefined` when the model does not say. */
  private readonly rowShape: readonly number[] | undefined
  /** Elements of a row; `undefined` when rows may differ. */
  readonly rowSize: number | undefined
  private numbers: Numbers | undefined
  /** The same bytes as `numbers`: half of a 64-bit integer each, which needs no bigint then. Little-endian, as Node is. */
  private words: Int32Array = new Int32Array()
  private texts: Uint8Array[] = []
  /** Of the complete rows, with what an array costs for each. */
  private textBytes = 0
  private used = 0
  private rowStart = 0
  private readonly starts: number[] = []
  private readonly shapes: (readonly number[])[] = []
  /** Lengths of the row's lists, by depth. */
  private dims: number[] = []
  /** How deep the row's elements are; -1 before the first. */
  private leafDepth = -1
  private isFilled = false
  /** Whether the row came as a list of all its elements, of which there is nothing to check. */
  private isWhole = false
  /** Columns that the row's elements come in, one each; `undefined` when the row is one value. */
  private slots: number | undefined
  private slotsFilled = 0

  /** @param shape Of the input, with the dimension of rows. */
  constructor(name: string, dtype: DType, shape: readonly number[]) {
    this.name = name
    this.dtype = dtype
    this.element = elementTypes[dtype]
    this.rowShape = shape.length === 0 ? undefined : shape.slice(1)
    this.rowSize = this.rowShape?.every((dim) => dim >= 0) ? sizeOf(this.rowShape) : undefined
    if (dtype !== 'string') this.hold(new dtypes[dtype].array(1024))
  }

  /** Bytes of the complete rows. */
  get bytes(): number {
    return this.numbers ? this.rowStart * this.numbers.BYTES_PER_ELEMENT : this.textBytes
  }

  /** Of each row; 0 where rows may differ. */
  get rowBytes(): number {
    return this.numbers ? (this.rowSize ?? 0) * this.numbers.BYTES_PER_ELEMENT : 0
  }

  /** Whether every row has the same shape, because the model says it. */
  get isUniform(): boolean {
    return this.rowSize !== undefined
  }

  beginRow(): void {
    this.used = this.rowStart
    if (this.numbers === undefined) this.texts.length = this.rowStart
    // Of each row; setting a length takes several times as long.
    while (this.dims.length > 0) this.dims.pop()
    this.leafDepth = -1
    this.isFilled = false
    this.isWhole = false
    this.slots = undefined
    this.slotsFilled = 0
  }

  /** The whole row from JSON: a value, or lists of them; a text of numbers as CSV has it. */
  readJson(scanner: JsonScanner): void {
    const c = scanner.peek()
    if (c === quote && this.numbers) {
      this.readText(scanner.string())
      return
    }
    this.claim()
    if (c === openBracket) this.readList(scanner, 0)
    else {
      this.leaf(0)
      this.readElement(scanner)
    }
  }

  /** The whole row from a value: a number, a text, a list or a typed array. */
  readValue(value: unknown): void {
    this.claim()
    this.isWhole = this.addWhole(value)
    if (!this.isWhole) this.addValue(value, 0)
  }

  /** Takes a list that is all of the row as the tensor has it, in one copy. */
  private addWhole(value: unknown): boolean {
    const { numbers, rowSize } = this
    if (!numbers || !ArrayBuffer.isView(value) || value.constructor !== numbers.constructor) return false
    const items = value as Numbers // of the same kind
    if (items.length !== rowSize || !this.element.copies) return false
    this.reserve(rowSize)
    this.numbers?.set(items as never, this.used) // as above; reserving may have replaced the array
    this.used += rowSize
    return true
  }

  /** Whether numbers of this kind of array can be copied as they are, none of which could be wrong. */
  takesNumbers(given: NumberArray): boolean {
    const { numbers } = this
    if (!numbers || !this.element.copies) return false
    if (given.constructor === numbers.constructor) return true
    const isFloats = this.dtype === 'float32' || this.dtype === 'float64'
    return isFloats && !(given instanceof BigInt64Array || given instanceof BigUint64Array)
  }

  /** The first `count` rows of numbers that it takes, `rowSize` of them each. */
  addRows(given: NumberArray, count: number): void {
    const numbers = given.subarray(0, count * (this.rowSize ?? 0))
    this.used = this.rowStart
    this.reserve(numbers.length)
    this.numbers?.set(numbers as never, this.used) // as `takesNumbers` has it; reserving may have replaced the array
    this.used += numbers.length
    this.rowStart = this.used
    this.rows += count
  }

  /**
   * The whole row from a text, as CSV has it: a value, a JSON list, or values with spaces, `;`, `|` or Hive's `\u0002` between.
   */
  readText(given: string): void {
    const text = this.dtype === 'string' ? given : given.replaceAll('\u0002', ' ')
    if (/^\s*\[/.test(text)) {
      this.readJsonText(text)
      return
    }
    const parts = this.dtype === 'string' || this.rowShape?.length === 0 ? [] : text.trim().split(/\s*[;|,]\s*|\s+/)
    this.readValue(parts.length > 1 ? parts : text)
  }

  private readJsonText(text: string): void {
    const scanner = new JsonScanner()
    scanner.bytes = Buffer.from(text)
    scanner.end = scanner.bytes.length
    try {
      this.readJson(scanner)
      if (scanner.peek() !== -1) throw scanner.wrong('something follows the list')
    } catch (thrown) {
      if (!(thrown instanceof RowError) || thrown.message.startsWith(this.name)) throw thrown
      throw new RowError(`${this.name}: ${thrown.message}`)
    }
  }

  /** One element of a row whose elements stand in columns of their own. */
  readSlotJson(scanner: JsonScanner, slot: number, slots: number): void {
    this.openSlots(slots)
    const { used } = this
    this.used = this.rowStart + slot
    this.readElement(scanner)
    this.used = used
  }

  readSlotValue(value: unknown, slot: number, slots: number): void {
    this.openSlots(slots)
    const { used } = this
    this.used = this.rowStart + slot
    this.addElement(value)
    this.used = used
  }

  /** Checks the row, without counting it yet. @throws {RowError} when it has no value or one of another shape. */
  checkRow(): void {
    if (!this.isFilled) throw new RowError(`${this.name} is missing`)
    if (this.isWhole) return
    const { rowShape, slots } = this
    if (slots !== undefined) {
      if (this.slotsFilled !== slots) throw new RowError(`${this.name} has ${this.slotsFilled} of its ${slots} columns`)
      this.dims = [slots]
    } else if (this.leafDepth >= 0 && this.leafDepth !== this.dims.length) {
      throw new RowError(`${this.name} holds lists beside values`)
    }
    const { dims } = this
    const count = this.used - this.rowStart
    if (!rowShape) return
    if (isWritten(dims, rowShape)) return
    // A flat list may stand for any shape that it fills, and a single value for a shape of one element.
    const free = rowShape.indexOf(-1)
    const isFlat = dims.length <= 1 && free === rowShape.lastIndexOf(-1)
    const others = sizeOf(rowShape.map((dim) => (dim < 0 ? 1 : dim))) ?? 0
    const fills = free < 0 ? count === others : others > 0 && count % others === 0
    if (!isFlat || !fills || (rowShape.length === 0 && dims.length > 0 && count !== 1)) {
      const given = dims.length === 0 ? 'a single value' : `[${dims.join(',')}]`
      throw new RowError(
        `${this.name} takes [${rowShape.map((dim) => (dim < 0 ? '?' : dim)).join(',')}] in each row, got ${given}`,
      )
    }
    this.dims = rowShape.map((dim) => (dim < 0 ? count / others : dim))
  }

  endRow(): void {
    for (let i = this.rowStart; this.numbers === undefined && i < this.used; i++) {
      this.textBytes += textOverhead + (this.texts[i]?.length ?? 0)
    }
    if (this.rowSize === undefined) {
      this.starts.push(this.rowStart)
      this.shapes.push(this.dims.slice())
    }
    this.rowStart = this.used
    this.rows++
  }

  /** The shape of a row, as text; rows of one call have the same. */
  shapeKey(row: number): string {
    return this.rowSize === undefined ? (this.shapes[row] ?? []).join() : ''
  }

  /** The tensor of all rows, which have one shape. The builder starts again with storage of its own. */
  takeAll(): Tensor {
    const shape = [this.rows, ...(this.rowSize === undefined ? (this.shapes[0] ?? []) : (this.rowShape ?? []))]
    const tensor = this.tensor(shape, 0, this.rowStart)
    this.reset()
    return tensor
  }

  /** The tensor of some rows, which have one shape. */
  takeRows(rows: readonly number[]): Tensor {
    const rowDims = this.rowSize === undefined ? (this.shapes[rows[0] ?? 0] ?? []) : (this.rowShape ?? [])
    const size = sizeOf(rowDims) ?? 0
    const startOf = (row: number) => (this.rowSize === undefined ? (this.starts[row] ?? 0) : row * size)
    const shape = [rows.length, ...rowDims]
    const { numbers } = this
    if (!numbers) {
      const data = rows.flatMap((row) => this.texts.slice(startOf(row), startOf(row) + size))
      return { dtype: 'string', shape, data }
    }
    const data = new dtypes[this.dtype as Exclude<DType, 'string'>].array(rows.length * size) // has numbers
    for (const [i, row] of rows.entries()) {
      data.set(numbers.subarray(startOf(row), startOf(row) + size) as never, i * size) // the same kind of array
    }
    return { dtype: this.dtype, shape, data } as Tensor // the array of the dtype
  }

  reset(): void {
    const { numbers } = this
    // Not written to again: the tensors view it.
    if (numbers) this.hold(new dtypes[this.dtype as Exclude<DType, 'string'>].array(Math.max(1024, this.rowStart))) // has numbers
    this.texts = []
    this.textBytes = 0
    this.used = 0
    this.rowStart = 0
    this.rows = 0
    this.starts.length = 0
    this.shapes.length = 0
  }

  private tensor(shape: readonly number[], from: number, to: number): Tensor {
    const { numbers } = this
    if (!numbers) return { dtype: 'string', shape, data: this.texts.slice(from, to) }
    return { dtype: this.dtype, shape, data: numbers.subarray(from, to) } as Tensor // the array of the dtype
  }

  private claim(): void {
    if (this.isFilled) throw new RowError(`${this.name} stands twice`)
    this.isFilled = true
  }

  private openSlots(slots: number): void {
    if (this.slots === undefined) this.claim()
    this.slotsFilled++
    this.slots = slots
    this.used = this.rowStart + slots
    this.reserve(0)
  }

  private readList(scanner: JsonScanner, depth: number): void {
    if (depth >= batchLimits.depth) throw new RowError(`${this.name} is more than ${batchLimits.depth} lists deep`)
    scanner.at++
    let count = 0
    if (!scanner.take(closeBracket)) {
      do {
        const c = scanner.peek()
        if (c === openBracket) this.readList(scanner, depth + 1)
        else {
          this.leaf(depth + 1)
          const some = c === minus || (c >= digit0 && c <= digit9) ? this.readNumbers(scanner) : 0
          if (some === 0) this.readElement(scanner)
          else count += some - 1
        }
        count++
      } while (scanner.take(comma))
      scanner.expect(closeBracket)
    }
    this.closeList(depth, count)
  }

  private addValue(value: unknown, depth: number): void {
    const isText = this.dtype === 'string' && value instanceof Uint8Array
    if (isText || !(Array.isArray(value) || ArrayBuffer.isView(value))) {
      this.leaf(depth)
      this.addElement(value)
      return
    }
    if (depth >= batchLimits.depth) throw new RowError(`${this.name} is more than ${batchLimits.depth} lists deep`)
    const items = value as ArrayLike<unknown> // a list, or a view of numbers
    if (this.numbers && items.length > 0 && value.constructor === this.numbers.constructor && this.element.copies) {
      this.leaf(depth + 1)
      this.reserve(items.length)
      this.numbers.set(items as never, this.used) // the same kind of array
      this.used += items.length
    } else {
      for (let i = this.addFloats(items, depth + 1); i < items.length; i++) this.addValue(items[i], depth + 1)
    }
    this.closeList(depth, items.length)
  }

  /** The numbers that a list begins with, most often all of it, where floats take them as they are. */
  private addFloats(items: ArrayLike<unknown>, depth: number): number {
    const isFloats = this.dtype === 'float32' || this.dtype === 'float64'
    if (!isFloats || typeof items[0] !== 'number') return 0
    this.leaf(depth)
    this.reserve(items.length)
    const numbers = this.numbers as Float32Array // or a Float64Array, which is written to alike
    let i = 0
    for (; i < items.length; i++) {
      const value = items[i]
      if (typeof value !== 'number') break
      numbers[this.used++] = value
    }
    return i
  }

  /** Elements are all as deep. */
  private leaf(depth: number): void {
    if (this.leafDepth === depth) return
    if (this.leafDepth >= 0) throw new RowError(`${this.name} holds lists beside values`)
    this.leafDepth = depth
  }

  /** Lists of one depth are of one length. */
  private closeList(depth: number, count: number): void {
    while (this.dims.length <= depth) this.dims.push(-1)
    const known = this.dims[depth]
    if (known === -1) this.dims[depth] = count
    else if (known !== count) throw new RowError(`${this.name} holds lists of different lengths`)
  }

  /** What most elements are, without the detour of others: floats, and ids. @returns how many; 0: another has to look. */
  private readNumbers(scanner: JsonScanner): number {
    if (this.used >= this.capacity) this.reserve(1)
    const { numbers } = this
    let count = 0
    if (numbers instanceof Float32Array) count = readFloats(scanner, numbers, this.used)
    else if (numbers instanceof BigInt64Array)
      count = readIntegers(scanner, this.words, this.used) || this.readWideId(scanner)
    this.used += count
    return count
  }

  /** An id that a double holds. */
  private readWideId(scanner: JsonScanner): number {
    const start = scanner.at
    const value = scanner.float64()
    if (Number.isSafeInteger(value)) {
      // The low word is the value modulo 2^32, of a negative one too.
      this.words[2 * this.used] = value
      this.words[2 * this.used + 1] = Math.floor(value / 4294967296)
      return 1
    }
    scanner.at = start
    return 0
  }

  private readElement(scanner: JsonScanner): void {
    const c = scanner.peek()
    if (c === lowerN) {
      scanner.word('null')
      throw new RowError(`${this.name} is null`)
    }
    // As columns of tables may have them: BigQuery writes 64-bit integers as texts.
    if (this.numbers && (c === quote || c === lowerT || c === lowerF)) {
      this.addElement(c === quote ? scanner.string() : scanner.truth())
      return
    }
    if (this.numbers && c === openBrace) throw new RowError(`${this.name} takes numbers, got an object`)
    if (this.used >= this.capacity) this.reserve(1)
    try {
      if (this.numbers)
        this.element.json(scanner, this.numbers as never, this.used++) // the array of the dtype
      else this.texts[this.used++] = Buffer.from(scanner.string())
    } catch (error) {
      if (error instanceof RowError) throw new RowError(`${this.name}: ${error.message}`)
      throw error
    }
  }

  private addElement(value: unknown): void {
    if (value === null || value === undefined) throw new RowError(`${this.name} is null`)
    if (this.used >= this.capacity) this.reserve(1)
    if (!this.numbers) {
      if (typeof value === 'string') this.texts[this.used++] = Buffer.from(value)
      else if (value instanceof Uint8Array) this.texts[this.used++] = value
      else throw new RowError(`${this.name} takes texts, got ${typeof value}`)
      return
    }
    try {
      this.element.value(value, this.numbers as never, this.used++) // the array of the dtype
    } catch (error) {
      if (error instanceof RowError) throw new RowError(`${this.name}: ${error.message}`)
      throw error
    }
  }

  private hold(numbers: Numbers): void {
    this.numbers = numbers
    if (numbers instanceof BigInt64Array) this.words = new Int32Array(numbers.buffer)
  }

  private get capacity(): number {
    return this.numbers?.length ?? Number.POSITIVE_INFINITY
  }

  private reserve(count: number): void {
    const { numbers, used } = this
    const needed = Math.max(used, this.rowStart) + count
    if (!numbers || needed <= numbers.length) return
    const array = dtypes[this.dtype as Exclude<DType, 'string'>].array // has numbers
    const larger = new array(Math.max(needed, numbers.length * 2))
    larger.set(numbers as never) // the same kind of array
    this.hold(larger)
  }
}

/** Whether a row was written as the model has it. */
function isWritten(dims: readonly number[], rowShape: readonly number[]): boolean {
  if (dims.length !== rowShape.length) return false
  for (let i = 0; i < dims.length; i++) {
    const dim = rowShape[i] as number // as many
    if (dim >= 0 && dim !== dims[i]) return false
  }
  return true
}

/** Bytes of a small array, roughly. */
const textOverhead = 100
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const openBrace = 0x7b
const quote = 0x22
const lowerN = 0x6e
const lowerT = 0x74
const lowerF = 0x66
const minus = 0x2d
const digit0 = 0x30
const digit9 = 0x39
