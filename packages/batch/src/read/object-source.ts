import { type ObjectInfo, type ObjectStore, StoreError } from '@eas/storage'
import type { Clock } from '../clock.ts'
import { isTransient, retried } from '../engine/retry.ts'

/** One version of one object, to be read in any way. */
export interface ObjectSource {
  readonly info: ObjectInfo
  /** Bytes from `start` on, as they come. A connection that breaks is taken up where it broke. */
  stream(start: number): AsyncGenerator<Uint8Array, void, void>
  read(start: number, end: number): Promise<Uint8Array>
}

/** A stream that brings nothing new in so many tries is given up. */
const breaksMax = 8

export function objectSource(
  store: ObjectStore,
  key: string,
  info: ObjectInfo,
  clock: Clock,
  signal: AbortSignal,
): ObjectSource {
  const { version } = info
  return {
    info,
    read: (start, end) => retried(clock, signal, () => store.read(key, { start, end }, { version, signal })),
    async *stream(start) {
      let at = start
      for (let breaks = 0; at < info.size; ) {
        try {
          const { body } = await retried(clock, signal, () => store.stream(key, { start: at, version, signal }))
          for await (const bytes of body) {
            at += bytes.length
            if (bytes.length > 0) breaks = 0
            yield bytes
          }
          if (at < info.size)
            throw new StoreError('unavailable', `Cannot read ${store.url}/${key}: it broke off at ${at}`)
        } catch (thrown) {
          if (signal.aborted || !isTransient(thrown) || ++breaks >= breaksMax) throw thrown
          await clock.sleep(100 * 2 ** breaks * clock.random(), signal)
        }
      }
    },
  }
}
