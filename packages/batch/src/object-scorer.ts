import { type Location, StoreError } from '@eas/storage'
import type { Batch, Place } from './batch.ts'
import { reasonOf } from './batch-error.ts'
import { isResult } from './engine/names.ts'
import type { ObjectOutcome } from './engine/score-object.ts'

/** An object that an event names, as the edges read events. */
export interface ObjectReference {
  readonly scheme: string
  readonly bucket: string
  /** As it is stored: not encoded. */
  readonly key: string
  /** What the key may be instead, likeliest first, where the event's source does not say whether it encodes keys. */
  readonly otherKeys?: readonly string[]
  /** Bytes, as the event says; tells between `key` and `otherKeys`. */
  readonly size?: number
}

/** `scored`: a manifest says what became of the object. `failed`: it is to be delivered again. */
export type Outcome = { readonly status: 'scored' | 'skipped' } | { readonly status: 'failed'; readonly error: string }

export interface ObjectScorer {
  score(object: ObjectReference, options: { readonly deadline: number; readonly signal: AbortSignal }): Promise<Outcome>
}

/**
 * Scores what events name. Whatever an event says of an object's version, the one that is there now is scored.
 *
 * @param open The store of a bucket, and the object's key in it.
 * @param output Where the batch writes: what lies there is never scored, so that a trigger on its own results ends there.
 * @param listen Told of what is done, and of objects that lie there and are no results: most likely somebody has given inputs
 * and results one place.
 */
export function objectScorer(
  batch: Batch,
  open: (object: Pick<ObjectReference, 'scheme' | 'bucket' | 'key'>) => Location,
  output: Place,
  listen: {
    readonly done?: (outcome: ObjectOutcome & { status: 'done' }) => void
    readonly foreign?: (url: string) => void
  } = {},
): ObjectScorer {
  // By the store and key that they open to: a bucket may be written in several ways.
  const urlOf = ({ store, key }: Place) => (key === '' ? store.url : `${store.url}/${key}`)
  const ours = `${urlOf(output)}/`
  return {
    async score(object, { deadline, signal }) {
      // Consoles make such an object for every folder.
      if (object.key.endsWith('/')) return { status: 'skipped' }
      const place = await find(object, open, signal)
      const url = urlOf(place)
      if (url.startsWith(ours)) {
        if (!isResult(url)) listen.foreign?.(url)
        return { status: 'skipped' }
      }
      const outcome = await batch.score(place, { deadline, signal })
      if (outcome.status === 'missing') return { status: 'failed', error: 'There is no such object' }
      if (outcome.status === 'unfinished') {
        return {
          status: 'failed',
          error: `Not finished: ${outcome.chunks} chunks, ${outcome.rows} rows are done; the next delivery goes on`,
        }
      }
      listen.done?.(outcome)
      // An object that cannot be scored is dealt with too: its manifest says why, and another delivery would end alike.
      return { status: 'scored' }
    },
  }
}

/** Of the keys that the event may mean, the one whose object has the size that it says; else the likeliest there is. */
async function find(
  object: ObjectReference,
  open: Parameters<typeof objectScorer>[1],
  signal: AbortSignal,
): Promise<Location> {
  const first = open(object)
  if (!object.otherKeys?.length) return first
  let likeliest: Location | undefined
  for (const key of [object.key, ...object.otherKeys]) {
    const place = open({ ...object, key })
    const info = await place.store.head(place.key, { signal }).catch((thrown) => {
      if (thrown instanceof StoreError && thrown.code === 'invalid') return undefined
      throw new Error(`Cannot look for ${key}: ${reasonOf(thrown)}`, { cause: thrown })
    })
    if (!info) continue
    if (object.size === undefined || object.size === info.size) return place
    likeliest ??= place
  }
  return likeliest ?? first
}
