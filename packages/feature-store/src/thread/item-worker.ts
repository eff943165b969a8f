import { setPriority } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { MessagePort } from 'node:worker_threads'
import { ItemCache } from '../item-cache.ts'
import { openItemSource } from '../open-item-source.ts'
import type { FromThread, ThreadData, ToThread } from './messages.ts'

/** Milliseconds between two words about a load that takes long. */
const tellEveryMs = 250

/** Nice value, on Linux that of this thread alone: whoever answers requests goes first where cores are few. */
const behindRequests = 10

/** Keeps a cache on this thread and tells its parent of every view: data over memory that both see. */
export function serveItems(port: MessagePort, { settings, options }: ThreadData): void {
  setPriority(behindRequests)
  const post = (message: FromThread) => port.postMessage(message)
  const cache = new ItemCache(openItemSource(settings), {
    ...options,
    onChange: ({ data }) => post({ kind: 'items', data, status: cache.status() }),
  })
  let version: string | undefined
  port.on('message', async (message: ToThread) => {
    if (message.kind === 'close') {
      await cache.close()
      port.close()
      return
    }
    const timer = setInterval(() => post({ kind: 'status', status: cache.status() }), tellEveryMs)
    const isDone = await cache.refresh()
    clearInterval(timer)
    if (cache.status().version !== version) collectGarbage()
    version = cache.status().version
    post({ kind: 'refreshed', isDone, status: cache.status() })
  })
}

/**
 * A load leaves behind several times what it was for, and this thread then sleeps: nothing would collect it until the next.
 * @see https://nodejs.org/docs/latest-v20.x/api/v8.html#v8setflagsfromstringflags
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc') // what the flag gives to new contexts
  setFlagsFromString('--no-expose-gc')
  collect()
}
