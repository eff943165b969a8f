import type { Schema } from './column-type.ts'
import { FeatureStoreError } from './feature-store-error.ts'
import { ItemStore } from './item-store.ts'
import type { ItemView } from './item-view.ts'
import type { ItemBatch, ItemSource } from './source.ts'

export interface ByIdCacheOptions {
  /** Items that are kept, absent ones included; the one not asked for the longest goes first. Default 100,000. */
  readonly maxItems?: number
  /** Milliseconds for which an item is taken to be as it was fetched. Default 60,000. */
  readonly freshMs?: number
  /** Milliseconds to wait for the source; what is known is used then. Default 1000. */
  readonly timeoutMs?: number
  readonly now?: () => number
}

export interface ByIdCacheStatus {
  readonly source: string
  readonly items: number
  readonly hits: number
  readonly misses: number
  /** Items that were used although they were not fresh, because the source did not answer. */
  readonly stale: number
  readonly failure: { readonly message: string; readonly at: number; readonly times: number } | undefined
}

interface Entry {
  readonly key: string
  /** Values in the order of the schema; `undefined` for an item that the source does not have. */
  readonly values: readonly unknown[] | undefined
  readonly fetchedAt: number
}

type Fetched = ReadonlyMap<string, Entry>

/** Items of a catalogue that does not fit into memory, fetched by id when a request needs them and kept for a while. */
export class ByIdCache {
  private readonly source: ItemSource
  private readonly options: Required<ByIdCacheOptions>
  /** In the order of use: a `Map` keeps that of insertion. */
  private readonly entries = new Map<string, Entry>()
  private readonly fetching = new Map<string, Promise<Fetched>>()
  private schema: Schema | undefined
  private counts = { hits: 0, misses: 0, stale: 0 }
  private failure: ByIdCacheStatus['failure']

  /** @throws {FeatureStoreError} `not_supported` for a source that cannot fetch by id. */
  constructor(source: ItemSource, options: ByIdCacheOptions = {}) {
    if (!source.fetch) throw new FeatureStoreError('not_supported', `Cannot fetch items by id from ${source.name}`)
    this.source = source
    this.options = { maxItems: 100_000, freshMs: 60_000, timeoutMs: 1000, now: Date.now, ...options }
  }

  status(): ByIdCacheStatus {
    return { source: this.source.name, items: this.entries.size, ...this.counts, failure: this.failure }
  }

  /**
   * A view of these items alone. Calls that want the same item share one fetch. When the source fails or is slow, items
   * that are known are used as they are and others are missing; see `status`.
   *
   * @throws {FeatureStoreError} What the source threw, while nothing has ever been fetched.
   */
  async view(ids: readonly string[]): Promise<ItemView> {
    const { now, freshMs } = this.options
    const wanted = [...new Set(ids)]
    const freshFrom = now() - freshMs
    const old = wanted.filter((id) => (this.entries.get(id)?.fetchedAt ?? Number.NEGATIVE_INFINITY) <= freshFrom)
    this.counts.hits += wanted.length - old.length
    this.counts.misses += old.length
    // Kept here: what this request found must not be displaced by what it fetches.
    const known = new Map(wanted.map((id) => [id, this.entries.get(id)]))
    if (old.length > 0) await this.fetchAll(old, known)
    if (!this.schema) throw new FeatureStoreError('source_down', this.failure?.message ?? 'Cannot fetch items')
    return this.build(this.schema, wanted, known, freshFrom)
  }

  async close(): Promise<void> {
    await this.source.close?.()
  }

  private build(
    schema: Schema,
    ids: readonly string[],
    known: ReadonlyMap<string, Entry | undefined>,
    freshFrom: number,
  ) {
    const found: Entry[] = []
    for (const id of ids) {
      const entry = known.get(id)
      if (!entry) continue
      if (entry.fetchedAt <= freshFrom) this.counts.stale++
      if (entry.values) found.push(entry)
      this.touch(id)
    }
    const store = new ItemStore(schema, found.length)
    store.add({
      keys: found.map(({ key }) => key),
      columns: schema.columns.map((_, column) => found.map(({ values }) => values?.[column])),
    })
    return store.view()
  }

  private touch(id: string): void {
    const entry = this.entries.get(id)
    if (!entry) return
    this.entries.delete(id)
    this.entries.set(id, entry)
  }

  /** Fetches what nobody is fetching yet, waits for all, and takes over what came. */
  private async fetchAll(ids: readonly string[], known: Map<string, Entry | undefined>): Promise<void> {
    const mine = ids.filter((id) => !this.fetching.has(id))
    if (mine.length > 0) {
      const fetched = this.fetchNow(mine).finally(() => {
        for (const id of mine) this.fetching.delete(id)
      })
      for (const id of mine) this.fetching.set(id, fetched)
    }
    // What came is taken from there: the cache may be too small to have kept all of it.
    for (const fetched of await Promise.all(new Set(ids.map((id) => this.fetching.get(id))))) {
      for (const id of ids) known.set(id, fetched?.get(id) ?? known.get(id))
    }
  }

  private async fetchNow(ids: readonly string[]): Promise<Fetched> {
    const { now, timeoutMs } = this.options
    try {
      const signal = AbortSignal.timeout(timeoutMs)
      const answer = await inTime(this.source.fetch?.(ids, { signal }), signal, `${this.source.name}: ${timeoutMs} ms`)
      this.failure = undefined
      return answer ? this.keep(ids, answer.schema, answer.batch) : new Map()
    } catch (thrown) {
      const { message } = FeatureStoreError.from(thrown, `fetch items from ${this.source.name}`)
      this.failure = { message, at: now(), times: (this.failure?.times ?? 0) + 1 }
      return new Map()
    }
  }

  private keep(ids: readonly string[], schema: Schema, { keys, columns, deleted }: ItemBatch): Fetched {
    const fetched = new Map<string, Entry>()
    const fetchedAt = this.options.now()
    // A source that infers its types may see others now; what was kept under the old ones is fetched again.
    if (this.schema && JSON.stringify(this.schema) !== JSON.stringify(schema)) this.entries.clear()
    this.schema = schema
    const rows = new Map(Array.from(keys, (key, row) => [String(key), row]))
    for (const id of ids) {
      const row = rows.get(id)
      const isThere = row !== undefined && deleted?.[row] !== 1
      const values = isThere ? columns.map((column) => column[row]) : undefined
      const entry = { key: id, values, fetchedAt }
      fetched.set(id, entry)
      this.entries.delete(id)
      this.entries.set(id, entry)
    }
    for (const id of this.entries.keys()) {
      if (this.entries.size <= this.options.maxItems) break
      this.entries.delete(id)
    }
    return fetched
  }
}

/** Rejects when the signal does, whatever the source makes of it. */
async function inTime<T>(answer: Promise<T> | undefined, signal: AbortSignal, what: string): Promise<T | undefined> {
  let onAbort = () => {}
  const late = new Promise<never>((_, reject) => {
    onAbort = () => reject(new FeatureStoreError('source_slow', `Cannot fetch items in time from ${what}`))
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
