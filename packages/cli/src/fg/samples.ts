import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ItemTable } from '@eas/fg'
import { fileError } from '../read-file.ts'
import { jsonSamples } from './json-samples.ts'
import { logSample } from './log-samples.ts'
import type { Sample } from './sample.ts'
import { tableSamples } from './table-samples.ts'

export interface SampleOptions {
  /** Column that names rows. */
  readonly key: string
  /** The item cache, as a request takes it. */
  readonly items: () => ItemTable | undefined
  /** `cand_seq_pk` of model_acc.json. */
  readonly candidateSequence: string | undefined
  /** Rows to read at most; a request is read whole. */
  readonly limit: number
}

/** What a file is, by the end of its name; any other is a protobuf message. */
const formats: readonly (readonly [RegExp, (file: string, options: SampleOptions) => AsyncIterable<Sample>])[] = [
  [/\.(?:ndjson|jsonl|json)$/i, jsonSamples],
  [/\.(?:parquet|csv)$/i, tableSamples],
]

/** Samples of a file, or of every file in a folder, in the order of their names. */
export async function* readSamples(place: string, options: SampleOptions): AsyncGenerator<Sample, void, void> {
  let rows = 0
  for (const file of await filesIn(place)) {
    const read = formats.find(([ending]) => ending.test(file))?.[1]
    const limit = options.limit - rows
    for await (const sample of read ? read(file, { ...options, limit }) : [await logSample(file, options)]) {
      yield sample
      rows += sample.names.length
      if (rows >= options.limit) return
    }
  }
}

async function filesIn(place: string): Promise<readonly string[]> {
  try {
    if (!(await stat(place)).isDirectory()) return [place]
    const entries = await readdir(place, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  } catch (cause) {
    throw fileError('read', place, cause)
  }
}
