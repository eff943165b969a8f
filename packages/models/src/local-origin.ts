import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EasError } from '@eas/base'
import type { ModelFiles, ModelOrigin } from './model-files.ts'
import { manifestName, parseManifest, preparedBytes, preparedFolder, preparedForm, verifyPrepared } from './prepared.ts'
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
      const { version, bytes } = await stamp(found.path, found.format === 'onnx')
      const model = { ...found, place: found.path, version, bytes, release: () => {} }
      const prepared = platform === undefined ? undefined : await preparedBeside(found.path, bytes, platform)
      return prepared ? { ...model, ...prepared } : model
    },
    async newest() {
      const found = await recogniseModel(path, model_entry, name)
      return (await stamp(found.path, found.format === 'onnx')).version
    },
  }
}

/**
 * The prepared form that lies beside a model, if it is of this very model: of its size, and written after it. A damaged one is
 * as none: the model itself is there.
 */
async function preparedBeside(
  path: string,
  bytes: number,
  platform: string,
): Promise<Pick<ModelFiles, 'bytes' | 'prepared'> | undefined> {
  const folder = preparedFolder(path, platform)
  const manifestPath = join(folder, manifestName)
  const [written, model] = await Promise.all([stat(manifestPath).catch(() => undefined), stat(path)])
  if (!written || model.mtimeMs > written.mtimeMs) return undefined
  try {
    const manifest = parseManifest(await readFile(manifestPath, 'utf8'), folder)
    if (manifest.of.bytes !== bytes || manifest.platform !== platform) return undefined
    await verifyPrepared(folder, manifest, folder)
    return { bytes: preparedBytes(manifest), prepared: preparedForm(folder, manifest) }
  } catch (thrown) {
    if (thrown instanceof EasError) return undefined
    throw thrown
  }
}

/**
 * Sizes and times of the files: what changes when somebody replaces one of them.
 * @param withNeighbours An ONNX file may keep its weights in files beside it.
 */
async function stamp(path: string, withNeighbours: boolean): Promise<{ version: string; bytes: number }> {
  const digest = createHash('sha256')
  let bytes = 0
  const add = async (file: string, counts: boolean) => {
    const { size, mtimeMs, ino } = await stat(file)
    digest.update(`${file}\0${size}\0${mtimeMs}\0${ino}\n`)
    if (counts) bytes += size
  }
  const root = await stat(path)
  if (root.isFile()) {
    await add(path, true)
    if (withNeighbours) bytes = Math.max(bytes, await weightsBeside(path))
  } else {
    const files = (await readdir(path, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile())
    for (const file of files.map((entry) => join(entry.parentPath, entry.name)).sort()) await add(file, true)
  }
  return { version: digest.digest('hex').slice(0, 32), bytes }
}

/** Bytes of an ONNX file and of those beside it that are named after it, as exporters name external data. */
async function weightsBeside(path: string): Promise<number> {
  const folder = dirname(path)
  const stem = path.slice(folder.length + 1)
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile())
  const beside = files.filter(({ name }) => name === stem || name.startsWith(`${stem}.`) || name.startsWith(`${stem}_`))
  const sizes = await Promise.all(beside.map(async ({ name }) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
