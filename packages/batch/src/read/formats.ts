import { BatchError } from '../batch-error.ts'
import { type CsvOptions, csv } from './csv.ts'
import { behind, compressions } from './inflate.ts'
import { ndjson } from './ndjson.ts'
import type { ObjectSource } from './object-source.ts'
import type { ReadableSource, RowFormat } from './row-block.ts'

/** Formats of rows, by the name in the configuration, and how an object's name ends that is one. */
export const inputFormats: { readonly [name: string]: { readonly format: RowFormat; readonly names: RegExp } } = {
  ndjson: { format: ndjson, names: /\.(?:ndjson|jsonl|json)$/i },
  csv: { format: csv, names: /\.(?:csv|tsv)$/i },
}

export const inputFormatNames: readonly string[] = Object.keys(inputFormats)

/** An object, what is in it, and its content without the compression around it. */
export interface OpenedSource {
  readonly source: ReadableSource
  readonly format: RowFormat
}

/**
 * Finds out how an object is compressed, by its first bytes, and its format: the one that is asked for, or by its name.
 * @throws {BatchError} `unsupported` when its name says nothing.
 */
export async function openSource(
  source: ObjectSource,
  asked: string | undefined,
  csvOptions: CsvOptions,
): Promise<OpenedSource> {
  const { key, size } = source.info
  const head = size > 0 ? await source.read(0, Math.min(size, 8)) : new Uint8Array()
  const compression = compressions.find(({ magic }) => magic.every((byte, i) => head[i] === byte))
  const format = asked === undefined ? formatOf(key) : inputFormats[asked]?.format
  if (!format) {
    throw new BatchError(
      'unsupported',
      `Cannot tell the format of ${key}: its name ends like none of ${Object.keys(inputFormats).join(', ')}; say which it is`,
    )
  }
  return {
    format,
    source: {
      ...source,
      isPlain: !compression,
      csv: csvOptions,
      content: (offset) =>
        compression ? behind(compression.inflate(source.stream(0)), offset) : source.stream(offset),
    },
  }
}

function formatOf(key: string): RowFormat | undefined {
  const name = key.replace(/\.(?:gz|gzip|zst|zstd)$/i, '')
  return Object.values(inputFormats).find(({ names }) => names.test(name))?.format
}
