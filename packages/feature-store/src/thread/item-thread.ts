import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { FeatureStoreError } from '../feature-store-error.ts'
import type { ItemCacheStatus, Items } from '../item-cache.ts'
import { type ItemPlace, isInStore, openItems } from '../item-place.ts'
import { attachItems, type ItemView } from '../item-view.ts'
import { answerOf } from './lent-store.ts'
import type { FromThread, ThreadCacheOptions, ThreadData, ThreadSource, ToThread } from './messages.ts'

/** Starts a thread that runs `serveItems`. */
export type StartThread = (data: ThreadData) => Worker

/** Milliseconds that a thread has to end its connections. */
const closeMs = 2000

interface Running {
  readonly worker: Worker
  /** What it has the store read, by the number of its question. */
  readonly reads: Map<number, AbortController>
  /** The refresh that the thread is at. */
  refreshing: { readonly done: Promise<boolean>; readonly resolve: (isDone: boolean) => void } | undefined
}

/**
 * An `ItemCache` on a thread of its own: decoding a file's row group takes as long as a hundred requests, and none of them
 * waits for it here. Views are over memory that both threads see; nothing of them is copied.
 *
 * Connections to databases are the thread's own. A store is read by this thread, for the other: its credentials may be of
 * the request at hand.
 *
 * The thread starts with the first refresh. If it dies, the items stay, `status` says so, and the next refresh starts
 * another.
 *
 * @throws {FeatureStoreError} `bad_config` for settings that make no source, `not_supported` for one that gives items by id
 *   alone.
 */
export function startItemThread(items: ItemPlace, startThread: StartThread, options: ThreadCacheOptions = {}): Items {
  let view: ItemView | undefined
  const store = isInStore(items) ? items.store : undefined
  const source = openItems(items)
  if (!source.snapshot) throw new FeatureStoreError('not_supported', `Cannot load all items of ${source.name}`)
  let status: ItemCacheStatus = emptyStatus(source.name)
  let running: Running | undefined
  let timer: NodeJS.Timeout | undefined

  function receive(from: Running, message: FromThread): void {
    if (message.kind === 'question') return void answer(from, message)
    if (message.kind === 'cancel') {
      from.reads.get(message.id)?.abort()
      return
    }
    status = message.status
    if (message.kind === 'items') view = attachItems(message.data)
    if (message.kind === 'refreshed') finish(from, message.isDone)
  }

  async function answer(
    { worker, reads }: Running,
    { id, question }: FromThread & { kind: 'question' },
  ): Promise<void> {
    if (!store) return
    const abort = new AbortController()
    reads.set(id, abort)
    const answer = await answerOf(store, question, abort.signal)
    reads.delete(id)
    const message: ToThread = { kind: 'answer', id, answer }
    worker.postMessage(message, 'bytes' in answer ? [answer.bytes.buffer] : [])
  }

  function finish(ended: Running, isDone: boolean): void {
    ended.worker.unref()
    ended.refreshing?.resolve(isDone)
    ended.refreshing = undefined
  }

  function die(dead: Running, reason: string): void {
    if (running !== dead) return
    running = undefined
    endReads(dead)
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
    const worker = startThread({ kind: 'items', source: threadSource(items), options })
    const started: Running = { worker, reads: new Map(), refreshing: undefined }
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
      endReads(last)
      const ended = new Promise<void>((resolve) => void last.worker.once('exit', () => resolve()))
      finish(last, false)
      last.worker.ref()
      last.worker.postMessage({ kind: 'close' } satisfies ToThread)
      await Promise.race([ended, setTimeout(closeMs, undefined, { ref: false })])
      await last.worker.terminate()
    },
  }
}

function endReads({ reads }: Running): void {
  for (const abort of reads.values()) abort.abort()
}

const threadSource = (items: ItemPlace): ThreadSource =>
  isInStore(items) ? { storeUrl: items.store.url, key: items.key, options: items.options ?? {} } : { settings: items }

const timesOf = ({ failure }: ItemCacheStatus): number => failure?.times ?? 0

const emptyStatus = (source: string): ItemCacheStatus => ({
  ...{ source, state: 'empty', items: 0, bytes: 0 },
  ...{ version: undefined, loadingRows: undefined, checkedAt: undefined, changedAt: undefined, failure: undefined },
})
