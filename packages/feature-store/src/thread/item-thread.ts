import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { FeatureStoreError } from '../feature-store-error.ts'
import type { ItemCacheStatus, Items } from '../item-cache.ts'
import { attachItems, type ItemView } from '../item-view.ts'
import { type ItemSourceSettings, openItemSource } from '../open-item-source.ts'
import type { FromThread, ThreadCacheOptions, ThreadData, ToThread } from './messages.ts'

/** Starts a thread that runs `item-worker-main.ts`. */
export type StartThread = (data: ThreadData) => Worker

/** As bundled: its code lies beside this one's. */
const startBundled: StartThread = (workerData) =>
  new Worker(new URL('./item-worker.js', import.meta.url), { name: 'items', workerData })

/** Milliseconds that a thread has to end its connections. */
const closeMs = 2000

interface Running {
  readonly worker: Worker
  /** The refresh that the thread is at. */
  refreshing: { readonly done: Promise<boolean>; readonly resolve: (isDone: boolean) => void } | undefined
}

/**
 * An `ItemCache` on a thread of its own: decoding a file's row group takes as long as a hundred requests, and none of them
 * waits for it here. Views are over memory that both threads see; nothing of them is copied.
 *
 * The thread starts with the first refresh. If it dies, the items stay, `status` says so, and the next refresh starts
 * another.
 *
 * @throws {FeatureStoreError} `bad_config` for settings that make no source, `not_supported` for one that gives items by id
 *   alone.
 */
export function startItemThread(
  settings: ItemSourceSettings,
  options: ThreadCacheOptions = {},
  startThread: StartThread = startBundled,
): Items {
  let view: ItemView | undefined
  const source = openItemSource(settings)
  if (!source.snapshot) throw new FeatureStoreError('not_supported', `Cannot load all items of ${source.name}`)
  let status: ItemCacheStatus = emptyStatus(source.name)
  let running: Running | undefined
  let timer: NodeJS.Timeout | undefined

  function receive(from: Running, message: FromThread): void {
    status = message.status
    if (message.kind === 'items') view = attachItems(message.data)
    if (message.kind === 'refreshed') finish(from, message.isDone)
  }

  function finish(ended: Running, isDone: boolean): void {
    ended.worker.unref()
    ended.refreshing?.resolve(isDone)
    ended.refreshing = undefined
  }

  function die(dead: Running, reason: string): void {
    if (running !== dead) return
    running = undefined
    const { code, message } = new FeatureStoreError(
      'source_down',
      `Cannot refresh items: their thread ended: ${reason}`,
    )
    status = {
      ...status,
      loadingRows: undefined,
      failure: { code, message, at: Date.now(), times: timesOf(status) + 1 },
    }
    finish(dead, false)
  }

  function run(): Running {
    if (running) return running
    const started: Running = { worker: startThread({ settings, options }), refreshing: undefined }
    const { worker } = started
    worker.unref()
    worker.on('message', (message: FromThread) => running === started && receive(started, message))
    worker.on('error', (error) => die(started, error.message))
    worker.on('exit', (code) => die(started, `code ${code}`))
    running = started
    return started
  }

  function refresh(): Promise<boolean> {
    const now = run()
    if (!now.refreshing) {
      let resolve: (isDone: boolean) => void = () => {}
      const done = new Promise<boolean>((settle) => {
        resolve = settle
      })
      now.refreshing = { done, resolve }
      now.worker.ref() // somebody waits
      now.worker.postMessage({ kind: 'refresh' } satisfies ToThread)
    }
    return now.refreshing.done
  }

  return {
    current: () => view,
    status: () => status,
    async refresh({ budgetMs } = {}) {
      if (budgetMs === undefined || budgetMs === Number.POSITIVE_INFINITY) return refresh()
      return Promise.race([refresh(), setTimeout(budgetMs, false)])
    },
    start(intervalMs) {
      clearInterval(timer)
      timer = setInterval(() => void refresh(), intervalMs)
      timer.unref()
    },
    stop: () => clearInterval(timer),
    async close() {
      clearInterval(timer)
      const last = running
      running = undefined
      if (!last) return
      const ended = new Promise<void>((resolve) => void last.worker.once('exit', () => resolve()))
      finish(last, false)
      last.worker.ref()
      last.worker.postMessage({ kind: 'close' } satisfies ToThread)
      await Promise.race([ended, setTimeout(closeMs, undefined, { ref: false })])
      await last.worker.terminate()
    },
  }
}

const timesOf = ({ failure }: ItemCacheStatus): number => failure?.times ?? 0

const emptyStatus = (source: string): ItemCacheStatus => ({
  ...{ source, state: 'empty', items: 0, bytes: 0 },
  ...{ version: undefined, loadingRows: undefined, checkedAt: undefined, changedAt: undefined, failure: undefined },
})
