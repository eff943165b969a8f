import { setPriority } from 'node:os'
import type { MessagePort } from 'node:worker_threads'
import { collectGarbage } from '@eas/base'
import { ItemCache } from '../item-cache.ts'
import { openItemSource } from '../open-item-source.ts'
import type { ItemSource } from '../source.ts'
import { snapshotSource } from '../sources/snapshot.ts'
import { type AskStore, LentStore } from './lent-store.ts'
import type { FromThread, StoreAnswer, ThreadData, ThreadSource, ToThread } from './messages.ts'

/** Milliseconds between two words about a load that takes long. */
const tellEveryMs = 250

/** Nice value, on Linux that of this thread alone: whoever answers requests goes first where cores are few. */
const behindRequests = 10

/** Keeps a cache on this thread and tells its parent of every view: data over memory that both see. */
export function serveItems(port: MessagePort, { source, options }: ThreadData): void {
  setPriority(behindRequests)
  const post = (message: FromThread) => port.postMessage(message)
  const waiting = new Map<number, (answer: StoreAnswer) => void>()
  let questions = 0
  const ask: AskStore = (question, signal) => {
    const id = questions++
    const cancel = () => {
      post({ kind: 'cancel', id })
      settle(id, { code: 'cancelled', message: 'Cannot read a store of another thread: cancelled' })
    }
    if (signal?.aborted) return Promise.resolve({ code: 'cancelled', message: 'Cancelled' })
    signal?.addEventListener('abort', cancel, { once: true })
    post({ kind: 'question', id, question })
    return new Promise<StoreAnswer>((resolve) => waiting.set(id, resolve)).finally(() =>
      signal?.removeEventListener('abort', cancel),
    )
  }
  const settle = (id: number, answer: StoreAnswer) => {
    waiting.get(id)?.(answer)
    waiting.delete(id)
  }
  const cache = new ItemCache(open(source, ask), {
    ...options,
    onChange: ({ data }) => post({ kind: 'items', data, status: cache.status() }),
  })
  let version: string | undefined

  async function refresh(): Promise<void> {
    const timer = setInterval(() => post({ kind: 'status', status: cache.status() }), tellEveryMs)
    const isDone = await cache.refresh()
    clearInterval(timer)
    // It leaves behind several times what it was for, and this thread then sleeps: nothing would collect it until the next.
    if (cache.status().version !== version) collectGarbage()
    version = cache.status().version
    post({ kind: 'refreshed', isDone, status: cache.status() })
  }

  port.on('message', async (message: ToThread) => {
    if (message.kind === 'refresh') await refresh()
    else if (message.kind === 'answer') settle(message.id, message.answer)
    else {
      await cache.close()
      port.close()
    }
  })
}

const open = (source: ThreadSource, ask: AskStore): ItemSource =>
  'settings' in source
    ? openItemSource(source.settings)
    : snapshotSource({ store: new LentStore(source.storeUrl, ask), key: source.key }, source.options)
