/**
 * An object that an event names. `scheme`, `bucket` and `key` are apart because a key may hold every character there is,
 * `?`, `#` and `%` among them; `nameOf` joins them for people to read.
 */
export interface ObjectReference {
  readonly scheme: 's3' | 'oss' | 'gs' | 'file'
  readonly bucket: string
  /** As it is stored: not encoded. */
  readonly key: string
  /** What the key may be instead, likeliest first, where a source does not say whether it encodes keys. */
  readonly otherKeys?: readonly string[]
  /** Bytes, as the event says; tells between `key` and `otherKeys`. */
  readonly size?: number
  /** Names the bytes that the event is about: an ETag, a version id, a generation. */
  readonly version?: string
  /** Orders the events of one key; S3 only. */
  readonly sequencer?: string
  /** What of the object is asked for, in the words of whoever planned the work; the whole of it without. */
  readonly part?: string
}

/** One part of an event that succeeds or fails alone: an object, or a message that names some. */
export interface WorkItem {
  /** What the platform knows it by, and what stands in its list of failures. */
  readonly id: string
  /** Empty when there is nothing to do, as for a deleted object or a test event. */
  readonly objects: readonly ObjectReference[]
  /** Why the part cannot be read; then it fails. */
  readonly error?: string
}

/** What scores an object and puts its result where results go. The batch engine is one. */
export interface Scorer {
  /**
   * Called again for the same object when a platform delivers an event again, there or on another instance: must then come to
   * the same result. What it throws counts as `failed`.
   */
  score(object: ObjectReference, options: ScoreOptions): Promise<Outcome>
}

export interface ScoreOptions {
  /** Milliseconds since 1970 by which the answer must be there. */
  readonly deadline: number
  /** Aborted at the deadline. */
  readonly signal: AbortSignal
}

/**
 * `scored`: the outcome is where outcomes go, be it a result or an error that no other try would change. `skipped`: there was
 * nothing to do. Both are acknowledged; what has `failed` the platform delivers again.
 */
export type Outcome = { readonly status: 'scored' | 'skipped' } | { readonly status: 'failed'; readonly error: string }

export interface WorkResult {
  /** Items of which every object is done. */
  readonly done: readonly string[]
  readonly failures: readonly { readonly id: string; readonly error: string }[]
}

export interface WorkOptions {
  readonly scorer: Scorer
  /** Milliseconds since 1970. */
  readonly deadline: number
  /** Objects that are worked on at once. */
  readonly concurrency: number
  /** Ends the work before its deadline, as when the instance is told to stop. */
  readonly signal?: AbortSignal
}

/**
 * Works on an event's items. An item that fails does not fail its neighbours. An object that is named twice, with the same
 * version and part, is scored once. What is not done by the deadline has failed, so that the platform delivers it again.
 */
export async function workOn(
  items: readonly WorkItem[],
  { scorer, deadline, concurrency, signal }: WorkOptions,
): Promise<WorkResult> {
  const abort = new AbortController()
  const late: Outcome = { status: 'failed', error: 'Not done before the deadline' }
  const end = () => abort.abort()
  const timer = setTimeout(end, Math.min(deadline - Date.now(), timerMsMax))
  const aborted = new Promise<Outcome>((resolve) => {
    abort.signal.addEventListener('abort', () => resolve(late))
  })
  if (signal?.aborted) end()
  signal?.addEventListener('abort', end)

  const waiting = new Map<string, { object: ObjectReference; settle: (outcome: Outcome) => void }>()
  const outcomes = new Map<string, Promise<Outcome>>()
  for (const object of items.flatMap(({ objects }) => objects)) {
    const identity = identityOf(object)
    if (outcomes.has(identity)) continue
    outcomes.set(identity, new Promise((settle) => waiting.set(identity, { object, settle })))
  }
  async function work() {
    for (const [identity, { object, settle }] of waiting) {
      waiting.delete(identity)
      settle(abort.signal.aborted ? late : await Promise.race([attempt(object), aborted]))
    }
  }
  async function attempt(object: ObjectReference): Promise<Outcome> {
    try {
      return await scorer.score(object, { deadline, signal: abort.signal })
    } catch (thrown) {
      return { status: 'failed', error: thrown instanceof Error ? thrown.message : String(thrown) }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work))
  clearTimeout(timer)
  signal?.removeEventListener('abort', end)

  const done: string[] = []
  const failures: { id: string; error: string }[] = []
  for (const { id, objects, error } of items) {
    const errors = error === undefined ? [] : [error]
    for (const object of objects) {
      const outcome = await outcomes.get(identityOf(object))
      if (outcome?.status === 'failed') errors.push(`${nameOf(object)}: ${outcome.error}`)
    }
    if (errors.length === 0) done.push(id)
    else failures.push({ id, error: errors.join('; ') })
  }
  return { done, failures }
}

/** The longest that Node's timers wait; a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1

/** `oss://bucket/key`, for messages: not a URL, as nothing in the key is encoded. */
export const nameOf = ({ scheme, bucket, key }: Pick<ObjectReference, 'scheme' | 'bucket' | 'key'>): string =>
  `${scheme}://${bucket}/${key}`

const identityOf = (object: ObjectReference) =>
  JSON.stringify([nameOf(object), object.version ?? '', object.part ?? ''])

/** Failures as one line, for platforms that know only success and failure of a whole event. */
export const failuresText = ({ failures }: WorkResult, itemCount: number): string =>
  `${failures.length} of ${itemCount} failed: ${failures
    .slice(0, 10)
    .map(({ id, error }) => `${id}: ${error}`)
    .join('; ')}${failures.length > 10 ? '; …' : ''}`
