import { fromHalf, type Tensor } from '@eas/base'
import { refuse } from '@eas/onnx'
import { fingerprint64, hash64, sipHash } from './fingerprint.ts'
import { formatE, formatF, formatG, formatPrintf } from './number-text.ts'
import type { HostTable } from './program.ts'
import { fullMatcher, replacer } from './regex.ts'
import {
  allocate,
  boolAttr,
  broadcast,
  bytesOf,
  dtypeAttr,
  fresh,
  invalid,
  latin1,
  like,
  listAttr,
  number,
  numberAttr,
  numbers,
  numericTensor,
  placesIn,
  scalars,
  sizeOfShape,
  stringAttr,
  strings,
  stringTensor,
  text,
  typed,
} from './values.ts'

/** Strings. TF: core/ops/string_ops.cc, parsing_ops.cc (2.16). */

const map = (f: (bytes: Uint8Array, attrs: Readonly<Record<string, unknown>>) => Uint8Array) => ({
  run: ([x]: readonly Tensor[], attrs: Readonly<Record<string, unknown>>) => [
    stringTensor(
      strings(x).map((s) => f(s, attrs)),
      x?.shape ?? [],
    ),
  ],
  infer: like('string'),
})

const isUtf8 = (attrs: Readonly<Record<string, unknown>>): boolean => attrs.encoding === 'utf-8'
const asciiCase = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  bytes.map((b) => (b >= from && b < from + 26 ? b - from + to : b))

const buckets = (hash: (bytes: Uint8Array, attrs: Readonly<Record<string, unknown>>) => bigint) => ({
  run: ([x]: readonly Tensor[], attrs: Readonly<Record<string, unknown>>) => {
    const count = BigInt(Number(attrs.num_buckets))
    return [
      numericTensor(
        'int64',
        strings(x).map((s) => hash(s, attrs) % count),
        x?.shape ?? [],
      ),
    ]
  },
  infer: like('int64'),
})

const spaces = new Set([9, 10, 11, 12, 13, 32])
function strip(bytes: Uint8Array): Uint8Array {
  let [start, end] = [0, bytes.length]
  while (start < end && spaces.has(bytes[start] ?? 0)) start++
  while (end > start && spaces.has(bytes[end - 1] ?? 0)) end--
  return bytes.subarray(start, end)
}

const numeral = /^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)$/i
const integer = /^[+-]?\d+$/
const wide = { int32: [-(2n ** 31n), 2n ** 31n - 1n], int64: [-(2n ** 63n), 2n ** 63n - 1n] } as const

/** @throws {EasError} As TensorFlow does, when the text is no number of the type. */
export function parseNumber(bytes: Uint8Array, dtype: string): number | bigint {
  const word = latin1(strip(bytes))
  if (dtype === 'int32' || dtype === 'int64') {
    const [low, high] = wide[dtype]
    const value = integer.test(word) ? BigInt(word.replace(/^\+/, '')) : undefined
    if (value === undefined || value < low || value > high)
      throw invalid(`StringToNumberOp could not correctly convert string: ${JSON.stringify(word.slice(0, 40))}`)
    return value
  }
  if (!numeral.test(word))
    throw invalid(`StringToNumberOp could not correctly convert string: ${JSON.stringify(word.slice(0, 40))}`)
  if (/inf/i.test(word)) return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /nan/i.test(word) ? Number.NaN : Number(word)
}

function join(inputs: readonly Tensor[], separator: string): Tensor {
  const shape = inputs.map((t) => t.shape).find((s) => s.length > 0) ?? []
  const size = shape.reduce((a, b) => a * b, 1)
  const columns = inputs.map(strings)
  const rows = Array.from({ length: size }, (_, i) =>
    columns.map((c) => latin1(c[c.length === 1 ? 0 : i] ?? new Uint8Array())).join(separator),
  )
  return stringTensor(
    rows.map((r) => bytesOf(r, 'latin1')),
    shape,
  )
}

/** Pieces of each string. Version 1 splits at any character of the delimiter, version 2 at the whole of it. */
function split(rows: readonly Uint8Array[], pieces: (row: string) => string[]): Tensor[] {
  const indices: bigint[] = []
  const values: Uint8Array[] = []
  let most = 0
  for (const [i, row] of rows.entries()) {
    const parts = pieces(latin1(row))
    most = Math.max(most, parts.length)
    allocate(values.length + parts.length)
    for (const [k, part] of parts.entries()) {
      indices.push(BigInt(i), BigInt(k))
      values.push(bytesOf(part, 'latin1'))
    }
  }
  return [
    numericTensor('int64', indices, [values.length, 2]),
    stringTensor(values),
    numericTensor('int64', [rows.length, most]),
  ]
}

const splitTypes = (op: Parameters<HostTable[string]['infer']>[0]) => {
  const n = fresh(op)
  return [typed('int64', [n, 2]), typed('string', [n]), typed('int64', [2])]
}

const whitespace = /[ \t\n\v\f\r]+/
const leadingSpace = /^[ \t\n\v\f\r]+/

function splitV1(row: string, delimiter: string, skips: boolean): string[] {
  const parts: string[] = []
  let start = 0
  if (delimiter === '') return [...row]
  for (let i = 0; i <= row.length; i++) {
    if (i < row.length && !delimiter.includes(row[i] ?? '')) continue
    parts.push(row.slice(start, i))
    start = i + 1
  }
  return skips ? parts.filter((p) => p !== '') : parts
}

/** @see core/kernels/string_split_op.cc SplitV2 */
function splitV2(row: string, separator: string, limit: number): string[] {
  if (limit === 0) return [row]
  if (separator === '') return limit > 0 ? limitedWords(row, limit) : row.split(whitespace).filter((p) => p !== '')
  const parts = row.split(separator)
  return limit > 0 && parts.length > limit + 1 ? [...parts.slice(0, limit), parts.slice(limit).join(separator)] : parts
}

/** As many words and then the rest of the row, which may be empty; fewer words alone. */
function limitedWords(row: string, limit: number): string[] {
  const parts: string[] = []
  let rest = row.replace(leadingSpace, '')
  while (rest !== '') {
    const [word = ''] = rest.split(whitespace, 1)
    parts.push(word)
    rest = rest.slice(word.length).replace(leadingSpace, '')
    if (parts.length === limit) return [...parts, rest]
  }
  return parts
}

function substring(bytes: Uint8Array, start: number, length: number, isText: boolean): Uint8Array {
  const cut = <T extends { readonly length: number }>(
    x: T,
    slice: (from: number, to: number) => Uint8Array,
  ): Uint8Array => {
    const from = start < 0 ? start + x.length : start
    if (from < 0 || from > x.length) throw invalid(`pos ${start} out of range for string of length ${x.length}`)
    return slice(from, Math.min(from + length, x.length))
  }
  if (!isText) return cut(bytes, (a, b) => bytes.subarray(a, b))
  const characters = [...text(bytes)]
  return cut(characters, (a, b) => bytesOf(characters.slice(a, b).join('')))
}

function replaceAll(x: Tensor | undefined, pattern: string, rewrite: string, isGlobal: boolean): Tensor[] {
  const replace = replacer(pattern, rewrite, isGlobal)
  const replaced = strings(x).map((s) => bytesOf(replace(text(s))))
  return [stringTensor(replaced, x?.shape ?? [])]
}

function fullMatch(x: Tensor | undefined, pattern: string): Tensor[] {
  const matches = fullMatcher(pattern)
  const found = strings(x).map((s) => Number(matches(text(s))))
  return [numericTensor('bool', found, x?.shape ?? [])]
}

const web64 = (bytes: Uint8Array, pads: boolean): string => {
  const plain = Buffer.from(bytes).toString('base64url')
  return pads ? plain.padEnd(Math.ceil(plain.length / 4) * 4, '=') : plain
}

const rawSizes: Readonly<Record<string, number>> = {
  uint8: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
  float16: 2,
  bool: 1,
}

function decodeRaw(x: Tensor | undefined, dtype: string, isLittle: boolean): Tensor[] {
  const rows = strings(x)
  const size = rawSizes[dtype] ?? 1
  const length = rows[0]?.length ?? 0
  if (rows.some((r) => r.length !== length) || length % size !== 0)
    throw invalid('DecodeRaw takes strings of one length, which is a whole number of elements')
  const all = Buffer.concat(rows)
  if (!isLittle) for (let i = 0; i < all.length; i += size) all.subarray(i, i + size).reverse()
  const at = (i: number): number | bigint => {
    if (dtype === 'int64') return all.readBigInt64LE(i)
    if (dtype === 'float32') return all.readFloatLE(i)
    if (dtype === 'float64') return all.readDoubleLE(i)
    if (dtype === 'float16') return fromHalf(all.readUInt16LE(i))
    return dtype.startsWith('int') ? all.readIntLE(i, size) : all.readUIntLE(i, size)
  }
  const values = Array.from({ length: all.length / size }, (_, i) => at(i * size))
  return [numericTensor(dtype as 'int32', values, [...(x?.shape ?? []), length / size])] // a type of the table
}

function asString(x: Tensor | undefined, attrs: Readonly<Record<string, unknown>>): Tensor[] {
  if (!x || x.dtype === 'string') return x ? [x] : []
  const precision = Number(attrs.precision ?? -1)
  const width = Number(attrs.width ?? -1)
  const fill = String(attrs.fill ?? '')
  const isFloat = x.dtype.startsWith('float')
  const format = (v: number | bigint): string => {
    if (x.dtype === 'bool') return v ? 'true' : 'false'
    if (!isFloat) return formatPrintf(String(v), width, fill)
    const write = attrs.shortest ? formatG : attrs.scientific ? formatE : formatF
    return formatPrintf(write(Number(v), precision < 0 ? 6 : precision), width, fill)
  }
  const values = scalars(x).map((v) => bytesOf(format(v)))
  return [stringTensor(values, x.shape)]
}

function reduceJoin([x, axesTensor]: readonly Tensor[], attrs: Readonly<Record<string, unknown>>): Tensor[] {
  const shape = x?.shape ?? []
  const axes = numbers(axesTensor).map((a) => (a < 0 ? a + shape.length : a))
  const separator = String(attrs.separator ?? '')
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i))
  // The axis that is named first is joined first: its strings stand next to each other.
  const order = [...kept, ...axes.toReversed()]
  const rows = strings(x)
  const sizes = order.map((i) => shape[i] ?? 1)
  const inner = axes.reduce((n, a) => n * (shape[a] ?? 1), 1)
  const stride = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1))
  const out: Uint8Array[] = []
  const total = sizes.reduce((a, b) => a * b, 1)
  let parts: string[] = []
  for (let n = 0; n < total; n++) {
    let rest = n
    let at = 0
    for (let k = order.length - 1; k >= 0; k--) {
      const size = sizes[k] ?? 1
      at += (rest % size) * (stride[order[k] ?? 0] ?? 1)
      rest = Math.floor(rest / size)
    }
    parts.push(latin1(rows[at] ?? new Uint8Array()))
    if (parts.length === inner) {
      out.push(bytesOf(parts.join(separator), 'latin1'))
      parts = []
    }
  }
  const shown = attrs.keep_dims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : kept.map((i) => shape[i] ?? 1)
  // Nothing joined is empty.
  if (inner === 0) return [stringTensor(new Array(allocate(sizeOfShape(shown))).fill(new Uint8Array()), shown)]
  return [stringTensor(out, shown)]
}

/** Strings joined by segment, in the order they come; rows of strings are joined column by column. */
function segmentJoin(x: Tensor | undefined, ids: Tensor | undefined, count: number, separator: string): Tensor {
  const rest = (x?.shape ?? []).slice(ids?.shape.length ?? 1)
  const width = rest.reduce((a, b) => a * b, 1)
  const given = strings(x)
  const parts = Array.from({ length: allocate(count * width) }, () => [] as string[])
  for (const [i, id] of numbers(ids).entries()) {
    if (id >= count) throw invalid(`segment_ids[${i}] = ${id} is out of range [0, ${count})`)
    if (id < 0) continue
    for (let k = 0; k < width; k++) parts[id * width + k]?.push(latin1(given[i * width + k] ?? new Uint8Array()))
  }
  return stringTensor(
    parts.map((p) => bytesOf(p.join(separator), 'latin1')),
    [count, ...rest],
  )
}

/** Fields of a line: quotes hold delimiters, and a doubled quote is one. @see core/kernels/decode_csv_op.cc */
function fieldsOf(line: string, delimiter: string, quotes: boolean): string[] {
  const fields: string[] = []
  let at = 0
  while (at <= line.length) {
    if (quotes && line[at] === '"') {
      let field = ''
      at++
      for (; at < line.length; at++) {
        if (line[at] !== '"') field += line[at]
        else if (line[at + 1] === '"') field += line[at++]
        else break
      }
      fields.push(field)
      at += 2
    } else {
      const end = line.indexOf(delimiter, at)
      fields.push(line.slice(at, end < 0 ? line.length : end))
      at = end < 0 ? line.length + 1 : end + 1
    }
    if (at === line.length + 1 && line.endsWith(delimiter) && fields.length > 0 && line[at - 2] === '"') fields.push('')
  }
  return fields
}

function decodeCsv([x, ...defaults]: readonly Tensor[], attrs: Readonly<Record<string, unknown>>): Tensor[] {
  const rows = strings(x)
  const delimiter = String(attrs.field_delim ?? ',') || ','
  const missing = String(attrs.na_value ?? '')
  const selected = listAttr(attrs as never, 'select_cols').map(Number)
  const table = rows.map((row) =>
    fieldsOf(latin1(row).replace(/\r?\n$/, ''), delimiter, attrs.use_quote_delim !== false),
  )
  return defaults.map((fallback, column) => {
    const at = selected.length > 0 ? (selected[column] ?? column) : column
    const cells = table.map((fields, i) => {
      if (selected.length === 0 && fields.length !== defaults.length)
        throw invalid(`Expect ${defaults.length} fields but have ${fields.length} in record ${i}`)
      const cell = fields[at] ?? ''
      if (cell !== '' && cell !== missing) return bytesOf(cell, 'latin1')
      if (fallback.data.length === 0) throw invalid(`Field ${at} is required but missing in record ${i}`)
      return undefined
    })
    if (fallback.dtype === 'string')
      return stringTensor(
        cells.map((c) => c ?? fallback.data[0] ?? new Uint8Array()),
        x?.shape ?? [],
      )
    const first = Array.from(fallback.data as ArrayLike<number | bigint>)[0] ?? 0
    return numericTensor(
      fallback.dtype,
      cells.map((c) => (c ? parseNumber(c, fallback.dtype) : first)),
      x?.shape ?? [],
    )
  })
}

const key = (attrs: Readonly<Record<string, unknown>>, i: number): bigint =>
  BigInt(Number((attrs.key as readonly number[] | undefined)?.[i] ?? 0)) // a list of whole numbers

export const stringOps: HostTable = {
  StringToHashBucketFast: buckets((s) => fingerprint64(s)),
  StringToHashBucket: buckets((s) => hash64(s)),
  StringToHashBucketStrong: {
    ...buckets((s, attrs) => sipHash(s, key(attrs, 0), key(attrs, 1))),
    infer: (op) => {
      if (!op.attr.ints('key').every(Number.isSafeInteger))
        throw refuse('a key beyond 53 bits is not supported', op.node.name, 'Hash with a smaller key')
      return like('int64')(op)
    },
  },
  StringToNumber: {
    run: ([x], attrs) => {
      const dtype = dtypeAttr(attrs, 'out_type', 'float32')
      return [
        numericTensor(
          dtype,
          strings(x).map((s) => parseNumber(s, dtype)),
          x?.shape ?? [],
        ),
      ]
    },
    infer: (op) => [typed(op.attr.dtype('out_type') ?? 'float32', op.tensor(0).shape)],
  },
  AsString: { run: ([x], attrs) => asString(x, attrs), infer: like('string') },
  StringJoin: {
    run: (inputs, attrs) => [join(inputs, stringAttr(attrs, 'separator'))],
    infer: (op) => [typed('string', op.inputs.map((_, i) => op.tensor(i).shape).find((s) => s.length > 0) ?? [])],
  },
  ReduceJoin: {
    run: reduceJoin,
    infer: (op) => {
      const { shape } = op.tensor(0)
      const axes = op.ints(1).map((a) => op.axis(a, shape.length))
      return [
        typed(
          'string',
          op.attr.bool('keep_dims')
            ? shape.map((d, i) => (axes.includes(i) ? 1 : d))
            : shape.filter((_, i) => !axes.includes(i)),
        ),
      ]
    },
  },
  UnsortedSegmentJoin: {
    run: ([x, ids, count], attrs) => [segmentJoin(x, ids, number(count), stringAttr(attrs, 'separator'))],
    infer: (op) => {
      const { shape } = op.tensor(0)
      return [typed('string', [op.sizes(2)[0] ?? fresh(op), ...shape.slice(op.tensor(1).shape.length)])]
    },
  },
  StringStrip: map(strip),
  StringLower: map((s, attrs) => (isUtf8(attrs) ? bytesOf(text(s).toLowerCase()) : asciiCase(s, 65, 97))),
  StringUpper: map((s, attrs) => (isUtf8(attrs) ? bytesOf(text(s).toUpperCase()) : asciiCase(s, 97, 65))),
  StringLength: {
    run: ([x], attrs) => [
      numericTensor(
        'int32',
        strings(x).map((s) => (stringAttr(attrs, 'unit') === 'UTF8_CHAR' ? [...text(s)].length : s.length)),
        x?.shape ?? [],
      ),
    ],
    infer: like('int32'),
  },
  Substr: {
    run: ([x, start, length], attrs) => {
      const [texts, starts, lengths] = [strings(x), numbers(start), numbers(length)]
      const isText = stringAttr(attrs, 'unit') === 'UTF8_CHAR'
      const shape = broadcast(x?.shape ?? [], start?.shape ?? [])
      const [inTexts, inStarts] = [placesIn(x?.shape ?? [], shape), placesIn(start?.shape ?? [], shape)]
      const cut = inTexts.map((at, i) => {
        const from = inStarts[i] ?? 0 // a place for each
        return substring(texts[at] ?? new Uint8Array(), starts[from] ?? 0, lengths[from] ?? 0, isText)
      })
      return [stringTensor(cut, shape)]
    },
    infer: (op) => [typed('string', op.e.broadcast(op.tensor(0).shape, op.tensor(1).shape))],
  },
  RegexReplace: {
    run: ([x, p, r], attrs) =>
      replaceAll(
        x,
        text(strings(p)[0] ?? new Uint8Array()),
        text(strings(r)[0] ?? new Uint8Array()),
        boolAttr(attrs, 'replace_global', true),
      ),
    infer: like('string'),
  },
  StaticRegexReplace: {
    run: ([x], attrs) =>
      replaceAll(
        x,
        stringAttr(attrs, 'pattern'),
        stringAttr(attrs, 'rewrite'),
        boolAttr(attrs, 'replace_global', true),
      ),
    infer: like('string'),
  },
  RegexFullMatch: { run: ([x, p]) => fullMatch(x, text(strings(p)[0] ?? new Uint8Array())), infer: like('bool') },
  StaticRegexFullMatch: { run: ([x], attrs) => fullMatch(x, stringAttr(attrs, 'pattern')), infer: like('bool') },
  StringSplit: {
    run: ([x, d], attrs) =>
      split(strings(x), (row) =>
        splitV1(row, latin1(strings(d)[0] ?? new Uint8Array()), boolAttr(attrs, 'skip_empty', true)),
      ),
    infer: splitTypes,
  },
  StringSplitV2: {
    run: ([x, d], attrs) =>
      split(strings(x), (row) =>
        splitV2(row, latin1(strings(d)[0] ?? new Uint8Array()), numberAttr(attrs, 'maxsplit', -1)),
      ),
    infer: splitTypes,
  },
  EncodeBase64: map((s, attrs) => bytesOf(web64(s, attrs.pad === true))),
  DecodeBase64: map((s) => new Uint8Array(Buffer.from(text(s), 'base64url'))),
  DecodeRaw: {
    run: ([x], attrs) => decodeRaw(x, stringAttr(attrs, 'out_type', 'uint8'), boolAttr(attrs, 'little_endian', true)),
    infer: (op) => [typed(op.attr.dtype('out_type'), [...op.tensor(0).shape, fresh(op)])],
  },
  DecodeCSV: {
    run: decodeCsv,
    infer: (op) => op.inputs.slice(1).map((_, i) => typed(op.tensor(i + 1).dtype, op.tensor(0).shape)),
  },
}
