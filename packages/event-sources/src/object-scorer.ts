import { EasError } from '@eas/base'
import { downloadBytes, openStore, retrying, StoreError, type StoreSettings } from '@eas/storage'
import type { Core } from './start.ts'
import { nameOf, type ObjectReference, type Scorer } from './work.ts'

/** Objects by name, wherever they are. */
export interface Objects {
  /** Bytes of the object; `undefined` when there is none. */
  read(object: Name, signal: AbortSignal): Promise<Uint8Array | undefined>
  /** Writes the whole object or nothing. */
  write(object: Name, body: Uint8Array, signal: AbortSignal): Promise<void>
}
type Name = Pick<ObjectReference, 'scheme' | 'bucket' | 'key'>

/**
 * One object is one request's body; the answer is written under `output` with the same key. Scoring an object again writes
 * the same answer again. What lies under `output` is never scored, so that a trigger on its own results ends there.
 *
 * @param output A name's beginning, as `oss://bucket/predictions/`.
 */
export function objectScorer(
  { processor, service }: Pick<Core, 'processor' | 'service'>,
  objects: Objects,
  output: string,
): Scorer {
  const target = `/api/predict/${service.name}`
  const headers = { 'content-type': 'application/octet-stream', authorization: service.token }
  const [, scheme, bucket, prefix = ''] = /^(s3|oss|gs|file):\/\/([^/]*)\/(.*)$/s.exec(output) ?? []
  if (scheme === undefined || bucket === undefined) {
    throw new EasError(
      'invalid_request',
      `Cannot write to EAS_BATCH_OUTPUT=${output}: it must be scheme://bucket/prefix/`,
    )
  }
  return {
    async score(object, { signal }) {
      if (nameOf(object).startsWith(output)) return { status: 'skipped' }
      const found = await find(objects, object, signal)
      if (!found) return { status: 'failed', error: 'There is no such object' }
      const response = await processor.handle({ method: 'POST', target, headers, body: found.body })
      if (response.status !== 200) {
        return { status: 'failed', error: `${response.status} ${Buffer.from(response.body).toString('utf8')}` }
      }
      signal.throwIfAborted()
      // The scheme is one that the pattern above lists.
      const name = { scheme: scheme as Name['scheme'], bucket, key: `${prefix}${found.key}` }
      await objects.write(name, response.body, signal)
      return { status: 'scored' }
    },
  }
}

/**
 * The scorer of a function that is handed events: `EAS_BATCH_OUTPUT` says where answers go.
 * @throws {EasError} `invalid_request` when it is missing or wrong.
 */
export const objectScorerFromEnv = (core: Core, env: Readonly<Record<string, string | undefined>>): Scorer =>
  objectScorer(core, storedObjects(core.stores, core.settings.bodyBytesMax), env.EAS_BATCH_OUTPUT ?? '')

/** Of the keys that the event may mean, the one whose object has the size that it says; else the likeliest there is. */
async function find(objects: Objects, object: ObjectReference, signal: AbortSignal) {
  let likeliest: { key: string; body: Uint8Array } | undefined
  for (const key of [object.key, ...(object.otherKeys ?? [])]) {
    const body = await objects.read({ ...object, key }, signal)
    if (!body) continue
    if (object.size === undefined || object.size === body.length) return { key, body }
    likeliest ??= { key, body }
  }
  return likeliest
}

/** Attempts at a write, as downloads make them of themselves. */
const writes = { attempts: 6, delayMs: 100, maxDelayMs: 5000 }

/** Objects in their stores. @param bytesMax Larger ones are not read. */
export const storedObjects = (stores: StoreSettings, bytesMax: number): Objects => ({
  async read(name, signal) {
    const { store, key } = placeOf(name, stores)
    try {
      return (await downloadBytes(store, key, { maxBytes: bytesMax, signal })).bytes
    } catch (thrown) {
      if (thrown instanceof StoreError && thrown.code === 'not-found') return undefined
      throw thrown
    }
  },
  async write(name, body, signal) {
    const { store, key } = placeOf(name, stores)
    await retrying(`write ${nameOf(name)}`, writes, signal, () => store.put(key, body, { signal }))
  },
})

/** @throws {EasError} `invalid_request` for a key that a file system would take for a way out of a folder. */
function placeOf(name: Name, stores: StoreSettings) {
  const isWayOut = name.key.split('/').some((segment) => segment === '.' || segment === '..')
  if (isWayOut) throw new EasError('invalid_request', `Cannot reach ${nameOf(name)}: its key has dotted segments`)
  return openStore(nameOf(name), stores)
}
