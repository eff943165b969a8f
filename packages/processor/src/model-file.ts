import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EasError } from '@eas/base'

/** What a model is called in `service.json`: `model_path`, and `model_entry` below it. */
export interface ModelLocation {
  readonly model_path: string
  readonly model_entry: string | undefined
}

/**
 * The ONNX file of a model on this machine. A folder means the one `.onnx` file in it.
 *
 * @param baseDir What a relative `model_path` is relative to: the folder of `service.json`.
 * @throws {EasError} `not_found` saying where it was looked for, `not_implemented` for what this version cannot serve.
 */
export async function findModelFile({ model_path, model_entry }: ModelLocation, baseDir: string): Promise<string> {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(model_path) ?? []
  if (scheme !== undefined && scheme.toLowerCase() !== 'file') {
    throw new EasError(
      'not_implemented',
      `Cannot load ${model_path}: models are read from local files; put the file on this machine and name it in model_path`,
    )
  }
  const root = scheme === undefined ? resolve(baseDir, model_path) : fileURLToPath(model_path)
  const path =
    model_entry === undefined ? root : resolve((await isFile(root)) ? resolve(root, '..') : root, model_entry)
  if (await isFile(path)) return onnxOnly(path, model_path)

  const files = await readdir(path).catch(() => {
    throw new EasError('not_found', `Cannot find the model: ${path} does not exist`)
  })
  const models = files.filter((file) => file.endsWith('.onnx'))
  const [only] = models
  if (only !== undefined && models.length === 1) return resolve(path, only)
  throw new EasError(
    models.length > 1 ? 'invalid_request' : 'not_implemented',
    models.length > 1
      ? `Cannot choose a model: ${path} has ${models.length} .onnx files; name one in model_entry`
      : `Cannot load ${model_path}: the folder has no .onnx file, and other formats are not read yet`,
  )
}

/** What a file is by its name, for those that people will try. */
const otherFormats: { readonly [extension: string]: string } = {
  pt: 'a TorchScript archive',
  pth: 'a PyTorch file',
  pb: 'a TensorFlow graph',
  pmml: 'PMML',
}

function onnxOnly(path: string, model_path: string): string {
  if (path.endsWith('.onnx') || path.endsWith('.ort')) return path
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  const what = Object.hasOwn(otherFormats, extension) ? otherFormats[extension] : 'not an .onnx file'
  throw new EasError('not_implemented', `Cannot load ${model_path}: it is ${what}; this version serves ONNX models`)
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
