import {
  type ByteRange,
  type CallOptions,
  type ObjectInfo,
  type ObjectStore,
  type ReadableObject,
  type ReadOptions,
  StoreError,
} from '@eas/storage'
import type { StoreAnswer, StoreQuestion } from './messages.ts'

/** Bytes of an object that are asked for at once: many enough for a store, few enough to wait in memory. */
const pieceBytes = 4 * 1024 * 1024

/** What a thread's question about a store comes to. Whoever asks has the credentials; failures are answers. */
export async function answerOf(store: ObjectStore, question: StoreQuestion, signal: AbortSignal): Promise<StoreAnswer> {
  try {
    switch (question.call) {
      case 'head': {
        const info = await store.head(question.key, { signal })
        return { infos: info ? [info] : [] }
      }
      case 'list': {
        const infos: ObjectInfo[] = []
        for await (const info of store.list(question.prefix, { signal })) infos.push(info)
        return { infos }
      }
      case 'read': {
        const { key, start, end, version } = question
        const bytes = await store.read(key, { start, end }, { signal, ...(version !== undefined && { version }) })
        // A copy of what is part of a larger buffer, which would cross as a whole.
        return { bytes: new Uint8Array(bytes) }
      }
    }
  } catch (thrown) {
    const { code, message } = StoreError.from(thrown, `ask ${store.url}`)
    return { code, message }
  }
}

/** Asks the thread that has the store. */
export type AskStore = (question: StoreQuestion, signal: AbortSignal | undefined) => Promise<StoreAnswer>

/** A store of another thread, to be read. */
export class LentStore implements ObjectStore {
  readonly url: string
  private readonly ask: AskStore

  constructor(url: string, ask: AskStore) {
    this.url = url
    this.ask = ask
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo | undefined> {
    return (await this.infosOf({ call: 'head', key }, signal))[0]
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    yield* await this.infosOf({ call: 'list', prefix }, signal)
  }

  async read(key: string, { start, end }: ByteRange, { version, signal }: ReadOptions = {}): Promise<Uint8Array> {
    const answer = await this.ask({ call: 'read', key, start, end, version }, signal)
    return 'bytes' in answer ? answer.bytes : refused(answer)
  }

  async stream(key: string, options: ReadOptions = {}): Promise<ReadableObject> {
    const info = await this.head(key, options)
    if (!info) throw new StoreError('not-found', `Cannot read ${this.url}/${key}: it is not there`)
    return { info, body: this.pieces(info, { version: info.version, ...options }) }
  }

  put(): Promise<never> {
    return Promise.reject(new StoreError('read-only', `Cannot write to ${this.url} from another thread`))
  }

  create(): Promise<never> {
    return this.put()
  }

  delete(): Promise<never> {
    return this.put()
  }

  private async *pieces(
    { key, size, ranges }: ObjectInfo,
    options: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, void> {
    const step = ranges === false ? size : pieceBytes
    for (let start = 0; start < size; start += step) {
      yield await this.read(key, { start, end: Math.min(size, start + step) }, options)
    }
  }

  private async infosOf(question: StoreQuestion, signal: AbortSignal | undefined): Promise<readonly ObjectInfo[]> {
    const answer = await this.ask(question, signal)
    return 'infos' in answer ? answer.infos : refused(answer)
  }
}

function refused(answer: StoreAnswer): never {
  if ('code' in answer) throw new StoreError(answer.code, answer.message)
  throw new StoreError('corrupt', 'Cannot read a store of another thread: it answered something else')
}
