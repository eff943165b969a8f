import { setImmediate } from 'node:timers/promises'
import type { Schema } from './column-type.ts'
import { valueAt } from './columns/column.ts'
import { badData, FeatureStoreError, type FeatureStoreErrorCode } from './feature-store-error.ts'
import { ItemStore } from './item-store.ts'
import type { ItemView } from './item-view.ts'
import type { ItemBatch, ItemSource } from './source.ts'

/** Items that are kept up to date, on this thread or another. */
export interface Items {
  /** The items, or `undefined` while there are none. A request takes it once and keeps it. */
  current(): ItemView | undefined
  status(): ItemCacheStatus
  /**
   * Brings the items up to date, or as far as the budget goes. Calls at the same time share the work. Never rejects: see
   * `status().failure`.
   *
   * @param budgetMs Milliseconds to spend. Default: until it is done.
   * @returns Whether the items are now those of the source.
   */
  refresh(options?: { readonly budgetMs?: number }): Promise<boolean>
  /** Refreshes every `intervalMs` from now on, without keeping the process alive. */
  start(intervalMs: number): void
  stop(): void
  /** Ends the timer and the source's connections. The items stay. */
  close(): Promise<void>
}

export interface ItemCacheOptions {
  /** Columns that must be there; a snapshot without one is refused. */
  readonly requiredColumns?: readonly string[]
  /** A snapshot of fewer items is refused. Default 1: an empty one is somebody's mistake. */
  readonly minItems?: number
  /** A snapshot of fewer items than this share of the present one is refused. Default 0. */
  readonly minShare?: number
  /** Bytes of one snapshot; a larger one is refused. While one replaces another both are there. Default: no limit. */
  readonly maxBytes?: number
  /** Milliseconds without anything from the source after which it is given up for this time. Default 60,000. */
  readonly stallMs?: number
  /** The clock, in milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Told whenever `current()` has become another view. */
  readonly onChange?: (view: ItemView) => void
}

/** How a cache is, for people and probes. */
export interface ItemCacheStatus {
  readonly source: string
  /** `empty` until the first snapshot is in; then `ready`, whatever happens to the source. */
  readonly state: 'empty' | 'ready'
  readonly version: string | undefined
  readonly items: number
  readonly bytes: number
  /** Rows of a snapshot that is being loaded aside. */
  readonly loadingRows: number | undefined
  /** When the present items were last known to be those of the source. */
  readonly checkedAt: number | undefined
  /** When they last changed. */
  readonly changedAt: number | undefined
  /** Why the last attempt failed, until one succeeds. */
  readonly failure:
    | { readonly code: FeatureStoreErrorCode; readonly message: string; readonly at: number; readonly times: number }
    | undefined
}

/** Rows that are added between two turns of the event loop: a millisecond or two. */
const rowsPerTurn = 2000

/**
 * The items of a source, in memory. Requests read `current()`; `refresh` brings it up to date: a snapshot is loaded aside
 * and takes the present one's place when it is complete, increments are added a chunk at a time. Whatever fails, the last
 * good items stay, and `status` says so.
 *
 * Refreshing advances only while somebody waits for it, so that on a platform that freezes between requests it rides on
 * them: `await cache.refresh({ budgetMs: 20 })` does as much as fits and the next call goes on from there.
 */
export class ItemCache implements Items {
  private readonly source: ItemSource
  private readonly options: ItemCacheOptions
  private readonly now: () => number
  private store: ItemStore | undefined
  private view: ItemView | undefined
  private version: string | undefined
  private position: string | undefined
  private checkedAt: number | undefined
  private changedAt: number | undefined
  private failure: ItemCacheStatus['failure']
  private loading: ItemStore | undefined
  /** The refresh under way, suspended between calls. */
  private work: Work | undefined
  private timer: NodeJS.Timeout | undefined
  private driving: Promise<boolean> | undefined

  /** @throws {FeatureStoreError} `not_supported` for a source that gives items by id alone. */
  constructor(source: ItemSource, options: ItemCacheOptions = {}) {
    if (!source.snapshot) throw new FeatureStoreError('not_supported', `Cannot load all items of ${source.name}`)
    this.source = source
    this.options = options
    this.now = options.now ?? Date.now
  }

  current(): ItemView | undefined {
    return this.view
  }

  status(): ItemCacheStatus {
    return {
      source: this.source.name,
      state: this.view ? 'ready' : 'empty',
      version: this.version,
      items: this.view?.items ?? 0,
      bytes: this.store?.bytes ?? 0,
      loadingRows: this.loading?.rows,
      checkedAt: this.checkedAt,
      changedAt: this.changedAt,
      failure: this.failure,
    }
  }

  async refresh({ budgetMs = Number.POSITIVE_INFINITY } = {}): Promise<boolean> {
    const until = this.now() + budgetMs
    for (;;) {
      this.driving ??= this.drive(until).finally(() => {
        this.driving = undefined
      })
      const isDone = await this.driving
      // Another's budget may have been smaller than ours.
      if (isDone || this.now() >= until || this.work === undefined) return isDone
    }
  }

  start(intervalMs: number): void {
    this.stop()
    this.timer = setInterval(() => void this.refresh(), intervalMs)
    this.timer.unref()
  }

  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  async close(): Promise<void> {
    this.stop()
    this.endWork()
    await this.source.close?.()
  }

  private async drive(until: number): Promise<boolean> {
    this.work ??= this.begin()
    const { work } = this
    try {
      for (;;) {
        work.pending ??= work.steps.next()
        const step = await this.inTime(work.pending, work, until)
        if (step === 'later') return false
        work.pending = undefined
        work.silentMs = 0
        if (step.done) break
        if (this.now() >= until) return false
      }
      this.work = undefined
      this.failure = undefined
      this.checkedAt = this.now()
      return true
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  private begin(): Work {
    const abort = new AbortController()
    return { abort, steps: this.steps(abort.signal), pending: undefined, silentMs: 0 }
  }

  /** Waits for a step until the budget ends, when it is `later`, or the source has been silent for too long. */
  private async inTime<T>(pending: Promise<T>, work: Work, until: number): Promise<T | 'later'> {
    const { stallMs = 60_000 } = this.options
    const since = this.now()
    const patience = stallMs - work.silentMs
    const isLast = until - since > patience
    let timer: NodeJS.Timeout | undefined
    const alarm = new Promise<'later'>((resolve, reject) => {
      const giveUp = () => {
        const facts = `nothing came for ${stallMs} ms`
        reject(new FeatureStoreError('source_slow', `Cannot load items from ${this.source.name}: ${facts}`))
      }
      const waitMs = Math.max(0, Math.min(until - since, patience, 2 ** 31 - 1))
      timer = setTimeout(isLast ? giveUp : () => resolve('later'), waitMs)
    })
    try {
      return await Promise.race([pending, alarm])
    } finally {
      clearTimeout(timer)
      work.silentMs += this.now() - since
    }
  }

  private fail(thrown: unknown): void {
    const doing = `load items from ${this.source.name}`
    const { code, message: told } = FeatureStoreError.from(thrown, doing)
    // What is wrong with the items themselves was found without knowing whose they are.
    const message = told.replace(/^Cannot load items: /, () => `Cannot ${doing}: `)
    this.failure = { code, message, at: this.now(), times: (this.failure?.times ?? 0) + 1 }
    this.endWork()
  }

  private endWork(): void {
    const { work } = this
    this.work = undefined
    this.loading = undefined
    if (!work) return
    work.abort.abort()
    work.pending?.catch(() => {}) // told already, or of no interest any more
    void work.steps.return().catch(() => {})
  }

  /** One refresh, suspended after every chunk. */
  private async *steps(signal: AbortSignal): AsyncGenerator<void, void, void> {
    const snapshot = await this.source.snapshot?.(this.version, { signal })
    if (snapshot) {
      const store = new ItemStore(snapshot.schema, snapshot.expectedRows)
      this.loading = store
      this.checkColumns(snapshot.schema)
      for await (const batch of snapshot.batches) yield* this.addChunks(store, batch)
      store.seal()
      this.checkItems(store.view().items)
      if (signal.aborted) return
      this.loading = undefined
      this.store = store
      this.version = snapshot.version
      this.position = snapshot.position
      this.publish(store)
    }
    yield
    yield* this.applyChanges(signal)
  }

  private async *applyChanges(signal: AbortSignal): AsyncGenerator<void, void, void> {
    const { source } = this
    if (!source.changes || this.position === undefined || !this.store) return
    for await (const batch of source.changes(this.position, this.store.schema, { signal })) {
      for (let start = 0; start < batch.keys.length; start += rowsPerTurn) {
        const end = Math.min(start + rowsPerTurn, batch.keys.length)
        if (this.store.isFull(end - start)) yield* this.rewrite()
        yield* turns(this.store.prepare(end - start))
        if (signal.aborted) return
        this.store.add(batch, start, end)
        this.publish(this.store)
        yield
        await setImmediate()
      }
      this.position = batch.position ?? this.position
    }
  }

  private async *addChunks(store: ItemStore, batch: ItemBatch): AsyncGenerator<void, void, void> {
    const { maxBytes = Number.POSITIVE_INFINITY } = this.options
    for (let start = 0; start < batch.keys.length; start += rowsPerTurn) {
      const end = Math.min(start + rowsPerTurn, batch.keys.length)
      yield* turns(store.prepare(end - start))
      store.add(batch, start, end)
      if (store.bytes > maxBytes) {
        throw new FeatureStoreError('too_large', `Cannot load items: they take more than ${maxBytes} bytes`)
      }
      yield
      await setImmediate()
    }
  }

  /** Copies the items without what is superseded. */
  private async *rewrite(): AsyncGenerator<void, void, void> {
    const { view } = this
    if (!view) return
    const copy = new ItemStore(view.schema, view.items)
    for (const batch of liveBatches(view)) yield* this.addChunks(copy, batch)
    copy.seal()
    this.store = copy
    this.publish(copy)
  }

  private publish(store: ItemStore): void {
    const view = store.view()
    this.view = view
    this.changedAt = this.now()
    this.options.onChange?.(view)
  }

  private checkColumns({ columns }: Schema): void {
    const missing =
      this.options.requiredColumns?.filter((name) => !columns.some((column) => column.name === name)) ?? []
    if (missing.length > 0) throw badData(`there is no column ${missing.join(', ')}`)
  }

  private checkItems(items: number): void {
    const { minItems = 1, minShare = 0 } = this.options
    const least = Math.max(minItems, Math.ceil(minShare * (this.view?.items ?? 0)))
    if (items < least) {
      throw new FeatureStoreError(
        'too_few_items',
        `Cannot take a snapshot of ${items} items: at least ${least} are expected`,
      )
    }
  }
}

interface Work {
  readonly abort: AbortController
  readonly steps: AsyncGenerator<void, void, void>
  pending: Promise<IteratorResult<void, void>> | undefined
  /** Milliseconds that were waited for the pending step; those that a platform stood still do not count. */
  silentMs: number
}

/** A step after each of which other work has its turn. */
async function* turns(steps: Generator<void, void, void>): AsyncGenerator<void, void, void> {
  for (const step of steps) {
    yield step
    await setImmediate()
  }
}

/** The rows of a view that ids still lead to, as batches. */
function* liveBatches(view: ItemView): Generator<ItemBatch, void, void> {
  const { schema } = view
  const ids = itemIds(view)
  for (;;) {
    const keys: unknown[] = []
    const rows: number[] = []
    for (let i = 0; i < rowsPerTurn; i++) {
      const next = ids.next()
      if (next.done) break
      keys.push(next.value.key)
      rows.push(next.value.row)
    }
    if (keys.length === 0) return
    yield { keys, columns: schema.columns.map(({ name }) => rows.map((row) => view.value(name, row))) }
  }
}

function* itemIds({
  data,
  entriesOf,
}: ItemView): Generator<{ readonly key: unknown; readonly row: number }, void, void> {
  for (let row = 0; row < data.rows; row++) {
    const key = String(valueAt(data.keys, row))
    if (entriesOf([key])[0] === row) yield { key, row }
  }
}
