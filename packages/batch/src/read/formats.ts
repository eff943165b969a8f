import { oneLine } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import { arrow } from './arrow.ts'
import { csv } from './csv.ts'
import { behind, compressions } from './inflate.ts'
import { ndjson } from './ndjson.ts'
import type { ObjectSource } from './object-source.ts'
import { parquet } from './parquet.ts'
import { delimitedRequests, type RequestFormat, singleRequest } from './requests.ts'
import type { ReadableSource, RowFormat } from './row-block.ts'

/** What an object holds: rows for the model, or requests for the service. */
export type InputFormat =
  | { readonly kind: 'rows'; readonly format: RowFormat }
  | { readonly kind: 'requests'; readonly format: RequestFormat }

/** Formats by the name in the configuration, and how an object's name ends that is one. */
export const inputFormats: { readonly [name: string]: InputFormat & { readonly names: RegExp } } = {
  ndjson: { kind: 'rows', format: ndjson, names: /\.(?:ndjson|jsonl|json)$/i },
  csv: { kind: 'rows', format: csv, names: /\.(?:csv|tsv)$/i },
  parquet: { kind: 'rows', format: parquet, names: /\.(?:parquet|pq)$/i },
  arrow: { kind: 'rows', format: arrow, names: /\.(?:arrow|arrows|ipc|feather)$/i },
  request: { kind: 'requests', format: singleRequest, names: /\.(?:pb|bin)$/i },
  requests: { kind: 'requests', format: delimitedRequests, names: /\.pbs$/i },
}

export const inputFormatNames: readonly string[] = Object.keys(inputFormats)

/**
 * The format of an object: the one that is asked for, or by its name.
 * @throws {BatchError} `unsupported` when its name says nothing.
 */
export function inputFormatOf(key: string, asked: string | undefined): InputFormat {
  const name = asked ?? inputFormatNames.find((known) => inputFormats[known]?.names.test(withoutCompression(key)))
  const format = name === undefined ? undefined : inputFormats[name]
  if (format) return format
  throw new BatchError(
    'unsupported',
    `Cannot tell the format of ${oneLine(key)}: its name does not end like one; formats are ${inputFormatNames.join(', ')}`,
  )
}

/** A name without what says how the object is compressed. */
export const withoutCompression = (key: string): string => key.replace(/\.(?:gz|gzip|zst|zstd)$/i, '')

interface Magic {
  readonly name: string
  /** A byte for each character. */
  readonly magic: string
  /** Whether a text may begin so too, which has no control characters behind. */
  readonly isBinary?: boolean
}

/** What no text has: neither a tab nor the end of a line. */
const isControl = (byte: number) => byte < 9 || (byte > 13 && byte < 32)

/** What rows may not be in, by the bytes that it begins with, none of which a text or a table that is read begins with. */
const foreign: readonly Magic[] = [
  { name: 'Avro', magic: 'Obj\x01' },
  { name: 'ORC', magic: 'ORC', isBinary: true },
  { name: 'bzip2', magic: 'BZh91AY&' },
  { name: 'xz', magic: '\xfd7zXZ\0' },
  { name: 'lz4', magic: '\x04"M\x18' },
  { name: 'snappy', magic: '\xff\x06\0\0sNaP' },
  { name: 'a zip archive', magic: 'PK\x03\x04' },
  { name: 'HDF5', magic: '\x89HDF' },
  { name: 'encrypted Parquet', magic: 'PARE', isBinary: true },
]
/** Tables that are read, under another name. */
const tables: readonly Magic[] = [
  { name: 'parquet', magic: 'PAR1', isBinary: true },
  { name: 'arrow', magic: 'ARROW1', isBinary: true },
]

/**
 * @throws {BatchError} `unsupported` for rows in a format that cannot be read, or in another than is asked for.
 */
function checkHead(head: Uint8Array, { kind, format }: InputFormat): void {
  if (kind !== 'rows') return
  const text = Buffer.from(head).toString('latin1')
  const begins = ({ magic, isBinary }: Magic) =>
    text.startsWith(magic) && (!isBinary || head.subarray(magic.length).some(isControl))
  const other = foreign.find(begins)
  if (other) throw new BatchError('unsupported', `Cannot read the object: it is ${other.name}, which is not supported`)
  const table = format.name === 'ndjson' || format.name === 'csv' ? tables.find(begins) : undefined
  if (table) throw new BatchError('bad_object', `Cannot read the object as ${format.name}: it is ${table.name}`)
}

/**
 * The object and its content without the compression around it, which its first bytes tell.
 * @throws {BatchError} `unsupported` for what is known not to be read.
 */
export async function openSource(source: ObjectSource, input: InputFormat): Promise<ReadableSource> {
  const { size } = source.info
  const head = size > 0 ? await source.read(0, Math.min(size, 8)) : new Uint8Array()
  checkHead(head, input)
  const compression = compressions.find(({ magic }) => magic.every((byte, i) => head[i] === byte))
  return {
    ...source,
    isPlain: !compression,
    content: (offset) => (compression ? behind(compression.inflate(source.stream(0)), offset) : source.stream(offset)),
  }
}
