import { join } from 'node:path'
import { EasError } from '@eas/base'
import {
  download,
  fetchBytes,
  type Identity,
  inParallel,
  type ObjectStore,
  openStore,
  StoreError,
  type StoreSettings,
} from '@eas/storage'
import type { ModelFiles, PreparedForm } from './model-files.ts'
import {
  manifestName,
  type PreparedManifest,
  parseManifest,
  preparedBytes,
  preparedFolder,
  preparedForm,
} from './prepared.ts'
import { type Current, type KnownWeights, withWeights } from './remote-look.ts'
import { type RemoteOptions, transfer } from './remote-options.ts'

export type PreparedFiles = ModelFiles & { readonly prepared: PreparedForm }

/** A manifest that has been asked for. */
export interface Asked {
  readonly folder: string
  readonly text: Promise<string>
}

function askForManifest(store: ObjectStore, key: string, platform: string, signal: AbortSignal | undefined): Asked {
  const folder = preparedFolder(key, platform)
  const fetched = fetchBytes(store, `${folder}/${manifestName}`, { ...(signal && { signal }), ...manifestRules })
  const text = fetched.then(({ bytes }) => new TextDecoder().decode(bytes))
  text.catch(() => {}) // seen when it is needed, if it ever is
  return { folder, text }
}

const manifestRules = { maxBytes: 1 << 20, deadlineMs: 20_000 }

/** The manifest that lies beside what a URL names, should that be the model: asked for while the model is looked for. */
export function guessManifest(
  url: string,
  platform: string,
  stores: StoreSettings,
  signal: AbortSignal,
): Asked | undefined {
  const { store, key } = openStore(url, stores)
  return key === '' || url.endsWith('/') || key.endsWith('.version')
    ? undefined
    : askForManifest(store, key, platform, signal)
}

/** The prepared form of a model, if there is one, it is of this very version, and it is what was written. */
export async function openPreparedBeside(
  current: Current,
  platform: string,
  guessed: Asked | undefined,
  known: KnownWeights,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<PreparedFiles | undefined> {
  const { store, key } = current
  const folder = preparedFolder(key, platform)
  try {
    const { text } = guessed?.folder === folder ? guessed : askForManifest(store, key, platform, signal)
    const manifest = parseManifest(await text, `${store.url}/${folder}`)
    const { weights = [] } = manifest.of
    const whole = await withWeights(current, weights, signal)
    if (!isOf(manifest, whole) || manifest.platform !== platform) return undefined
    known.clear()
    known.set(current.version, weights)
    return await openPrepared(whole, platform, manifest, options, signal)
  } catch (thrown) {
    // Without one, or with one that cannot be used, the model itself is loaded.
    if (thrown instanceof EasError || (thrown instanceof StoreError && thrown.code !== 'timeout')) return undefined
    throw thrown
  }
}

/** Whether a prepared form was made of this very model: here, or of the same file elsewhere, before both were put here. */
function isOf({ of }: PreparedManifest, { version, bytes, object }: Current): boolean {
  if (of.version === version) return true
  return of.md5 !== undefined && of.md5 === object?.digests?.md5 && of.bytes === bytes
}

async function openPrepared(
  current: Current,
  platform: string,
  manifest: PreparedManifest,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<PreparedFiles> {
  const { place, store, version } = current
  const folder = preparedFolder(current.key, platform)
  const sums = manifest.files.map(({ crc32 }) => crc32).join('-')
  const identity: Identity = { url: store.url, key: folder, version: `${version}-${sums}` }
  const bytes = preparedBytes(manifest)
  const cache = await options.cache()
  const entry = await cache.fetch(
    identity,
    async (dir, _scratch, stop) => {
      await inParallel(manifest.files, manifest.files.length, stop, async (file, signal) => {
        const { info } = await download(store, `${folder}/${file.name}`, join(dir, file.name), {
          ...transfer(folder, options, signal),
          maxBytes: file.bytes,
          crc32: file.crc32,
          restarts: 1,
        })
        if (info.size !== file.bytes) {
          throw new StoreError('corrupt', `Cannot use ${store.url}/${folder}: ${file.name} is not what was prepared`)
        }
      })
      return new Map(manifest.files.map(({ name, crc32 }) => [name, crc32]))
    },
    { ...(signal && { signal }), bytes, verify: true },
  )
  const prepared = preparedForm(entry.path, manifest)
  return {
    format: 'onnx',
    path: prepared.path,
    prepared,
    bytes,
    place,
    version,
    release: () => void entry.release(),
  }
}
