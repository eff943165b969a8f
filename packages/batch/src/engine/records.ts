import { BatchError } from '../batch-error.ts'
import { type ColumnType, columnTypes } from '../read/table.ts'
import type { RowFailure } from './score-rows.ts'

/** Where reading goes on: in bytes or rows, as the format counts, and which row of the object that is. */
export interface Cursor {
  readonly offset: number
  readonly row: number
  /** Kept columns of the parts so far and their types, which later parts have too: names and types, of results that are tables. */
  readonly columns?: readonly (readonly [name: string, type: ColumnType])[]
}

/** What a chunk's record says. It exists if and only if the chunk is committed. */
export interface ChunkRecord {
  readonly rows: number
  readonly failures: readonly RowFailure[]
  /** The object that holds its rows; `undefined` when none was scored. */
  readonly part: PartRecord | undefined
  /** Where the next chunk starts; `undefined` behind the last. */
  readonly next: Cursor | undefined
  /** Of this chunk and all before it. */
  readonly totalRows: number
  readonly totalFailures: number
}

export interface PartRecord {
  /** Of the store that results are in. */
  readonly key: string
  readonly rows: number
  readonly bytes: number
}

/** What became of a job. Once it exists the job is over. */
export interface Manifest {
  /** `stopped`: too many rows failed. `failed`: the object cannot be read. Neither has parts. */
  readonly status: 'scored' | 'stopped' | 'failed'
  /** Why it is not `scored`. */
  readonly error?: string
  readonly job: string
  readonly input: { readonly url: string; readonly version: string; readonly size: number; readonly modified?: string }
  readonly model: string
  readonly config: string
  readonly format: string
  readonly rows: number
  readonly failures: number
  readonly chunks: number
  readonly parts: readonly PartRecord[]
  /** The object that names each failed row and why; left out when there is none. */
  readonly errors?: string
  readonly finished: string
}

export const encodeJson = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value)}\n`)

/** @throws {BatchError} `bad_object` for bytes that are not ours. */
export function decodeChunkRecord(bytes: Uint8Array, key: string): ChunkRecord {
  const json = decoded(bytes, key)
  const isRecord =
    isCount(json.rows) && isCount(json.totalRows) && isCount(json.totalFailures) && Array.isArray(json.failures)
  const { next, part } = json as { next?: unknown; part?: unknown }
  const isNext =
    next === undefined || (isObject(next) && isCount(next.offset) && isCount(next.row) && areColumns(next.columns))
  const isPart = part === undefined || (isObject(part) && typeof part.key === 'string')
  if (!isRecord || !isNext || !isPart) throw foreign(key)
  return json as unknown as ChunkRecord // looked at above; only this engine writes there
}

/** @throws {BatchError} `bad_object` for bytes that are not ours. */
export function decodeManifest(bytes: Uint8Array, key: string): Manifest {
  const json = decoded(bytes, key)
  const { input, job, status } = json
  if (!isObject(input) || typeof input.url !== 'string' || typeof job !== 'string' || typeof status !== 'string') {
    throw foreign(key)
  }
  return json as unknown as Manifest // looked at above; only this engine writes there
}

function decoded(bytes: Uint8Array, key: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
    if (isObject(json)) return json
  } catch {
    // Falls through to what is said of other foreign bytes.
  }
  throw foreign(key)
}

const foreign = (key: string) => new BatchError('bad_object', `Cannot use ${key}: it was not written by this engine`)
const areColumns = (value: unknown) =>
  value === undefined ||
  (Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string' && columnTypes.has(pair[1])))
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
