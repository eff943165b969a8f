import { arrowOutput } from './arrow.ts'
import { csvOutput } from './csv.ts'
import { ndjsonOutput } from './ndjson.ts'
import { parquetOutput } from './parquet.ts'
import type { OutputFormat } from './row-writer.ts'

/** Formats of results, by the name in the configuration. */
export const outputFormats = {
  ndjson: ndjsonOutput,
  csv: csvOutput,
  parquet: parquetOutput,
  arrow: arrowOutput,
} as const satisfies { readonly [name: string]: OutputFormat }

export type OutputFormatName = keyof typeof outputFormats

export const outputFormatNames = Object.keys(outputFormats) as readonly OutputFormatName[] // its keys
