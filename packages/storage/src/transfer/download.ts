import { createHash } from 'node:crypto'
import type { ObjectInfo, ObjectStore } from '../object-store.ts'
import { StoreError, stopped } from '../store-error.ts'
import { combineCrc, crc32, crc32c, crcHex } from './crc.ts'
import { type Downloaded, type DownloadOptions, partSize, type Rules, rulesOf } from './options.ts'
import { inParallel } from './parallel.ts'
import { downloadPart, type PartDone } from './part.ts'
import { retrying } from './retry.ts'
import { fileTarget, memoryTarget, type Target } from './target.ts'

/**
 * Reads one object into the file `to`, in parallel parts that are all of one version. The file appears when it is whole, of
 * the right length, and matches a digest if the store vouches for one; until then, and after a failure, nothing is there.
 *
 * @throws {StoreError} `not-found`; `changed` if the object was replaced again and again; `corrupt` if its digest never
 *   matched; `timeout` after `deadlineMs`; `full`; or the last failure of a part that was tried often enough.
 */
export async function download(
  store: ObjectStore,
  key: string,
  to: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const { result } = await downloadInto(store, key, (size) => fileTarget(to, size), options)
  return result
}

/** The same into memory. */
export async function downloadBytes(
  store: ObjectStore,
  key: string,
  options: DownloadOptions = {},
): Promise<Downloaded & { readonly bytes: Uint8Array }> {
  const make = async (size: number) => memoryTarget(size, `${store.url}/${key}`)
  const { result, target } = await downloadInto(store, key, make, options)
  return { ...result, bytes: target.bytes }
}

/**
 * A small object, in one request: nothing is asked about it beforehand.
 * @throws {StoreError} As `downloadBytes`.
 */
export async function fetchBytes(
  store: ObjectStore,
  key: string,
  options: Pick<DownloadOptions, 'signal' | 'deadlineMs' | 'maxBytes' | 'retry'> = {},
): Promise<{ readonly info: ObjectInfo; readonly bytes: Uint8Array }> {
  const doing = `download ${store.url}/${key}`
  const rules = rulesOf(options)
  const until = deadline(options.signal, options.deadlineMs, doing)
  try {
    return await retrying(doing, rules.retry, until.signal, async () => {
      const { info, body } = await store.stream(key, { signal: until.signal })
      const target = memoryTarget(Math.min(info.size, rules.maxBytes), doing)
      const { bytes } = target
      let at = 0
      for await (const chunk of body) {
        if (at + chunk.length > bytes.length) throw tooLarge(doing, info, rules)
        bytes.set(chunk, at)
        at += chunk.length
      }
      const sum = crc32.update(bytes)
      const part = {
        bytes: bytes.length,
        crc32: sum,
        crc32c: info.digests?.crc32c === undefined ? undefined : crc32c.update(bytes),
      }
      await verify(info, target, [part], sum, doing, until.signal)
      return { info, bytes }
    })
  } finally {
    until.end()
  }
}

const tooLarge = (doing: string, { size }: ObjectInfo, { maxBytes }: Rules) =>
  new StoreError('too-large', `Cannot ${doing}: ${size} bytes are over the limit of ${maxBytes}`)

async function downloadInto<T extends Target>(
  store: ObjectStore,
  key: string,
  makeTarget: (size: number) => Promise<T>,
  options: DownloadOptions,
): Promise<{ result: Downloaded; target: T }> {
  const doing = `download ${store.url}/${key}`
  const rules = rulesOf(options)
  const until = deadline(options.signal, options.deadlineMs, doing)
  const count = { parts: 0, retries: 0, startedAt: performance.now() }
  const elapsedMs = () => performance.now() - count.startedAt
  try {
    for (let restarts = 0, info = options.info; ; restarts++) {
      info ??= await look(store, key, rules, until.signal, () => count.retries++)
      if (options.version !== undefined && info.version !== options.version) {
        throw new StoreError('changed', `Cannot ${doing}: it is not version ${options.version} any more`)
      }
      if (info.size > rules.maxBytes) throw tooLarge(doing, info, rules)
      const checked = options.crc32 === undefined ? info : { ...info, digests: { crc32: options.crc32 } }
      const target = await makeTarget(info.size)
      try {
        const tell = progressTeller(options, info.size, () => ({ elapsedMs: elapsedMs(), retries: count.retries }))
        const parts = await fetchParts(store, checked, target, rules, until.signal, {
          bytes: tell.bytes,
          retry: () => count.retries++,
        })
        count.parts += parts.length
        const sum = parts.reduce((crc, part) => combineCrc(crc32, crc, part.crc32, part.bytes), 0)
        const verified = await verify(checked, target, parts, sum, doing, until.signal)
        if (until.signal.aborted) throw stopped(until.signal, doing)
        await target.finish()
        tell.end()
        const { parts: total, retries } = count
        return { result: { info, crc32: crcHex(sum), verified, elapsedMs: elapsedMs(), parts: total, retries }, target }
      } catch (thrown) {
        await target.discard()
        const error = StoreError.from(thrown, doing)
        // Replaced meanwhile, or damaged on the way: once more from the start, with what is there now.
        if ((error.code !== 'changed' && error.code !== 'corrupt') || restarts >= rules.restarts) throw error
        count.retries++
        info = undefined
      }
    }
  } finally {
    until.end()
  }
}

async function look(store: ObjectStore, key: string, rules: Rules, signal: AbortSignal, onRetry: () => void) {
  const doing = `download ${store.url}/${key}`
  const info = await retrying(doing, rules.retry, signal, () => store.head(key, { signal }), onRetry)
  if (!info) throw new StoreError('not-found', `Cannot ${doing}: it does not exist`)
  return info
}

/** All parts, `connections` at a time. The first that fails for good stops the others. */
async function fetchParts(
  store: ObjectStore,
  info: ObjectInfo,
  target: Target,
  rules: Rules,
  outer: AbortSignal,
  events: Parameters<typeof downloadPart>[6],
): Promise<PartDone[]> {
  const size = info.ranges === false ? Math.max(info.size, 1) : partSize(info.size, rules)
  const ranges = Array.from(
    { length: Math.ceil(info.size / size) },
    (_, index) => [index * size, Math.min((index + 1) * size, info.size)] as const,
  )
  const done: PartDone[] = []
  await inParallel(ranges, rules.connections, outer, async (range, signal, index) => {
    done[index] = await downloadPart(store, info, range, target, rules, signal, events)
  })
  if (outer.aborted) throw stopped(outer, `download ${store.url}/${info.key}`)
  return done
}

/** Compares with the digest that is cheapest to have. MD5 and SHA-256 are of the whole, so it is read once more. */
async function verify(
  { digests = {} }: ObjectInfo,
  target: Target,
  parts: readonly PartDone[],
  sum: number,
  doing: string,
  signal: AbortSignal,
): Promise<Downloaded['verified']> {
  const [algorithm, actual] =
    digests.crc32 !== undefined
      ? (['crc32', crcHex(sum)] as const)
      : digests.crc32c !== undefined
        ? (['crc32c', crcHex(parts.reduce((crc, p) => combineCrc(crc32c, crc, p.crc32c ?? 0, p.bytes), 0))] as const)
        : digests.sha256 !== undefined
          ? (['sha256', await hashOf('sha256', target, doing, signal)] as const)
          : digests.md5 !== undefined
            ? (['md5', await hashOf('md5', target, doing, signal)] as const)
            : []
  if (algorithm === undefined) return undefined
  if (actual !== digests[algorithm]) {
    throw new StoreError(
      'corrupt',
      `Cannot ${doing}: its ${algorithm} is ${actual}, and should be ${digests[algorithm]}`,
    )
  }
  return algorithm
}

async function hashOf(
  algorithm: 'sha256' | 'md5',
  target: Target,
  doing: string,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm)
  for await (const chunk of target.chunks()) {
    if (signal.aborted) throw stopped(signal, doing)
    hash.update(chunk)
  }
  return hash.digest('hex')
}

/** The caller's signal and the deadline in one. */
export function deadline(signal: AbortSignal | undefined, ms: number | undefined, doing: string) {
  const controller = new AbortController()
  const late = () =>
    controller.abort(new StoreError('timeout', `Cannot ${doing}: not done in ${ms} ms`, { retryable: false }))
  const timer = ms === undefined ? undefined : setTimeout(late, ms)
  const stop = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    },
  }
}

/** At most four calls a second, whatever the number of chunks. */
function progressTeller(
  { onProgress }: DownloadOptions,
  totalBytes: number,
  now: () => { elapsedMs: number; retries: number },
) {
  let bytes = 0
  let told = Number.NEGATIVE_INFINITY
  return {
    bytes(count: number) {
      bytes += count
      const { elapsedMs, retries } = now()
      if (!onProgress || elapsedMs - told < 250 || bytes >= totalBytes) return
      told = elapsedMs
      onProgress({ bytes, totalBytes, elapsedMs, retries })
    },
    end: () => onProgress?.({ bytes, totalBytes, ...now() }),
  }
}
