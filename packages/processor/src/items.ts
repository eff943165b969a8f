import { EasError } from '@eas/base'
import type { ItemCacheStatus, ItemData, Items as KeptItems } from '@eas/feature-store'

/** Where a service's item features come from, and how often they are looked at. */
export interface ItemsSpec {
  /** Nothing is connected to yet. */
  readonly open: () => Promise<KeptItems>
  readonly refreshMs: number
  /** Milliseconds of refreshing that a request brings with it, beside its own time in a worker. */
  readonly rideMs: number
}

/**
 * The item features of a service, in memory that its workers share. They are refreshed by a timer; where a platform freezes
 * the process between requests, and timers with it, each request that finds them old brings some refreshing with it.
 */
export class Items {
  private readonly spec: ItemsSpec
  private readonly onChange: (data: ItemData) => void
  private opening: Promise<KeptItems> | undefined
  private opened: KeptItems | undefined
  private shown: ItemData | undefined
  private triedAt = 0
  private isRefreshing = false
  private timer: NodeJS.Timeout | undefined

  /** @param onChange Is given the items whenever they are others. */
  constructor(spec: ItemsSpec, onChange: (data: ItemData) => void) {
    this.spec = spec
    this.onChange = onChange
  }

  get data(): ItemData | undefined {
    return this.shown
  }

  get status(): ItemCacheStatus | undefined {
    return this.opened?.status()
  }

  /** @throws {EasError} `not_ready` while there are no items at all. */
  async load(): Promise<void> {
    if (this.shown) return
    const cache = await this.open()
    await cache.refresh()
    this.show()
    if (!this.shown) throw new EasError('not_ready', this.status?.failure?.message ?? 'The items are being loaded')
    this.timer ??= setInterval(() => void this.refresh(Number.POSITIVE_INFINITY), this.spec.refreshMs).unref()
  }

  /** Called with every request. */
  ride(): void {
    if (this.shown && Date.now() - this.triedAt >= this.spec.refreshMs) void this.refresh(this.spec.rideMs)
  }

  async close(): Promise<void> {
    clearInterval(this.timer)
    await this.opened?.close()
  }

  private async refresh(budgetMs: number): Promise<void> {
    const { opened } = this
    if (!opened || this.isRefreshing) return
    this.isRefreshing = true
    const isDone = await opened.refresh({ budgetMs })
    this.isRefreshing = false
    // One that is not done goes on with the next request, one that failed after a while.
    if (isDone || opened.status().failure) this.triedAt = Date.now()
    this.show()
  }

  private show(): void {
    const data = this.opened?.current()?.data
    if (!data || data === this.shown) return
    this.shown = data
    this.triedAt = Date.now()
    this.onChange(data)
  }

  private open(): Promise<KeptItems> {
    this.opening ??= this.spec.open().then(
      (opened) => {
        this.opened = opened
        return opened
      },
      (thrown: unknown) => {
        this.opening = undefined
        throw thrown
      },
    )
    return this.opening
  }
}
