import type { DecodedArray, PageHeader } from 'hyparquet'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { readPlain } from 'hyparquet/src/plain.js'
import type { ColumnDecoder, DataReader, Encoding } from 'hyparquet/src/types.js'
import type { RawPage } from './chunk-pages.ts'
import { converted } from './convert.ts'
import type { Leaf } from './leaf.ts'
import { isRunOf, readHybrid, zerosOf } from './rle-hybrid.ts'

/** A page of entries: one for each value, null, empty list and null list. */
export interface Page {
  readonly entries: number
  /** Of the entries that have one, in order. */
  readonly values: DecodedArray
  /** `undefined` when every entry has a value. */
  readonly definitions: Uint8Array | undefined
  /** 0 where a row begins; `undefined` for columns without lists, and where there are `starts`. */
  readonly repetitions: Uint8Array | undefined
  /** Of a column of lists every entry of which has a value: the entries that rows begin with. */
  readonly starts: Int32Array | undefined
}

/** Values that the data pages behind give by their indexes. */
export function decodeDictionary({ header, bytes }: RawPage, { decoder }: Leaf): DecodedArray {
  const { type, element, codec, compressors } = decoder
  const count = header.dictionary_page_header?.num_values ?? 0
  const page = decompressPage(bytes, header.uncompressed_page_size, codec, compressors)
  // A value takes a bit at least, and a text or bytes of a fixed length a byte.
  if (!(count >= 0 && count <= page.length * 8)) throw new Error(`a dictionary of ${page.length} bytes says ${count}`)
  return converted(readPlain(readerOf(page, 0), type, count, element.type_length), decoder)
}

/**
 * The levels and values of a data page, of either version. Numbers stay in arrays of numbers.
 * @throws what is wrong with it.
 */
export function decodePage(raw: RawPage, leaf: Leaf, dictionary: DecodedArray | undefined): Page {
  const { header } = raw
  return header.data_page_header_v2 ? decodeV2(raw, leaf, dictionary) : decodeV1(raw, leaf, dictionary)
}

function decodeV1({ header, bytes }: RawPage, leaf: Leaf, dictionary: DecodedArray | undefined): Page {
  const { codec, compressors } = leaf.decoder
  const head = given(header.data_page_header)
  const page = decompressPage(bytes, header.uncompressed_page_size, codec, compressors)
  let at = 0
  /** Where levels lie. */
  const spanOf = (max: number, encoding: Encoding): Span => {
    if (max === 0) return { bytes: page, from: at, to: at }
    if (encoding !== 'RLE') throw new Error(`levels are encoded as ${encoding}`)
    const length = at + 4 <= page.length ? readerOf(page, at).view.getUint32(0, true) : page.length
    const span = { bytes: page, from: at + 4, to: at + 4 + length }
    at = span.to
    return span
  }
  const repetitions = spanOf(leaf.isList ? 1 : 0, head.repetition_level_encoding)
  const definitions = spanOf(leaf.definition.value, head.definition_level_encoding)
  const levels = levelsOf(repetitions, definitions, head.num_values, leaf)
  const count = valueCount(head.num_values, levels.definitions, leaf)
  const values = decodeValues(page, at, count, head.encoding, leaf.decoder, dictionary)
  return pageOf(head.num_values, values, levels, repetitions, leaf)
}

function decodeV2({ header, bytes }: RawPage, leaf: Leaf, dictionary: DecodedArray | undefined): Page {
  const { codec, compressors } = leaf.decoder
  const head = given(header.data_page_header_v2)
  const { num_values, repetition_levels_byte_length: first, definition_levels_byte_length: second } = head
  const start = first + second
  if (!(first >= 0 && second >= 0 && start <= bytes.length)) throw new Error('levels are longer than their page')
  const repetitions = { bytes, from: 0, to: first }
  const levels = levelsOf(repetitions, { bytes, from: first, to: start }, num_values, leaf)
  const count = valueCount(num_values, levels.definitions, leaf)
  // Nothing may be what a compression of nothing is.
  const rest = bytes.subarray(start)
  const isCompressed = head.is_compressed !== false && count > 0
  const page = isCompressed ? decompressPage(rest, header.uncompressed_page_size - start, codec, compressors) : rest
  const values = decodeValues(page, 0, count, head.encoding, leaf.decoder, dictionary)
  return pageOf(num_values, values, levels, repetitions, leaf)
}

interface Span {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

type Levels = Pick<Page, 'definitions' | 'repetitions'>

/** The levels of a page; without a level for each entry where all have a value and a single run says so, as most writers do. */
function levelsOf(repetitions: Span, definitions: Span, entries: number, { isList, definition }: Leaf): Levels {
  const read = ({ bytes, from, to }: Span, max: number): Uint8Array => {
    const into = new Uint8Array(entries)
    readHybrid(bytes, from, to, widthOf(max), into)
    return into
  }
  const { bytes, from, to } = definitions
  const areValues = definition.value === 0 || isRunOf(definition.value, bytes, from, to, entries)
  if (areValues) return { definitions: undefined, repetitions: undefined }
  return { definitions: read(definitions, definition.value), repetitions: isList ? read(repetitions, 1) : undefined }
}

function pageOf(
  entries: number,
  values: DecodedArray,
  { definitions, repetitions }: Levels,
  { bytes, from, to }: Span,
  { isList }: Leaf,
): Page {
  // Last, when there are known to be as many values.
  const starts = isList && !repetitions ? zerosOf(bytes, from, to, entries) : undefined
  const isFull = values.length === entries
  return { entries, values, definitions: isFull ? undefined : definitions, repetitions, starts }
}

function valueCount(entries: number, definitions: Uint8Array | undefined, { definition: { value } }: Leaf): number {
  if (!definitions) return entries
  let count = 0
  for (let i = 0; i < entries; i++) if (definitions[i] === value) count++
  return count
}

function decodeValues(
  page: Uint8Array,
  at: number,
  count: number,
  encoding: Encoding,
  decoder: ColumnDecoder,
  dictionary: DecodedArray | undefined,
): DecodedArray {
  if (count === 0) return []
  if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    if (!dictionary) throw new Error('a page speaks of a dictionary that is not there')
    const indexes = new Int32Array(count)
    const width = page[at]
    if (width === undefined) throw new Error('a page of indexes is empty')
    if (width > 0) readHybrid(page, at + 1, page.length, width, indexes)
    return gather(dictionary, indexes)
  }
  const decode = decoders[encoding]
  if (!decode) throw new Error(`the encoding ${encoding} is not known`)
  const values = decode(readerOf(page, at), count, decoder)
  if (values.length !== count) throw new Error(`a page holds ${values.length} of its ${count} values`)
  return converted(values, decoder)
}

type Decode = (reader: DataReader, count: number, decoder: ColumnDecoder) => DecodedArray

/** How values lie in a page. @see Apache Parquet "Encodings" */
const decoders: { readonly [E in Encoding]?: Decode } = {
  PLAIN: (reader, count, { type, element }) => readPlain(reader, type, count, element.type_length),
  BYTE_STREAM_SPLIT: (reader, count, { type, element }) => byteStreamSplit(reader, count, type, element.type_length),
  DELTA_BINARY_PACKED: (reader, count, { type }) => {
    const into = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count)
    deltaBinaryUnpack(reader, count, into)
    return into
  },
  DELTA_LENGTH_BYTE_ARRAY: (reader, count) => filled(count, (into) => deltaLengthByteArray(reader, count, into)),
  DELTA_BYTE_ARRAY: (reader, count) => filled(count, (into) => deltaByteArray(reader, count, into)),
  /** Of truths, behind the number of bytes. */
  RLE: ({ view, offset }, count, { type }) => {
    if (type !== 'BOOLEAN') throw new Error(`values of ${type} are encoded as RLE`)
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    const into = new Uint8Array(count)
    readHybrid(bytes, offset + 4, offset + 4 + view.getUint32(offset, true), 1, into)
    return Array.from(into, (bit) => bit === 1)
  },
}

function filled(count: number, fill: (into: Uint8Array[]) => void): Uint8Array[] {
  const into: Uint8Array[] = new Array(count)
  fill(into)
  return into
}

/** The values at these indexes, in an array of the same kind. */
function gather(from: DecodedArray, indexes: Int32Array): DecodedArray {
  const { length } = indexes
  for (let i = 0; i < length; i++) {
    if ((indexes[i] as number) >>> 0 >= from.length) throw new Error('a page speaks of values behind its dictionary')
  }
  if (from instanceof BigInt64Array || from instanceof BigUint64Array) {
    // In halves, which need no bigint.
    const words = new Int32Array(from.buffer, from.byteOffset, from.length * 2)
    const into = new Int32Array(length * 2)
    for (let i = 0; i < length; i++) {
      const at = 2 * (indexes[i] as number) // checked
      into[2 * i] = words[at] as number
      into[2 * i + 1] = words[at + 1] as number
    }
    return from instanceof BigInt64Array ? new BigInt64Array(into.buffer) : new BigUint64Array(into.buffer)
  }
  if (Array.isArray(from)) return Array.from(indexes, (index) => from[index])
  const numbers = from as Float32Array // or another array of numbers, which is written to alike
  const into = new (numbers.constructor as new (length: number) => Float32Array)(length)
  for (let i = 0; i < length; i++) into[i] = numbers[indexes[i] as number] as number // checked
  return into
}

function given<H>(header: H | undefined): H {
  if (header === undefined) throw new Error('a page has no header of its own kind')
  return header
}

const readerOf = (bytes: Uint8Array, offset: number): DataReader => ({
  view: new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.byteLength - offset),
  offset: 0,
})

const widthOf = (max: number) => 32 - Math.clz32(max)

/** Rows that a page says it has; `undefined` when only its levels tell. */
export function rowsOfPage(
  { data_page_header, data_page_header_v2 }: PageHeader,
  { isList }: Leaf,
): number | undefined {
  return data_page_header_v2?.num_rows ?? (isList ? undefined : data_page_header?.num_values)
}
