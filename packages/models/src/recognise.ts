import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { EasError } from '@eas/base'
import type { FoundModel, ModelFormat } from './model-files.ts'

/** File names by their extension, in lower case. */
const formatOf: { readonly [extension: string]: ModelFormat } = {
  onnx: 'onnx',
  ort: 'onnx',
  pt: 'torchscript',
  pth: 'torchscript',
  jit: 'torchscript',
  torchscript: 'torchscript',
  ptl: 'torchscript',
  pb: 'frozen-graph',
  pbtxt: 'frozen-graph',
}

/** What people try besides, so that the answer can name it. */
const otherFormats: { readonly [extension: string]: string } = {
  pmml: 'PMML',
  pt2: 'a torch.export archive; export TorchScript or ONNX',
  h5: 'a Keras file; export a SavedModel',
  keras: 'a Keras file; export a SavedModel',
  safetensors: 'weights without a graph; export TorchScript or ONNX',
  ckpt: 'a checkpoint without a graph; export a SavedModel',
  tflite: 'TensorFlow Lite',
  bin: 'weights without a graph; export TorchScript or ONNX',
}

/** Folders that a model may lie below: an archive's own, a version's. */
const depthMax = 3

/**
 * The model below a path of this machine: a file of a known format, or a folder that is a SavedModel, has one model file, or
 * has another such folder alone or as its highest number (a version, as TensorFlow Serving keeps them).
 *
 * @param model_entry Names the file below `path`, or beside it when `path` is a file.
 * @param name The model as the configuration calls it, for messages.
 * @throws {EasError} `not_found`, `invalid_request` for more than one candidate, `not_implemented` for another format.
 */
export async function recogniseModel(path: string, model_entry: string | undefined, name: string): Promise<FoundModel> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new EasError('not_found', `Cannot find the model: ${name} does not exist`)
  if (model_entry !== undefined) {
    const folder = found.isFile() ? resolve(path, '..') : path
    const entry = resolve(folder, model_entry)
    if (entry !== folder && !entry.startsWith(folder + sep)) {
      throw new EasError('invalid_request', `Cannot use model_entry ${model_entry}: it is outside ${name}`)
    }
    return recogniseModel(entry, undefined, `${model_entry} in ${name}`)
  }
  return found.isFile() ? ofFile(path, name) : ofFolder(path, name, depthMax)
}

function ofFile(path: string, name: string): FoundModel {
  const file = path.slice(path.lastIndexOf(sep) + 1).toLowerCase()
  if (/^saved_model\.pb(txt)?$/.test(file)) return { format: 'savedmodel', path: resolve(path, '..') }
  const extension = file.slice(file.lastIndexOf('.') + 1)
  const format = Object.hasOwn(formatOf, extension) ? formatOf[extension] : undefined
  if (format) return { format, path }
  const what = Object.hasOwn(otherFormats, extension) ? otherFormats[extension] : 'of no format that is known'
  throw new EasError('not_implemented', `Cannot load ${name}: it is ${what}`)
}

async function ofFolder(folder: string, name: string, depth: number): Promise<FoundModel> {
  if (['saved_model.pb', 'saved_model.pbtxt'].some((name) => existsSync(join(folder, name)))) {
    return { format: 'savedmodel', path: folder }
  }
  const entries = await entriesOf(folder)
  // A TorchEasyRec export says which of its files is the model by its name. Who puts ONNX beside it wants that.
  for (const exported of ['model.onnx', 'scripted_model.pt']) {
    if (entries.some((entry) => entry.name === exported)) return ofFile(join(folder, exported), name)
  }
  const models = entries.filter((entry) => entry.isFile && extensionFormat(entry) !== undefined)
  const onnx = models.filter((entry) => extensionFormat(entry) === 'onnx')
  const [only] = onnx.length > 0 ? onnx : models
  const count = onnx.length > 0 ? onnx.length : models.length
  if (only && count === 1) return ofFile(join(folder, only.name), name)
  if (count > 1) {
    throw new EasError(
      'invalid_request',
      `Cannot choose a model: ${name} has ${count} of them; name one in model_entry`,
    )
  }
  // A TorchEasyRec match model is exported as two towers, of which services run the user's.
  const isMatch = ['user', 'item'].every((tower) => entries.some((entry) => entry.isFolder && entry.name === tower))
  const below = isMatch ? 'user' : onlyFolder(entries)
  if (below !== undefined && depth > 0) return ofFolder(join(folder, below), name, depth - 1)
  throw new EasError('not_implemented', `Cannot load ${name}: the folder has no model of a format that is known`)
}

interface Entry {
  readonly name: string
  readonly isFile: boolean
  readonly isFolder: boolean
}

/** What counts in a folder. Links stand for what they lead to: mounted volumes and download caches are made of them. */
async function entriesOf(folder: string): Promise<readonly Entry[]> {
  const found = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => isPlain(name))
  return Promise.all(
    found.map(async (entry) => {
      const { name } = entry
      const kind = entry.isSymbolicLink() ? await stat(join(folder, name)).catch(() => undefined) : entry
      return { name, isFile: kind?.isFile() ?? false, isFolder: kind?.isDirectory() ?? false }
    }),
  )
}

/** Whether a name counts: what a Mac adds to archives does not. */
export const isPlain = (name: string): boolean => !name.startsWith('.') && name !== '__MACOSX'

/** Whether a file's name is one of a model. */
export const isModelFile = (name: string): boolean => extensionFormat({ name }) !== undefined

const extensionFormat = ({ name }: { readonly name: string }): ModelFormat | undefined => {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return name.includes('.') && Object.hasOwn(formatOf, extension) ? formatOf[extension] : undefined
}

/** The one folder there is, or of several that are numbers the highest. */
function onlyFolder(entries: readonly Entry[]): string | undefined {
  const folders = entries.filter((entry) => entry.isFolder).map(({ name }) => name)
  if (folders.length === 1) return folders[0]
  return newestVersion(folders)
}

/** The highest of names that are whole numbers; others do not count. */
export function newestVersion(names: readonly string[]): string | undefined {
  const versions = names.filter((name) => /^\d{1,20}$/.test(name))
  return versions.reduce<string | undefined>(
    (newest, name) => (newest === undefined || BigInt(name) > BigInt(newest) ? name : newest),
    undefined,
  )
}
