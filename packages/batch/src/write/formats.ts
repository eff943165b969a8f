import { ndjsonOutput } from './ndjson.ts'
import type { OutputFormat } from './row-writer.ts'

/** Formats of results, by the name in the configuration. */
export const outputFormats = {
  ndjson: ndjsonOutput,
} as const satisfies { readonly [name: string]: OutputFormat }

export type OutputFormatName = keyof typeof outputFormats

export const outputFormatNames = Object.keys(outputFormats) as readonly OutputFormatName[] // its keys
