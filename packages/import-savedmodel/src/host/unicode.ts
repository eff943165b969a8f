import type { Tensor } from '@eas/base'
import { dims, type OutputType } from '@eas/onnx'
import type { Op } from '../op.ts'
import type { HostAttrs, HostTable } from './program.ts'
import {
  allocate,
  boolAttr,
  bytesOf,
  fresh,
  invalid,
  latin1,
  like,
  listAttr,
  numberAttr,
  numbers,
  numericTensor,
  stringAttr,
  strings,
  stringTensor,
  text,
  typed,
} from './values.ts'

/** Characters and n-grams of ragged strings. TF: core/ops/string_ops.cc, kernels/string_ngrams_op.cc (2.16). */

/** Rows of `row_splits`, as starts and ends. */
function rowsOf(splits: Tensor | undefined, count: number): [start: number, end: number][] {
  const ends = numbers(splits)
  return ends.slice(1).map((end, i) => {
    const start = ends[i] ?? 0
    if (start < 0 || end < start || end > count) throw invalid(`row_splits go from ${start} to ${end} of ${count}`)
    return [start, end]
  })
}

const splitsType = (attrs: HostAttrs): 'int32' | 'int64' =>
  stringAttr(attrs, 'Tsplits', 'int64') === 'int32' ? 'int32' : 'int64'

/** @throws {EasError} For encodings of more than a byte per unit. */
function onlyUtf8(attrs: HostAttrs, name: string): void {
  const encoding = stringAttr(attrs, name, 'UTF-8')
  if (encoding !== 'UTF-8') throw invalid(`the encoding ${encoding.slice(0, 40)} is not supported, only UTF-8`)
}

const replacement = 0xfffd

/** What stands for a character: itself, another in its place, or nothing. What cannot be decoded is U+FFFD by now. */
function kept(code: number, attrs: HostAttrs): number | undefined {
  if (code === replacement) {
    const errors = stringAttr(attrs, 'errors', 'replace')
    if (errors === 'strict') throw invalid('a string is not in UTF-8')
    return errors === 'ignore' ? undefined : numberAttr(attrs, 'replacement_char', replacement)
  }
  const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0)
  return isControl && boolAttr(attrs, 'replace_control_characters')
    ? numberAttr(attrs, 'replacement_char', replacement)
    : code
}

/** Characters of each string, and at which byte each starts. */
function decode([x]: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  onlyUtf8(attrs, 'input_encoding')
  const [values, starts, ends] = [[] as number[], [] as number[], [0]]
  for (const s of strings(x)) {
    let start = 0
    for (const c of text(s)) {
      const given = c.codePointAt(0) ?? replacement
      const code = kept(given, attrs)
      if (code !== undefined) {
        values.push(code)
        starts.push(start)
      }
      // A character that stands for bytes that are none is counted as one of them: where it ends is not known any more.
      start += given === replacement ? 1 : Buffer.byteLength(c)
    }
    ends.push(values.length)
  }
  return [numericTensor(splitsType(attrs), ends), numericTensor('int32', values), numericTensor('int64', starts)]
}

const decodeTypes = (op: Op): OutputType[] => {
  const n = fresh(op)
  return [
    typed(op.attr.dtype('Tsplits') ?? 'int64', [dims.add(dims.product(op.tensor(0).shape), 1)]),
    typed('int32', [n]),
    typed('int64', [n]),
  ]
}

/** Surrogates and numbers beyond the last character are none. */
const isCharacter = (code: number): boolean => code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)

function encode([values, splits]: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  onlyUtf8(attrs, 'output_encoding')
  const codes = numbers(values)
  const other = numberAttr(attrs, 'replacement_char', 0xfffd)
  const ignores = stringAttr(attrs, 'errors', 'replace') === 'ignore'
  const written = rowsOf(splits, codes.length).map(([start, end]) => {
    const row = codes.slice(start, end).filter((c) => !ignores || isCharacter(c))
    return bytesOf(row.map((c) => String.fromCodePoint(isCharacter(c) ? c : other)).join(''))
  })
  return [stringTensor(written)]
}

function transcode([x]: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  onlyUtf8(attrs, 'input_encoding')
  onlyUtf8(attrs, 'output_encoding')
  const other = String.fromCodePoint(numberAttr(attrs, 'replacement_char', 0xfffd))
  const controls = boolAttr(attrs, 'replace_control_characters')
  const ignores = stringAttr(attrs, 'errors', 'replace') === 'ignore'
  const written = strings(x).map((s) => {
    const decoded = text(s).replaceAll('\ufffd', ignores ? '' : other)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is meant
    return bytesOf(controls ? decoded.replace(/[\0-\x1f\x7f-\x9f]/g, other) : decoded)
  })
  return [stringTensor(written, x?.shape ?? [])]
}

function ngrams([data, splits]: readonly Tensor[], attrs: HostAttrs): Tensor[] {
  const words = strings(data).map(latin1)
  const widths = listAttr(attrs, 'ngram_widths').map(Number)
  const padWidth = numberAttr(attrs, 'pad_width', 0)
  const separator = stringAttr(attrs, 'separator')
  const [left, right] = [stringAttr(attrs, 'left_pad'), stringAttr(attrs, 'right_pad')]
  const out: string[] = []
  const ends = [0]
  const add = (row: readonly string[], width: number, pad: number, count: number): void => {
    allocate(out.length + count)
    for (let k = 0; k < count; k++) {
      const before = Math.max(0, pad - k)
      const after = Math.max(0, pad - (count - (k + 1)))
      const from = before > 0 ? 0 : k - pad
      const middle = row.slice(from, from + width - before - after)
      const all = [...new Array<string>(before).fill(left), ...middle, ...new Array<string>(after).fill(right)]
      out.push(all.join(separator))
    }
  }
  for (const [start, end] of rowsOf(splits, words.length)) {
    const row = words.slice(start, end)
    const before = out.length
    for (const width of widths) {
      const pad = Math.min(padWidth < 0 ? width - 1 : padWidth, width - 1)
      add(row, width, pad, Math.max(0, row.length + 2 * pad - width + 1))
    }
    // A row too short for any width is one n-gram of its own.
    if (boolAttr(attrs, 'preserve_short_sequences') && out.length === before && row.length > 0)
      add(row, row.length + 2 * Math.max(padWidth, 0), Math.max(padWidth, 0), 1)
    ends.push(out.length)
  }
  return [stringTensor(out.map((n) => bytesOf(n, 'latin1'))), numericTensor(splitsType(attrs), ends)]
}

export const unicodeOps: HostTable = {
  UnicodeDecode: {
    run: (inputs, attrs) => decode(inputs, attrs).slice(0, 2),
    infer: (op) => decodeTypes(op).slice(0, 2),
  },
  UnicodeDecodeWithOffsets: { run: decode, infer: decodeTypes },
  UnicodeEncode: { run: encode, infer: (op) => [typed('string', [fresh(op)])] },
  UnicodeTranscode: { run: transcode, infer: like('string') },
  StringNGrams: {
    run: ngrams,
    infer: (op) => [typed('string', [fresh(op)]), typed(op.tensor(1).dtype, op.tensor(1).shape)],
  },
}
