import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { EasError, oneLine } from '@eas/base'

/**
 * What lies beside the model file in a TorchEasyRec export.
 * @see alibaba/TorchEasyRec, `tzrec/main.py` (export) and `tzrec/acc/utils.py` (`model_acc.json`)
 */
export interface ModelFolder {
  readonly path: string
  /** The document of features, as it was read. */
  readonly fgJson: Uint8Array
  /** `model_acc.json`: how the model was exported. `undefined` where there is none; the environment stands for it then. */
  readonly modelAcc: Readonly<Record<string, unknown>> | undefined
  /** A file that fg.json names. */
  asset(name: string): Promise<Uint8Array>
  /** Paths of the files that make a match model a recall service. */
  readonly recall: { readonly index: string; readonly idMapping: string } | undefined
}

/** Bytes of a document; the largest known fg.json, of 1,500 features, is 700 kB. */
const documentBytesMax = 64 * 1024 * 1024

/**
 * @param path The folder of the model file; of a match model its `user/` folder, whose index may lie beside it or above.
 * @throws {EasError} `not_ready` when fg.json is not there, or a document is none.
 */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const fgJson = await readDocument(path, 'fg.json')
  if (!fgJson)
    throw new EasError(
      'not_ready',
      'Cannot load the model: there is no fg.json beside it; with fg_mode bypass it needs none',
    )
  const modelAcc = await readDocument(path, 'model_acc.json')
  return {
    path,
    fgJson,
    modelAcc: modelAcc && parseObject(modelAcc, 'model_acc.json'),
    asset: (name) => readFile(within(path, name)),
    recall: (await recallIn(path)) ?? (basename(path) === 'user' ? await recallIn(dirname(path)) : undefined),
  }
}

/** The file beside the model, unless there is none. */
export async function readDocument(folder: string, name: string): Promise<Uint8Array | undefined> {
  const path = join(folder, name)
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) return undefined
  if (found.size > documentBytesMax) {
    throw new EasError('not_ready', `Cannot load the model: ${name} has ${found.size} bytes, over ${documentBytesMax}`)
  }
  return readFile(path)
}

/** @throws {EasError} `not_ready` unless the bytes are a JSON object. */
export function parseObject(bytes: Uint8Array, name: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new EasError('not_ready', `Cannot load the model: ${name} is not JSON`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EasError('not_ready', `Cannot load the model: ${name} is not an object`)
  }
  return value as Record<string, unknown> // an object, whatever is in it
}

/** The path of a file that the export names; it cannot name one outside of itself. */
export function within(folder: string, name: string): string {
  const path = resolve(folder, name)
  if (!path.startsWith(resolve(folder) + sep)) throw new Error(`${oneLine(name)} is outside of the model's folder`)
  return path
}

/** @see tzrec.tools.create_faiss_index, which writes both. */
export async function recallIn(folder: string): Promise<ModelFolder['recall']> {
  const [index, idMapping] = [join(folder, 'faiss_index'), join(folder, 'id_mapping')]
  const there = await Promise.all(
    [index, idMapping].map((path) =>
      stat(path).then(
        (found) => found.isFile(),
        () => false,
      ),
    ),
  )
  return there.every(Boolean) ? { index, idMapping } : undefined
}
