import { type FileHandle, open } from 'node:fs/promises'
import { jsKernel } from './kernel/js-kernel.ts'
import type { Kernel, Metric } from './kernel/kernel.ts'
import { maxWasmFileBytes, wasmMemory } from './kernel/wasm-kernel.ts'
import { readIndex } from './read-index.ts'
import { RecallError } from './recall-error.ts'
import { lowestScore } from './top-k.ts'
import type { SearchParams, VectorIndex } from './vector-index.ts'

/** Neighbours of `n` queries, best first. */
export interface SearchResult {
  /** Ids as the index has them, `[n, k]`; -1 behind the last hit. */
  readonly ids: BigInt64Array
  /** Inner products or squared distances, `[n, k]`; float32's lowest or highest value beside an id of -1. */
  readonly scores: Float32Array
}

/** An index ready to be searched. Searches are synchronous; one index serves one thread. */
export interface RecallIndex {
  /** FAISS's name: `IndexIVFFlat`. */
  readonly type: string
  readonly dimension: number
  readonly metric: Metric
  /** Rows. */
  readonly count: number
  /** What scores rows: `js` where WebAssembly cannot be had. */
  readonly kernel: Kernel['kind']
  /**
   * The nearest `k` rows of each query: what `faiss.Index.search` gives for the same file and parameters.
   *
   * @param queries `[n, dimension]`, row by row.
   * @param k At least 1; `n * k` is at most `maxResults`.
   * @throws {RecallError} `invalid_argument`.
   */
  search(queries: Float32Array, n: number, k: number, params?: SearchParams): SearchResult
}

export interface OpenOptions {
  /** What scores rows. Default: `wasm`, or `js` where that cannot be had. */
  readonly kernel?: Kernel['kind']
}

/** Neighbours that one search may ask for over all queries: 100 queries of 10,000. */
export const maxResults = 1_000_000

/**
 * Opens a FAISS index file from its bytes or its path; a file is read once, to where it is searched, and not kept open.
 *
 * @throws {RecallError} `io`; `corrupt_index` for a file that is cut, damaged or contradicts itself; `unsupported_index`
 *   for a type that is not in `indexFormats`; `too_large` from 4 GiB on, or when memory cannot be had.
 */
export async function openIndex(source: Uint8Array | string, options: OpenOptions = {}): Promise<RecallIndex> {
  if (typeof source !== 'string') {
    const { bytes, kernel } = allocate(source.length, options)
    bytes.set(source)
    return recallIndex(kernel())
  }
  let file: FileHandle | undefined
  try {
    file = await open(source)
    const { size } = await file.stat()
    const { bytes, kernel } = allocate(size, options)
    await readAll(file, bytes)
    return recallIndex(kernel())
  } catch (cause) {
    if (cause instanceof RecallError) throw cause
    throw new RecallError(
      'io',
      `Cannot read FAISS index: ${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}`,
      {
        cause,
      },
    )
  } finally {
    await file?.close()
  }
}

/** Node takes at most 2^31 - 1 bytes per read. */
const readBytes = 1 << 30

async function readAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(readBytes, bytes.length - at), at)
    if (bytesRead === 0)
      throw new RecallError('corrupt_index', `Cannot read FAISS index: it became shorter while being read`)
    at += bytesRead
  }
}

function allocate(size: number, options: OpenOptions): { readonly bytes: Uint8Array; readonly kernel: () => Kernel } {
  if (size > maxWasmFileBytes) {
    throw new RecallError('too_large', `Cannot read FAISS index: its ${size} bytes are more than ${maxWasmFileBytes}`)
  }
  try {
    if (options.kernel !== 'js') return wasmMemory(size)
  } catch (cause) {
    // No WebAssembly, no SIMD, or no such memory: plain arrays do, if those can be had.
    if (options.kernel === 'wasm') throw noMemory(size, cause)
  }
  try {
    const bytes = new Uint8Array(size)
    return { bytes, kernel: () => jsKernel(bytes) }
  } catch (cause) {
    throw noMemory(size, cause)
  }
}

const noMemory = (size: number, cause: unknown): RecallError =>
  new RecallError('too_large', `Cannot read FAISS index: no memory for its ${size} bytes`, { cause })

function recallIndex(kernel: Kernel): RecallIndex {
  const index = readIndex(kernel)
  return {
    type: index.type,
    dimension: index.d,
    metric: index.metric,
    count: index.ntotal,
    kernel: kernel.kind,
    search(queries, n, k, params = {}) {
      checkSearch(index, queries, n, k, params)
      return searchAll(index, queries, n, k, params)
    },
  }
}

function checkSearch({ d }: VectorIndex, queries: Float32Array, n: number, k: number, params: SearchParams): void {
  const refuse = (facts: string) => new RecallError('invalid_argument', `Cannot search: ${facts}`)
  if (!Number.isInteger(n) || n < 0 || queries.length !== n * d) {
    throw refuse(`${queries.length} floats are not ${n} queries of dimension ${d}`)
  }
  for (const [name, value] of Object.entries({ k, ...params })) {
    if (value === undefined) continue
    if (!Number.isInteger(value) || value < 1) throw refuse(`${name} is ${value}, not a whole number from 1 on`)
  }
  if (n * k > maxResults) throw refuse(`${n} queries of ${k} neighbours are more than ${maxResults} in all`)
}

function searchAll(
  index: VectorIndex,
  queries: Float32Array,
  n: number,
  k: number,
  params: SearchParams,
): SearchResult {
  const sign = index.metric === 'ip' ? 1 : -1
  const ids = new BigInt64Array(n * k).fill(-1n)
  const scores = new Float32Array(n * k).fill(sign * lowestScore)
  for (let i = 0; i < n; i++) {
    const hits = index.search(queries.subarray(i * index.d, (i + 1) * index.d), k, params)
    for (let rank = 0; rank < hits.count; rank++) {
      ids[i * k + rank] = index.labelOf(hits.positions[rank] as number) // rank < count
      scores[i * k + rank] = sign * (hits.scores[rank] as number)
    }
  }
  return { ids, scores }
}
