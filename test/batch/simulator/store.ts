import { createHash } from 'node:crypto'
import { type ObjectInfo, type ObjectStore, StoreError, type StoreErrorCode } from '@eas/storage'
import type { World } from './world.ts'

interface Held {
  readonly info: ObjectInfo
  readonly bytes: Uint8Array
  /** When it came, and when it went. */
  readonly since: number
}

/** What a store holds, whoever talks to it. */
export class Bucket {
  readonly objects = new Map<string, Held>()
  /** Listings that lag show what has gone. */
  readonly gone = new Map<string, { readonly held: Held; readonly at: number }>()
  private count = 0
  private readonly world: World
  private readonly versionsAreDigests: boolean

  constructor(world: World, versionsAreDigests: boolean) {
    this.world = world
    this.versionsAreDigests = versionsAreDigests
  }

  put(key: string, bytes: Uint8Array): ObjectInfo {
    const digest = createHash('md5').update(bytes).digest('hex')
    const version = this.versionsAreDigests ? digest : `${++this.count}`
    const info = { key, size: bytes.length, version }
    this.objects.set(key, { info, bytes, since: this.world.now })
    return info
  }

  delete(key: string): void {
    const held = this.objects.get(key)
    if (held) this.gone.set(key, { held, at: this.world.now })
    this.objects.delete(key)
  }
}

export interface SimulatedProcess {
  isAlive: boolean
  /** What its calls take, against another's. */
  readonly slowness: number
}

/** How often what goes wrong; shares of calls. */
export interface Faults {
  /** A call fails before or after it has done what it was to do. */
  readonly errors: number
  /** A body breaks off. */
  readonly breaks: number
  /** A listing is as of some time ago. */
  readonly staleLists: number
  /** A call takes seconds, before or after it has done something. */
  readonly stalls: number
  /** A call is given up, or is answered, and does what it does once more some time later. */
  readonly late: number
}

/**
 * A store as one process sees it: each call takes time, does what it does at one moment of it, and may fail before or after
 * that. Once the process is killed no call of its own comes back, whether it has done something or not.
 */
export function faultyStore(
  world: World,
  bucket: Bucket,
  url: string,
  faults: () => Faults,
  process: SimulatedProcess,
): ObjectStore {
  async function call<T>(doing: string, signal: AbortSignal | undefined, run: () => T): Promise<T> {
    if (signal?.aborted) throw new StoreError('cancelled', `Cannot ${doing}: cancelled`)
    const { errors, stalls, late } = faults()
    const fails = world.chance(errors) ? world.between(1, 2) : 0
    const takes = () => (world.chance(stalls) ? world.between(100, 4000) : world.between(1, 20) * process.slowness)
    await world.sleep(takes())
    // What was sent before the kill may arrive after it.
    if (!process.isAlive && world.chance(0.5)) await forever
    if (world.chance(late)) {
      // On its way still, whatever becomes of who has sent it.
      world.after(world.between(1, 10_000), () => {
        try {
          run()
        } catch {
          // Nobody is told any more.
        }
      })
      if (fails === 0 && world.chance(0.5)) throw failure(world, doing)
    }
    if (fails === 1) throw failure(world, doing)
    let result: T | undefined
    let thrown: unknown
    try {
      result = run()
    } catch (error) {
      thrown = error
    }
    await world.sleep(takes())
    if (!process.isAlive) await forever
    if (signal?.aborted) throw new StoreError('cancelled', `Cannot ${doing}: cancelled`)
    if (fails === 2) throw failure(world, doing)
    if (thrown !== undefined) throw thrown
    return result as T // nothing was thrown
  }

  function held(key: string, version: string | undefined, doing: string): Held {
    const found = bucket.objects.get(key)
    if (!found) throw new StoreError('not-found', `Cannot ${doing}: it does not exist`)
    if (version !== undefined && found.info.version !== version) {
      throw new StoreError('changed', `Cannot ${doing}: it is not version ${version} any more`)
    }
    return found
  }

  return {
    url,
    head: (key, { signal } = {}) => call(`head ${key}`, signal, () => bucket.objects.get(key)?.info),
    read: (key, { start, end }, { signal, version } = {}) =>
      call(`read ${key}`, signal, () => held(key, version, `read ${key}`).bytes.slice(start, end)),
    async stream(key, { signal, version, start = 0, end } = {}) {
      const { info, bytes } = await call(`stream ${key}`, signal, () => held(key, version, `stream ${key}`))
      return { info, body: pieces(bytes.subarray(start, end ?? bytes.length), key) }
    },
    async *list(prefix, { signal, after } = {}) {
      const infos = await call(`list ${prefix}`, signal, () => {
        const asOf = world.chance(faults().staleLists) ? world.now - world.between(0, 5000) : world.now
        const there = [...bucket.objects.values()].filter(({ since }) => since <= asOf).map(({ info }) => info)
        const stillShown = [...bucket.gone.values()].filter(({ at, held }) => at > asOf && held.since <= asOf)
        const all = new Map([...stillShown.map(({ held }) => held.info), ...there].map((info) => [info.key, info]))
        return [...all.values()].filter(({ key }) => key.startsWith(prefix) && (after === undefined || key > after))
      })
      yield* infos.sort((a, b) => (a.key < b.key ? -1 : 1))
    },
    put: (key, body, { signal } = {}) => call(`put ${key}`, signal, () => bucket.put(key, whole(body))),
    create: (key, body, { signal } = {}) =>
      call(`create ${key}`, signal, () => {
        if (bucket.objects.has(key)) return false
        bucket.put(key, whole(body))
        return true
      }),
    delete: (key, { signal } = {}) => call(`delete ${key}`, signal, () => bucket.delete(key)),
  }

  async function* pieces(bytes: Uint8Array, key: string): AsyncGenerator<Uint8Array> {
    const size = Math.max(1, world.between(1, bytes.length))
    for (let at = 0; at < bytes.length; at += size) {
      await world.sleep(world.between(0, 5))
      if (!process.isAlive) await forever
      if (world.chance(faults().breaks)) throw failure(world, `read ${key}`)
      yield bytes.slice(at, at + size)
    }
  }
}

const forever = new Promise<never>(() => {})

/** Bodies of the engine are whole. */
function whole(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body.slice()
  throw new TypeError('The simulated store takes bytes')
}

const codes: readonly StoreErrorCode[] = ['unavailable', 'unavailable', 'timeout', 'expired', 'denied']

function failure(world: World, doing: string): StoreError {
  const code = codes[world.between(0, codes.length - 1)] ?? 'unavailable'
  return new StoreError(code, `Cannot ${doing}: simulated ${code}`)
}
