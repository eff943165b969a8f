import { oneLine } from '@eas/base'
import { BatchError } from '../batch-error.ts'
import { arrow } from './arrow.ts'
import { type CsvOptions, csv } from './csv.ts'
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
    `Cannot tell the format of ${oneLine(key)}: its name does not end like one; it may be ${inputFormatNames.join(', ')}`,
  )
}

/** A name without what says how the object is compressed. */
export const withoutCompression = (key: string): string => key.replace(/\.(?:gz|gzip|zst|zstd)$/i, '')

/** The object and its content without the compression around it, which its first bytes tell. */
export async function openSource(source: ObjectSource, csvOptions: CsvOptions): Promise<ReadableSource> {
  const { size } = source.info
  const head = size > 0 ? await source.read(0, Math.min(size, 8)) : new Uint8Array()
  const compression = compressions.find(({ magic }) => magic.every((byte, i) => head[i] === byte))
  return {
    ...source,
    isPlain: !compression,
    csv: csvOptions,
    content: (offset) => (compression ? behind(compression.inflate(source.stream(0)), offset) : source.stream(offset)),
  }
}
