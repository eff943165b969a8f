import { setTimeout } from 'node:timers/promises'
import { ByIdCache, ItemCache, type ItemSource } from '@eas/feature-store'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expectItems, type Item } from '../support/databases/catalogue.ts'
import { startTcpProxy, type TcpProxy } from '../support/databases/tcp-proxy.ts'

/** A store that a source reads, and how a test changes what is in it. */
export interface SourceHarness {
  readonly port: number
  /** A source of it that knows it under this host and port. */
  source(host: string, port: number): ItemSource
  /** Makes these all that it holds. */
  fill(items: readonly Item[]): Promise<void>
  /** Gives an item an `age` that is no number; missing where the store does not let anybody. */
  spoil?(item: Item): Promise<void>
  close(): Promise<void>
}

/** What every source does alike, whatever it reads. */
export function itemSourceContract(
  name: string,
  /** The catalogue, or what of it can be there. */
  items: readonly Item[],
  start: () => Promise<SourceHarness>,
  /** Whether a refresh notices that everything has changed; else it asks for increments. */
  { reloads }: { readonly reloads: boolean },
): void {
  describe(`the source ${name}`, () => {
    let harness: SourceHarness
    let proxy: TcpProxy
    let cache: ItemCache
    /** Shared with the cache, so that a test can lose patience. */
    let options: { stallMs: number }

    beforeAll(async () => {
      harness = await start()
      proxy = await startTcpProxy(harness.port)
    })
    afterAll(async () => {
      await proxy.close()
      await harness.close()
    })
    beforeEach(async () => {
      proxy.set('fine')
      await harness.fill(items)
      options = { stallMs: 60_000 }
      cache = new ItemCache(harness.source(proxy.host, proxy.port), options)
    })
    afterEach(() => cache.close())

    /** A client may take a while to notice that its server is back, or that a connection which it kept is dead. */
    async function recovered(): Promise<void> {
      proxy.set('fine')
      options.stallMs = 3000
      for (let attempt = 0; !(await cache.refresh()); attempt++) {
        expect(attempt, cache.status().failure?.message).toBeLessThan(100)
        await setTimeout(100)
      }
    }

    it('gives the same items as every other', async () => {
      expect(await cache.refresh()).toBe(true)
      expect(cache.status().failure).toBeUndefined()
      expectItems(cache.current(), items)
      expect(await cache.refresh()).toBe(true)
      expectItems(cache.current(), items)
    })

    it('gives the same items by id, where it can', async () => {
      const source = harness.source(proxy.host, proxy.port)
      if (!source.fetch) return void expect(() => new ByIdCache(source)).toThrow('Cannot fetch items by id')
      const byId = new ByIdCache(source, { timeoutMs: 60_000 })
      expectItems(await byId.view([...items.map(({ item_id }) => item_id), 'nobody']), items)
      await byId.close()
    })

    it('leaves the cache empty when it is down at the start, and fills it when it is back', async () => {
      proxy.set('down')
      expect(await cache.refresh()).toBe(false)
      expect(cache.status()).toMatchObject({ state: 'empty', failure: { code: 'source_down', times: 1 } })
      await recovered()
      expectItems(cache.current(), items)
    })

    it('leaves the cache empty when it is silent at the start, and fills it when it speaks', async () => {
      proxy.set('silent')
      options.stallMs = 300
      expect(await cache.refresh()).toBe(false)
      expect(cache.status()).toMatchObject({ state: 'empty', failure: { code: 'source_slow' } })
      await recovered()
      expectItems(cache.current(), items)
    })

    it.each(['down', 'cut', 'silent'] as const)('keeps the last good items when it is %s later', async (weather) => {
      await cache.refresh()
      proxy.set(weather)
      if (weather === 'silent') options.stallMs = 300
      // What has been cut may be all there was to say, where nothing has changed.
      const isDone = await cache.refresh()
      if (weather !== 'cut' || reloads) expect(isDone).toBe(false)
      if (!isDone) expect(cache.status().failure?.message).toMatch(/^Cannot [^\n]{10,400}$/)
      expect(cache.status().state).toBe('ready')
      expectItems(cache.current(), items)
      await recovered()
      expect(cache.status().failure).toBeUndefined()
      expectItems(cache.current(), items)
    })

    it('keeps the last good items when there are suddenly none', async () => {
      await cache.refresh()
      await harness.fill([])
      expect(await cache.refresh()).toBe(!reloads)
      if (reloads) expect(cache.status().failure?.code).toMatch(/^(?:too_few_items|bad_data)$/)
      if (reloads) expectItems(cache.current(), items)
    })

    it('keeps the last good items when a value does not fit its column', async () => {
      await cache.refresh()
      if (!harness.spoil || !reloads) return
      await harness.spoil(items.at(-1) as Item) // the catalogue is not empty
      expect(await cache.refresh()).toBe(false)
      expect(cache.status().failure).toMatchObject({
        code: 'bad_data',
        message: /^Cannot load items: age of row \d+: /,
      })
      expectItems(cache.current(), items)
      await harness.fill(items)
      expect(await cache.refresh()).toBe(true)
      expect(cache.status().failure).toBeUndefined()
    })
  })
}
