import { type ObjectInfo, StoreError } from '@eas/storage'
import { BatchError } from '../batch-error.ts'
import type { resultNames } from './names.ts'
import { decodeManifest, encodeJson, type Manifest } from './records.ts'
import type { ResultStore } from './result-store.ts'

export interface FoundManifest {
  readonly manifest: Manifest
  readonly key: string
}

type Names = ReturnType<typeof resultNames>

/** Manifests are numbered from here. */
const first = 1

/**
 * The manifest of a job, if it is among the newest ones that are about the input's present version. One from before another
 * version came does not count: that version has gone again.
 *
 * @throws {BatchError} `bad_object` when the results of another object stand there.
 */
export async function findManifest(
  store: ResultStore,
  names: Names,
  job: string,
  input: { readonly url: string; readonly version: string },
): Promise<{ readonly found: FoundManifest | undefined; readonly highest: number }> {
  const highest = await store.highest(names.manifestPrefix, names.manifest, first)
  for (let number = highest; number >= first; number--) {
    const key = names.manifest(number)
    const bytes = await store.read(key)
    if (!bytes) throw new StoreError('changed', `Cannot read ${key}: it has been removed`)
    const manifest = decodeManifest(bytes, key)
    if (manifest.input.url !== input.url) {
      throw new BatchError(
        'bad_object',
        `Cannot write results to ${key}: those of ${manifest.input.url} are there; give each bucket an output of its own`,
      )
    }
    if (manifest.job === job) return { found: { manifest, key }, highest }
    if (manifest.input.version !== input.version) break
  }
  return { found: undefined, highest }
}

/**
 * Makes a manifest the newest, if the input is still the version that it is about.
 * @throws {StoreError} `changed` when it is not.
 */
export async function commitManifest(
  store: ResultStore,
  names: Names,
  manifest: Manifest,
  headInput: () => Promise<ObjectInfo | undefined>,
): Promise<FoundManifest> {
  const { job, input } = manifest
  for (;;) {
    // In this order: a manifest that comes between takes the number, and then all is looked at again.
    const { found, highest } = await findManifest(store, names, job, input)
    if (found) return found
    const now = await headInput()
    if (now?.version !== input.version) {
      throw new StoreError('changed', `Cannot finish ${input.url}: it is not version ${input.version} any more`)
    }
    const key = names.manifest(Math.max(highest + 1, first))
    if (await store.create(key, encodeJson(manifest))) return { manifest, key }
  }
}
