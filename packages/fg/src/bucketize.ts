import { type FgCounters, tally } from './counters.ts'
import { bucketOfString, bucketsOfPool, type HashKind, type TextPool } from './hash/index.ts'
import { IdWriter } from './ids.ts'
import { float32Text, parseNumber } from './number-text.ts'
import { int32s, int64s } from './pool.ts'

/** Values to ids. Counts what no vocabulary knows and what is out of range under `feature`. */
export interface Bucketizer {
  texts(texts: readonly string[], counters: FgCounters, feature: number): BigInt64Array
  numbers(numbers: Float64Array, counters: FgCounters, feature: number): BigInt64Array
}

/** Numbers as the texts they are hashed and looked up by. */
const textsOf = (numbers: Float64Array): string[] => Array.from(numbers, (value) => float32Text(Math.fround(value)))

/** `hash_bucket_size`: the hash of the UTF-8 bytes, unsigned, modulo the size. */
export function hashBuckets(size: number | bigint, kind: HashKind): Bucketizer {
  const texts = (values: readonly string[]): BigInt64Array => {
    const different = differing(values)
    if (different.length === values.length) return hashAll(values, size, kind)
    const hashed = hashAll(different, size, kind)
    const ids = int64s(values.length)
    for (let i = 0, k = -1; i < values.length; i++) {
      if (i === 0 || values[i] !== values[i - 1]) k++
      ids[i] = hashed[k] ?? 0n
    }
    return ids
  }
  return { texts, numbers: (numbers) => texts(textsOf(numbers)) }
}

/** The first text of every run of equal ones: defaults often stand in a row. */
function differing(values: readonly string[]): readonly string[] {
  let runs = 0
  for (let i = 0; i < values.length; i++) if (i === 0 || values[i] !== values[i - 1]) runs++
  return runs === values.length ? values : values.filter((value, i) => i === 0 || value !== values[i - 1])
}

function hashAll(values: readonly string[], size: number | bigint, kind: HashKind): BigInt64Array {
  const pool = poolOf(values)
  if (pool) return bucketsOfPool(pool, size, kind, int64s(values.length))
  const writer = new IdWriter(values.length)
  for (let i = 0; i < values.length; i++) writer.setExact(i, bucketOfString(values[i] ?? '', size, kind))
  return writer.ids
}

const encoder = new TextEncoder()
let scratch = new Uint8Array(64 * 1024)

/** Texts in UTF-8, end to end, encoded in one go; valid until the next call. `undefined` when halves of a character meet. */
function poolOf(values: readonly string[]): TextPool | undefined {
  const joined = values.join('')
  if (scratch.length < joined.length * 3) scratch = new Uint8Array(joined.length * 3)
  const { written } = encoder.encodeInto(joined, scratch)
  const isAscii = written === joined.length
  const offsets = int32s(values.length + 1)
  let end = 0
  for (let i = 0; i < values.length; i++) {
    const text = values[i] ?? ''
    end += isAscii ? text.length : Buffer.byteLength(text)
    offsets[i + 1] = end
  }
  return end === written ? { bytes: scratch, offsets } : undefined
}

/**
 * `num_buckets`: the value itself, cut to a whole number. What is outside `[0, size)`, or no number, becomes 0, as the
 * bounds check of TorchRec's lookup makes it: FG's own rule is not published.
 */
export const integerBuckets = (size: number | bigint): Bucketizer => integersBetween(0n, BigInt(size))

/** Integers as they are, as far as int64 goes. */
export const integerIds = (): Bucketizer => integersBetween(-(2n ** 63n), 2n ** 63n)

/** Whole numbers from `first` up to `end`, which is none of them; others become 0. */
function integersBetween(first: bigint, end: bigint): Bucketizer {
  const least = Number(first)
  const limit = Number(end)
  const write = (writer: IdWriter, index: number, value: number): number => {
    const id = Math.trunc(value)
    // Written this way round, NaN is out of range too.
    if (id >= least && id < limit) {
      writer.set(index, id === 0 ? 0 : id)
      return 0
    }
    return 1
  }
  return {
    texts(texts, counters, feature) {
      const writer = new IdWriter(texts.length)
      let outside = 0
      for (let i = 0; i < texts.length; i++) {
        const text = texts[i] ?? ''
        const value = smallInteger(text)
        if (value >= 0 && value < limit) writer.set(i, value)
        else if (text.length < 16) outside += write(writer, i, parseNumber(text))
        else outside += writeLong(writer, i, text, first, end)
      }
      tally(counters.outOfRange, feature, outside)
      return writer.ids
    },
    numbers(numbers, counters, feature) {
      const writer = new IdWriter(numbers.length)
      let outside = 0
      for (let i = 0; i < numbers.length; i++) outside += write(writer, i, numbers[i] ?? 0)
      tally(counters.outOfRange, feature, outside)
      return writer.ids
    },
  }
}

/** A text of up to nine digits as a number; -1 for any other. */
function smallInteger(text: string): number {
  if (text.length === 0 || text.length > 9) return -1
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Integers that a number may not hold exactly; 1 when out of range. */
function writeLong(writer: IdWriter, index: number, text: string, first: bigint, end: bigint): number {
  const exact = /^\s*[-+]?\d{1,19}\s*$/.test(text) ? BigInt(text.trim().replace(/^\+/, '')) : undefined
  const number = exact === undefined ? parseNumber(text) : 0
  if (!Number.isFinite(number)) return 1
  const value = exact ?? BigInt(Math.trunc(number))
  if (value < first || value >= end) return 1
  writer.ids[index] = value
  return 0
}

/** `vocab_list`, `vocab_dict`, `vocab_file`: the id of a known word; `unknown` for others. */
export function vocabBuckets(ids: ReadonlyMap<string, number>, unknown: number): Bucketizer {
  const texts: Bucketizer['texts'] = (values, counters, feature) => {
    const writer = new IdWriter(values.length)
    let strangers = 0
    for (let i = 0; i < values.length; i++) {
      const id = ids.get(values[i] ?? '')
      if (id === undefined) strangers++
      writer.set(i, id ?? unknown)
    }
    tally(counters.outOfVocabulary, feature, strangers)
    return writer.ids
  }
  return { texts, numbers: (numbers, counters, feature) => texts(textsOf(numbers), counters, feature) }
}

/**
 * `boundaries`: how many of them are at most the value, so that a value equal to one falls above it. Both are compared as
 * float32: boundaries are printed as widened float32 (`0.10000000149011612`), and 0.1 must reach that one.
 */
export function boundaryBuckets(boundaries: readonly number[]): Bucketizer {
  const sorted = Float64Array.from(boundaries, Math.fround)
  const find = (value: number): number => {
    const x = Math.fround(value)
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] ?? 0) <= x) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    texts(texts, counters, feature) {
      const writer = new IdWriter(texts.length)
      let strangers = 0
      for (let i = 0; i < texts.length; i++) {
        const value = parseNumber(texts[i] ?? '')
        if (Number.isNaN(value)) strangers++
        else writer.set(i, find(value))
      }
      tally(counters.malformed, feature, strangers)
      return writer.ids
    },
    numbers(numbers) {
      const writer = new IdWriter(numbers.length)
      for (let i = 0; i < numbers.length; i++) writer.set(i, find(numbers[i] ?? 0))
      return writer.ids
    },
  }
}

/** A list as ids by position. Of a word that stands twice the last place counts. */
export const vocabOfList = (words: readonly string[]): Map<string, number> =>
  new Map(words.map((word, id) => [word, id]))

/**
 * `vocab_file`: a word per line, whose number is its id, or `word id` on every line, split at the last blank.
 */
export function vocabOfFile(bytes: Uint8Array): Map<string, number> {
  const lines = new TextDecoder().decode(bytes).split('\n')
  if (lines.at(-1) === '') lines.pop()
  const words = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  const pair = /^(.*)[ \t](\d{1,15})$/s
  const isTable = words.length > 0 && words.every((line) => line === '' || pair.test(line))
  if (!isTable) return vocabOfList(words)
  const ids = new Map<string, number>()
  for (const line of words) {
    const [, word, id] = pair.exec(line) ?? []
    if (word !== undefined) ids.set(word.trim(), Number(id))
  }
  return ids
}
