import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EasError } from '@eas/base'
import type { ModelFiles, ModelOrigin } from './model-files.ts'
import { contentOf, type ModelStamp, stampOf } from './model-stamp.ts'
import {
  manifestName,
  type PreparedManifest,
  parseManifest,
  preparedBytes,
  preparedFolder,
  preparedForm,
  verifyPrepared,
} from './prepared.ts'
import { recogniseModel } from './recognise.ts'

/**
 * A model that lies on this machine, used where it lies.
 *
 * @param path A file or a folder.
 * @param name As the configuration calls it, for messages.
 * @param platform Kind of machine that a prepared form of it would have to be for; `undefined` to use the model as it is.
 */
export function localOrigin(
  path: string,
  model_entry: string | undefined,
  name: string,
  platform: string | undefined,
): ModelOrigin {
  return {
    name,
    isLocal: true,
    async open(): Promise<ModelFiles> {
      const found = await recogniseModel(path, model_entry, name)
      const stamp = await stampOf(found.path, found.format)
      const { version, bytes } = stamp
      const model = { ...found, place: found.path, version, bytes, release: () => {} }
      const prepared = platform === undefined ? undefined : await preparedBeside(found.path, stamp, platform)
      return prepared ? { ...model, ...prepared } : model
    },
    async newest() {
      const found = await recogniseModel(path, model_entry, name)
      return (await stampOf(found.path, found.format)).version
    },
  }
}

/** The prepared form that lies beside a model, if it is of this very model. A damaged one is as none: the model itself is there. */
async function preparedBeside(
  path: string,
  stamp: ModelStamp,
  platform: string,
): Promise<Pick<ModelFiles, 'bytes' | 'prepared'> | undefined> {
  const folder = preparedFolder(path, platform)
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const manifest = parseManifest(text, folder)
    if (manifest.platform !== platform || !(await isOf(manifest, stamp))) return undefined
    await verifyPrepared(folder, manifest, folder)
    return { bytes: preparedBytes(manifest), prepared: preparedForm(folder, manifest) }
  } catch (thrown) {
    if (thrown instanceof EasError) return undefined
    throw thrown
  }
}

/**
 * Whether a prepared form was made of these files: here, or elsewhere of files with the same content. A model that has been
 * trained again has the size of the one before, and may have an older date than what was prepared of that.
 */
async function isOf({ of }: PreparedManifest, { version, bytes, seconds, files }: ModelStamp): Promise<boolean> {
  if (of.version === version) return true
  if (of.bytes !== bytes) return false
  if (seconds !== undefined && of.seconds === seconds) return true
  return of.crc32 !== undefined && of.crc32 === (await contentOf(files))
}
