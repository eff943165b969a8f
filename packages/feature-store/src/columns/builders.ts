import type { ColumnType, Scalar } from '../column-type.ts'
import { badData, FeatureStoreError } from '../feature-store-error.ts'
import type { Column, ListColumn, MapColumn, NumberColumn, TextColumn } from './column.ts'
import { growing } from './growing.ts'

/** Adds values to a column, which can be read at any time. */
export interface ColumnBuilder<C extends Column = Column> {
  readonly count: number
  /** Bytes of what has been added. */
  readonly bytes: number
  /** @throws {FeatureStoreError} `bad_data` for a value that does not fit the type; nothing has been added then. */
  add(value: unknown): void
  /** Adds `end - start` of `values`; faster for typed arrays. Nothing is taken back on an error: see `truncate`. */
  addAll(values: ArrayLike<unknown>, start: number, end: number): void
  /** Takes back what was added after the first `count`. */
  truncate(count: number): void
  view(): C
}

/** An empty column of a type, with room for `capacity` rows. */
export function columnBuilder(type: ColumnType, capacity: number): ColumnBuilder {
  if (type.form === 'scalar') return leafBuilder(type.of, capacity)
  if (type.form === 'map')
    return new MapBuilder(leafBuilder(type.key, capacity), leafBuilder(type.of, capacity), capacity)
  const list = new ListBuilder(leafBuilder(type.of, capacity), capacity)
  return type.form === 'list' ? list : new ListBuilder(list, capacity)
}

const leafBuilder = (of: Scalar, capacity: number): ColumnBuilder<NumberColumn> | ColumnBuilder<TextColumn> =>
  of === 'string' ? new TextBuilder(capacity) : new NumberBuilder(of, capacity)

type NumberType = Exclude<Scalar, 'string'>

/** What a number type accepts, as the number or bigint that its array takes; `undefined` for what it does not. */
const numberReaders: { readonly [type in NumberType]: (value: unknown) => number | bigint | undefined } = {
  int32(value) {
    const number = typeof value === 'number' ? value : toNumber(value)
    return number !== undefined && (number | 0) === number ? number : undefined
  },
  int64(value) {
    const exact = toBigInt(value)
    return exact !== undefined && BigInt.asIntN(64, exact) === exact ? exact : undefined
  },
  float: toNumber,
  double: toNumber,
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value)
  if (value instanceof Date) return value.getTime()
  if (typeof value !== 'string' || !decimal.test(value)) return undefined
  return Number(value)
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'string') return wholeText.test(value) ? BigInt(value) : undefined
  const number = toNumber(value)
  // Past 2^53 a double has already been rounded; what the source said is not known any more.
  return Number.isSafeInteger(number) ? BigInt(number as number) : undefined
}

const wholeText = /^-?\d{1,19}$/
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$|^[+-]?Infinity$|^NaN$/i

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

class NumberBuilder implements ColumnBuilder<NumberColumn> {
  private readonly type: NumberType
  private readonly values: ReturnType<(typeof growing)[NumberType]>
  private readonly read: (value: unknown) => number | bigint | undefined
  private readonly missing: number | bigint
  /** From the first missing whole number on. */
  private valid: ReturnType<typeof growing.uint8> | undefined

  constructor(type: NumberType, capacity: number) {
    this.type = type
    this.values = growing[type](capacity)
    this.read = numberReaders[type]
    this.missing = { int32: 0, int64: 0n, float: Number.NaN, double: Number.NaN }[type]
  }

  get count(): number {
    return this.values.count
  }

  get bytes(): number {
    return this.values.bytes + (this.valid?.bytes ?? 0)
  }

  add(value: unknown): void {
    const isMissing = value === null || value === undefined
    const number = isMissing ? this.missing : this.read(value)
    if (number === undefined) throw badData(`${shown(value)} is no ${this.type}`)
    this.put(number, isMissing)
  }

  addAll(values: ArrayLike<unknown>, start: number, end: number): void {
    if (!(values instanceof (this.values.data.constructor as typeof Float64Array))) {
      this.values.reserve(end - start)
      for (let i = start; i < end; i++) this.add(values[i])
      return
    }
    this.values.reserve(end - start)
    this.values.data.set(values.subarray(start, end) as Float64Array & BigInt64Array, this.values.count) // the same class
    this.values.count += end - start
    if (this.valid) for (let i = start; i < end; i++) this.pushValid(1)
  }

  truncate(count: number): void {
    this.values.count = count
    if (this.valid) this.valid.count = count
  }

  view(): NumberColumn {
    const data = this.values.view()
    return this.valid ? { form: 'numbers', data, valid: this.valid.view() } : { form: 'numbers', data }
  }

  private put(number: number | bigint, isMissing: boolean): void {
    const { values } = this
    if (values.count === values.data.length) values.reserve(1)
    ;(values.data as Float64Array)[values.count] = number as number // a bigint exactly when the array takes them
    if (isMissing && !Number.isNaN(this.missing)) this.valid ??= this.allValid()
    values.count++
    if (this.valid) this.pushValid(isMissing ? 0 : 1)
  }

  private allValid() {
    const valid = growing.uint8(this.values.data.length)
    valid.data.fill(1, 0, this.values.count)
    valid.count = this.values.count
    return valid
  }

  private pushValid(flag: number): void {
    const { valid } = this
    if (!valid) return
    valid.reserve(1)
    valid.data[valid.count++] = flag
  }
}

class TextBuilder implements ColumnBuilder<TextColumn> {
  private readonly starts: ReturnType<typeof growing.uint32>
  private readonly pool: ReturnType<typeof growing.uint8>
  private buffer: Buffer

  constructor(capacity: number) {
    this.starts = growing.uint32(capacity + 1)
    this.starts.count = 1 // the first text starts at 0
    this.pool = growing.uint8(capacity * 8)
    this.buffer = bufferOf(this.pool.data)
  }

  get count(): number {
    return this.starts.count - 1
  }

  get bytes(): number {
    return this.starts.bytes + this.pool.count
  }

  add(value: unknown): void {
    if (value instanceof Uint8Array) {
      this.addBytes(value)
      return
    }
    const text = toText(value)
    if (text === undefined) throw badData(`${shown(value)} is no string`)
    // A UTF-16 unit is at most three bytes of UTF-8.
    if (this.pool.count + text.length * 3 > this.pool.data.length) this.makeRoom(Buffer.byteLength(text))
    this.pool.count += this.buffer.write(text, this.pool.count)
    this.starts.reserve(1)
    this.starts.data[this.starts.count++] = this.pool.count
  }

  addAll(values: ArrayLike<unknown>, start: number, end: number): void {
    for (let i = start; i < end; i++) this.add(values[i])
  }

  truncate(count: number): void {
    this.starts.count = count + 1
    this.pool.count = this.starts.data[count] ?? 0
  }

  view(): TextColumn {
    return { form: 'texts', bytes: this.pool.view(), starts: this.starts.view() }
  }

  /** UTF-8 as a file has it, which need not become a string on the way. */
  private addBytes(bytes: Uint8Array): void {
    this.makeRoom(bytes.length)
    this.pool.data.set(bytes, this.pool.count)
    this.pool.count += bytes.length
    this.starts.reserve(1)
    this.starts.data[this.starts.count++] = this.pool.count
  }

  private makeRoom(bytes: number): void {
    const { data } = this.pool
    this.pool.reserve(bytes)
    if (this.pool.data !== data) this.buffer = bufferOf(this.pool.data)
  }
}

const bufferOf = ({ buffer }: Uint8Array): Buffer => Buffer.from(buffer)

function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return undefined
}

class ListBuilder implements ColumnBuilder<ListColumn> {
  private readonly starts: ReturnType<typeof growing.uint32>
  private readonly inner: ColumnBuilder<NumberColumn | TextColumn | ListColumn>

  constructor(inner: ColumnBuilder<NumberColumn | TextColumn | ListColumn>, capacity: number) {
    this.inner = inner
    this.starts = growing.uint32(capacity + 1)
    this.starts.count = 1
  }

  get count(): number {
    return this.starts.count - 1
  }

  get bytes(): number {
    return this.starts.bytes + this.inner.bytes
  }

  add(value: unknown): void {
    const before = this.inner.count
    if (value !== null && value !== undefined) {
      if (!isList(value)) throw badData(`${shown(value)} is no list`)
      try {
        this.inner.addAll(value, 0, value.length)
      } catch (error) {
        this.inner.truncate(before)
        throw error
      }
    }
    pushStart(this.starts, this.inner.count)
  }

  addAll(values: ArrayLike<unknown>, start: number, end: number): void {
    for (let i = start; i < end; i++) this.add(values[i])
  }

  truncate(count: number): void {
    this.starts.count = count + 1
    this.inner.truncate(this.starts.data[count] ?? 0)
  }

  view(): ListColumn {
    return { form: 'list', starts: this.starts.view(), values: this.inner.view() }
  }
}

class MapBuilder implements ColumnBuilder<MapColumn> {
  private readonly starts: ReturnType<typeof growing.uint32>
  private readonly keys: ColumnBuilder<NumberColumn> | ColumnBuilder<TextColumn>
  private readonly values: ColumnBuilder<NumberColumn> | ColumnBuilder<TextColumn>

  constructor(keys: MapBuilder['keys'], values: MapBuilder['values'], capacity: number) {
    this.keys = keys
    this.values = values
    this.starts = growing.uint32(capacity + 1)
    this.starts.count = 1
  }

  get count(): number {
    return this.starts.count - 1
  }

  get bytes(): number {
    return this.starts.bytes + this.keys.bytes + this.values.bytes
  }

  add(value: unknown): void {
    const before = this.keys.count
    try {
      for (const [key, each] of entriesOf(value)) {
        this.keys.add(key)
        this.values.add(each)
      }
    } catch (error) {
      this.keys.truncate(before)
      this.values.truncate(before)
      throw error
    }
    pushStart(this.starts, this.keys.count)
  }

  addAll(values: ArrayLike<unknown>, start: number, end: number): void {
    for (let i = start; i < end; i++) this.add(values[i])
  }

  truncate(count: number): void {
    this.starts.count = count + 1
    const pairs = this.starts.data[count] ?? 0
    this.keys.truncate(pairs)
    this.values.truncate(pairs)
  }

  view(): MapColumn {
    return { form: 'map', starts: this.starts.view(), keys: this.keys.view(), values: this.values.view() }
  }
}

function pushStart(starts: ReturnType<typeof growing.uint32>, start: number): void {
  if (start > 0xffff_ffff) throw new FeatureStoreError('too_large', `Cannot hold ${start} values in a column of lists`)
  starts.reserve(1)
  starts.data[starts.count++] = start
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))

/** A map's pairs: of a `Map`, of an object's own properties, or of a list of pairs or `{ key, value }` as Parquet has them. */
function entriesOf(value: unknown): Iterable<readonly [unknown, unknown]> {
  if (value === null || value === undefined) return []
  if (value instanceof Map) return value
  if (Array.isArray(value)) {
    return value.map((pair) => (Array.isArray(pair) ? [pair[0], pair[1]] : [pair?.key, pair?.value]))
  }
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) return Object.entries(value)
  throw badData(`${shown(value)} is no map`)
}
