import { type ObjectInfo, type ObjectStore, StoreError } from '@eas/storage'
import { BatchError } from '../batch-error.ts'
import type { Clock } from '../clock.ts'
import { batchLimits } from '../limits.ts'
import { numberIn } from './names.ts'
import { retried } from './retry.ts'

/** A store as the engine uses it: each call tried again while that can help. */
export interface ResultStore {
  head(key: string): Promise<ObjectInfo | undefined>
  /** A small object, whole; `undefined` when there is none. */
  read(key: string): Promise<Uint8Array | undefined>
  /** Whether this call created it. `false` also where it did, and was told of a failure first. */
  create(key: string, body: Uint8Array, contentType?: string): Promise<boolean>
  /** Removes what nothing refers to. A failure leaves it there. */
  tidy(key: string): Promise<void>
  /** Removes what begins with `prefix` and is not among `kept`, as far as a listing shows it. A failure leaves it there. */
  tidyOthers(prefix: string, kept: ReadonlySet<string>): Promise<void>
  /**
   * The highest number of the objects `prefix<number>.json`, which have been created one after the other; -1 when there is
   * none. A listing may lag behind; what is at a name is known.
   */
  highest(prefix: string, nameOf: (number: number) => string, first: number): Promise<number>
}

export function resultStore(store: ObjectStore, clock: Clock, signal: AbortSignal): ResultStore {
  const head = (key: string) => retried(clock, signal, () => store.head(key, { signal }))

  async function readOnce(key: string): Promise<Uint8Array | undefined> {
    try {
      const { info, body } = await store.stream(key, { signal })
      if (info.size > batchLimits.documentBytes)
        throw new BatchError('bad_object', `${key} is too large: ${info.size} bytes`)
      const pieces: Uint8Array[] = []
      for await (const piece of body) pieces.push(piece)
      return Buffer.concat(pieces)
    } catch (thrown) {
      if (thrown instanceof StoreError && thrown.code === 'not-found') return undefined
      throw thrown
    }
  }

  const tidy = (key: string) => store.delete(key, { signal }).catch(() => {})

  return {
    head,
    read: (key) => retried(clock, signal, () => readOnce(key)),
    create: (key, body, contentType = 'application/json') =>
      retried(clock, signal, () => store.create(key, body, { contentType, signal })),
    tidy,
    async tidyOthers(prefix, kept) {
      const others: string[] = []
      try {
        for await (const { key } of store.list(prefix, { signal })) if (!kept.has(key)) others.push(key)
      } catch {
        return
      }
      for (const key of others) await tidy(key)
    },
    async highest(prefix, nameOf, first) {
      let highest = await retried(clock, signal, async () => {
        let found = first - 1
        for await (const { key } of store.list(prefix, { signal })) found = Math.max(found, numberIn(key, prefix) ?? -1)
        return found
      })
      while (await head(nameOf(highest + 1))) highest++
      return highest >= first ? highest : -1
    },
  }
}
