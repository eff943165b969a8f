import type { ColumnMetaData, CompressionCodec, SchemaTree } from 'hyparquet'
import type { ColumnDecoder } from 'hyparquet/src/types.js'
import { parsers } from './convert.ts'

/** What undoes each compression: bytes, and the number there are without it. */
export type Compressors = { readonly [C in CompressionCodec]?: (input: Uint8Array, outputLength: number) => Uint8Array }

/**
 * A column whose cells are values, or lists of values, and how its levels say so: an entry's definition level is below
 * `list` where the row has no list, below `entry` where its list is empty, and below `value` where the entry is null.
 *
 * @see Apache Parquet "Nested Encoding", "Logical Types: Lists"
 */
export interface Leaf {
  readonly isList: boolean
  readonly definition: { readonly list: number; readonly entry: number; readonly value: number }
  readonly decoder: ColumnDecoder
}

/** `undefined` for a column that is nested in another way: lists of lists, structs, maps. */
export function leafOf(
  root: SchemaTree,
  column: SchemaTree,
  metadata: ColumnMetaData,
  compressors: Compressors,
): Leaf | undefined {
  const path = pathTo(column)
  const leaf = path?.at(-1)
  if (!path || !leaf) return undefined
  const nullable = path.map(({ element }) => (element.repetition_type === 'REQUIRED' ? 0 : 1))
  const repeated = path.findIndex(({ element }) => element.repetition_type === 'REPEATED')
  const upTo = (end: number) => nullable.slice(0, end).reduce<number>((sum, level) => sum + level, 0)
  const decoder: ColumnDecoder = {
    pathInSchema: leaf.path,
    type: metadata.type,
    element: leaf.element,
    schemaPath: [root, ...path],
    codec: metadata.codec,
    parsers,
    compressors,
  }
  const value = upTo(path.length)
  if (repeated < 0) return { isList: false, definition: { list: 0, entry: 0, value }, decoder }
  return { isList: true, definition: { list: upTo(repeated), entry: upTo(repeated + 1), value }, decoder }
}

/** From the column to what holds its values, where there is nothing but a list between. */
function pathTo(column: SchemaTree): SchemaTree[] | undefined {
  const [repeated, ...others] = column.children
  if (!repeated) return [column]
  const { repetition_type, converted_type, logical_type } = column.element
  const isList = converted_type === 'LIST' || logical_type?.type === 'LIST'
  if (!isList || others.length > 0 || repetition_type === 'REPEATED') return undefined
  if (repeated.element.repetition_type !== 'REPEATED') return undefined
  const [entry, ...more] = repeated.children
  // The two-level lists of old writers have no group around an entry.
  if (!entry) return [column, repeated]
  const isValue = entry.children.length === 0 && entry.element.repetition_type !== 'REPEATED'
  return isValue && more.length === 0 ? [column, repeated, entry] : undefined
}
