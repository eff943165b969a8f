import { type GraphBuilder, refuse, toBytes, type Value } from '@eas/onnx'
import type { Attrs } from './graph-def.ts'
import type { TableItem } from './item.ts'

/** Lines of one vocabulary file. */
const maxLines = 2 ** 24

/** Which part of a line is meant: its number, all of it, or a column. @see core/kernels/lookup_util.h TextFileLineIterator */
const lineNumber = -1
const wholeLine = -2

/** The table that a text file fills: a key and a value per line. */
export function readVocabulary(
  g: GraphBuilder,
  table: TableItem,
  bytes: Uint8Array,
  attrs: Attrs,
  where: string,
): { keys: Value; values: Value } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const limit = attrs.int('vocab_size', -1)
  const offset = attrs.int('offset', 0)
  const delimiter = attrs.string('delimiter', '\t')
  const lines: string[] = []
  // latin1 keeps every byte, whatever the file's encoding.
  for (const line of text.toString('latin1').split('\n')) lines.push(line.endsWith('\r') ? line.slice(0, -1) : line)
  if (lines.at(-1) === '') lines.pop()
  const used = lines.slice(0, limit > 0 ? limit : lines.length)
  if (used.length > maxLines) throw refuse(`the vocabulary has ${used.length} lines`, where)
  const part = (index: number): Value => {
    const dtype = index === attrs.int('key_index', wholeLine) ? table.keyType : table.valueType
    const cells = used.map((line, i) =>
      index === lineNumber ? String(i + offset) : index === wholeLine ? line : (line.split(delimiter)[index] ?? ''),
    )
    if (dtype === 'string')
      return {
        dtype,
        shape: [cells.length],
        content: { strings: cells.map((c) => new Uint8Array(Buffer.from(c, 'latin1'))) },
      }
    const numbers = cells.map(Number)
    if (numbers.some(Number.isNaN)) throw refuse('the vocabulary has words where numbers are meant', where)
    const type =
      dtype === 'int32' || dtype === 'int64' || dtype === 'float32' || dtype === 'float64' ? dtype : undefined
    if (!type) throw refuse(`a table of ${dtype} cannot be read from a file`, where)
    return g.constant(type, [numbers.length], { bytes: toBytes(type, numbers) })
  }
  return { keys: part(attrs.int('key_index', wholeLine)), values: part(attrs.int('value_index', lineNumber)) }
}
