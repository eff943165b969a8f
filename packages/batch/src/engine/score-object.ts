import { oneLine } from '@eas/base'
import { type ObjectInfo, type ObjectStore, StoreError } from '@eas/storage'
import { BatchError, reasonOf } from '../batch-error.ts'
import type { Clock } from '../clock.ts'
import { batchLimits } from '../limits.ts'
import { commitManifest, findManifest } from './manifests.ts'
import { digest, jobId, resultNames } from './names.ts'
import {
  type ChunkRecord,
  type Cursor,
  decodeChunkRecord,
  encodeJson,
  type Manifest,
  type PartRecord,
} from './records.ts'
import { type ResultStore, resultStore } from './result-store.ts'
import { isOutside } from './retry.ts'
import type { RowFailure } from './score-rows.ts'
import { OutOfTime } from './time-limit.ts'

/** One version of one object, opened for reading, with what scores it. */
export interface OpenedObject {
  /**
   * Scores the rows from the cursor on, as many as a chunk has: always the same rows for the same cursor, unless time is over
   * before; then as many as are scored by then.
   * @throws {OutOfTime} when those are none.
   */
  chunk(from: Cursor): Promise<MadeChunk>
  close(): Promise<void>
}

export interface MadeChunk {
  readonly rows: number
  readonly failures: readonly RowFailure[]
  /** The rows that did not fail, written in the output's format; `undefined` when there is none. */
  readonly body: Uint8Array | undefined
  /** `undefined` behind the last row. */
  readonly next: Cursor | undefined
}

export interface ScoreObjectOptions {
  readonly input: { readonly store: ObjectStore; readonly key: string }
  /** `root` is a key's beginning, without a slash at its end. */
  readonly output: { readonly store: ObjectStore; readonly root: string }
  readonly model: string
  readonly config: string
  readonly format: OutputName
  readonly failures: FailureRule
  readonly clock: Clock
  /** Milliseconds since 1970; no chunk is begun that would not be over by then. */
  readonly stopAt: number
  readonly signal: AbortSignal
  open(info: ObjectInfo): Promise<OpenedObject>
  onProgress?(progress: Progress): void
}

export interface OutputName {
  readonly name: string
  readonly extension: string
  readonly contentType: string
}

/** A job is stopped when more rows fail than `count`, and than `share` of those read. */
export interface FailureRule {
  readonly count: number
  readonly share: number
}

/** After each chunk. */
export interface Progress {
  readonly rows: number
  readonly failures: number
  /** Rows that this attempt computed; the others were found done. */
  readonly computedRows: number
  /** Where the next chunk starts, in bytes or rows as the format counts; `undefined` at the end. */
  readonly offset: number | undefined
}

export type ObjectOutcome =
  | {
      readonly status: 'done'
      readonly manifest: Manifest
      /** In the output's store. */
      readonly manifestKey: string
      /** By this attempt. */
      readonly computedChunks: number
    }
  | { readonly status: 'unfinished'; readonly chunks: number; readonly rows: number }
  | { readonly status: 'missing' }

/** Attempts at an object that is replaced while it is read; then the next delivery has a try. */
const replacedMax = 5

/** Tries at a chunk that fails for a reason that lies neither outside nor, as far as is known, in the object. */
const triesMax = 3
/** Before the second try; longer before the third. */
const tryDelayMs = 1000

/**
 * Brings the result of one object to where results go, from wherever an earlier attempt left it. Any number of attempts may
 * be under way at once, and each may end anywhere. What counts is done by creating an object under a name that only one can
 * create:
 *
 * - A chunk is committed by its record. Another attempt finds it and goes on behind it.
 * - A job is committed by a manifest with the next number. Its writer has looked at the numbers, then at the object, and
 *   found the version that it has scored still there; if another manifest came first the number is taken, and it looks
 *   again. So the highest number is of the newest version, however late an event about an older one comes.
 *
 * An event only says that there is something at a key: what is scored is what stands there now.
 *
 * @throws {StoreError} or what the model throws, when this attempt could not go on. The next one does.
 */
export async function scoreObject(options: ScoreObjectOptions): Promise<ObjectOutcome> {
  for (let replaced = 1; ; replaced++) {
    try {
      return await scoreVersion(options)
    } catch (thrown) {
      if (!(thrown instanceof StoreError && thrown.code === 'changed') || replaced >= replacedMax) throw thrown
    }
  }
}

async function scoreVersion(options: ScoreObjectOptions): Promise<ObjectOutcome> {
  const { input, output, model, config, clock, signal } = options
  const inputs = resultStore(input.store, clock, signal)
  const info = await inputs.head(input.key)
  if (!info) return { status: 'missing' }
  const { version, size, modified } = info
  const url = `${input.store.url}/${input.key}`
  const job = jobId({ store: input.store.url, key: input.key, version }, model, config)
  const store = resultStore(output.store, clock, signal)
  const names = resultNames(output.root, input.key, job)

  const { found } = await findManifest(store, names, job, { url, version })
  if (found) return { status: 'done', manifest: found.manifest, manifestKey: found.key, computedChunks: 0 }

  const work = new ObjectWork(options, store, names)
  const ended = await work.run(info)
  if (ended.status === 'unfinished') return { status: 'unfinished', chunks: work.chunks, rows: work.rows }
  const parts = ended.status === 'scored' ? await work.parts() : []
  const errors = await work.writeErrors()
  const manifest: Manifest = {
    ...ended,
    job,
    input: { url, version, size, ...(modified && { modified: modified.toISOString() }) },
    model,
    config,
    format: options.format.name,
    rows: work.rows,
    failures: work.failures,
    chunks: work.chunks,
    parts,
    ...(errors !== undefined && { errors }),
    finished: new Date(clock.now()).toISOString(),
  }
  const committed = await commitManifest(store, names, manifest, () => inputs.head(input.key))
  return {
    status: 'done',
    manifest: committed.manifest,
    manifestKey: committed.key,
    computedChunks: work.computedChunks,
  }
}

type Ended =
  | { readonly status: 'unfinished' }
  | { readonly status: 'scored' }
  | { readonly status: 'stopped' | 'failed'; readonly error: string }

/** The chunks of one job, one after the other. */
class ObjectWork {
  computedChunks = 0
  private computedRows = 0
  private longestMs = 0
  /** Records that this attempt has seen, by their index. */
  private readonly records = new Map<number, ChunkRecord>()
  private last: ChunkRecord | undefined
  private readonly options: ScoreObjectOptions
  private readonly store: ResultStore
  private readonly names: ReturnType<typeof resultNames>
  chunks = 0

  constructor(options: ScoreObjectOptions, store: ResultStore, names: ReturnType<typeof resultNames>) {
    this.options = options
    this.store = store
    this.names = names
  }

  get rows(): number {
    return this.last?.totalRows ?? 0
  }

  get failures(): number {
    return this.last?.totalFailures ?? 0
  }

  async run(info: ObjectInfo): Promise<Ended> {
    const { clock, signal } = this.options
    for (let tries = 1, chunk = -1; ; tries++) {
      try {
        return await this.attempt(info)
      } catch (thrown) {
        // First: what is cut off by the signal may look like an object that ends too early.
        if (thrown instanceof OutOfTime || signal.aborted) return { status: 'unfinished' }
        if (thrown instanceof BatchError) return { status: 'failed', error: oneLine(thrown.message, 1000) }
        if (isOutside(thrown)) throw thrown
        // Nobody has foreseen it. Should every try end so, nothing is won by having the object delivered for ever.
        if (chunk !== this.chunks) tries = 1
        chunk = this.chunks
        if (tries >= triesMax) {
          const reason = `Cannot score chunk ${chunk}, from row ${this.rows} on, in ${triesMax} tries: ${reasonOf(thrown)}`
          return { status: 'failed', error: oneLine(reason, 1000) }
        }
        try {
          await clock.sleep(tryDelayMs * tries, signal)
        } catch {
          return { status: 'unfinished' }
        }
      }
    }
  }

  private async attempt(info: ObjectInfo): Promise<Ended> {
    const { clock, stopAt, signal } = this.options
    await this.resume()
    let opened: OpenedObject | undefined
    try {
      for (;;) {
        const stop = this.stopped()
        if (stop !== undefined) return { status: 'stopped', error: stop }
        const cursor = this.last ? this.last.next : start
        if (!cursor) return this.whole()
        const begun = clock.now()
        // As long as the longest so far.
        if (signal.aborted || begun + this.longestMs * 1.25 >= stopAt) return { status: 'unfinished' }
        opened ??= await this.options.open(info)
        await this.commit(await opened.chunk(cursor))
        this.longestMs = Math.max(this.longestMs, clock.now() - begun)
        this.report()
      }
    } finally {
      await opened?.close()
    }
  }

  /** The parts of a job whose chunks are all there. What attempts have left that ended before they had recorded it goes. */
  async parts(): Promise<PartRecord[]> {
    const parts: PartRecord[] = []
    for (let index = 0; index < this.chunks; index++) {
      const { part } = await this.record(index)
      if (part) parts.push(part)
    }
    await this.store.tidyOthers(this.names.partPrefix, new Set(parts.map(({ key }) => key)))
    return parts
  }

  /** @returns where, if there is anything to say. */
  async writeErrors(): Promise<string | undefined> {
    if (this.failures === 0) return undefined
    // Bytes, a chunk at a time: of a large object they may be more than a text can be.
    const lines: Uint8Array[] = []
    for (let index = 0; index < this.chunks; index++) {
      const { failures } = await this.record(index)
      lines.push(Buffer.from(failures.map((failure) => `${JSON.stringify(failure)}\n`).join('')))
    }
    // Made of committed records alone, so whoever wrote it before wrote the same.
    await this.store.create(this.names.errors, Buffer.concat(lines), 'application/x-ndjson')
    return this.names.errors
  }

  private async resume(): Promise<void> {
    const highest = await this.store.highest(this.names.chunkPrefix, this.names.chunk, 0)
    this.chunks = highest + 1
    if (highest >= 0) this.last = await this.record(highest)
    if (highest >= 0) this.report()
  }

  /** Commits a chunk, or takes over what another attempt has committed. */
  private async commit({ rows, failures, body, next }: MadeChunk): Promise<void> {
    const { store, names } = this
    const { format } = this.options
    const index = this.chunks
    let part: PartRecord | undefined
    if (body) {
      const key = names.part(index, digest(body), format.extension)
      await store.create(key, body, format.contentType)
      part = { key, rows: rows - failures.length, bytes: body.length }
    }
    let record: ChunkRecord = {
      rows,
      failures,
      part,
      next,
      totalRows: this.rows + rows,
      totalFailures: this.failures + failures.length,
    }
    this.computedChunks++
    this.computedRows += rows
    if (!(await store.create(names.chunk(index), encodeJson(record)))) {
      record = await this.record(index)
      if (part && record.part?.key !== part.key) await store.tidy(part.key)
    }
    this.records.set(index, record)
    this.last = record
    this.chunks++
  }

  private async record(index: number): Promise<ChunkRecord> {
    const known = this.records.get(index)
    if (known) return known
    const key = this.names.chunk(index)
    const bytes = await this.store.read(key)
    if (!bytes) throw new StoreError('changed', `Cannot read ${key}: it has been removed`)
    const record = decodeChunkRecord(bytes, key)
    this.records.set(index, record)
    return record
  }

  private stopped(): string | undefined {
    const { count, share } = this.options.failures
    if (this.failures <= count || this.failures <= share * this.rows) return undefined
    return `${this.failures} of ${this.rows} rows failed: ${this.firstFailure()}`
  }

  /** Rows of which none could be scored are not what was meant. */
  private whole(): Ended {
    if (this.rows === 0 || this.failures < this.rows) return { status: 'scored' }
    return { status: 'stopped', error: `All ${this.rows} rows failed: ${this.firstFailure()}` }
  }

  private firstFailure(): string {
    const failure = [...this.records.values()].flatMap(({ failures }) => failures)[0]
    return failure ? oneLine(`row ${failure.row}: ${failure.error}`, batchLimits.reasonChars) : 'see the errors'
  }

  private report(): void {
    const { rows, failures, computedRows, last } = this
    this.options.onProgress?.({ rows, failures, computedRows, offset: last?.next?.offset })
  }
}

const start: Cursor = { offset: 0, row: 0 }
