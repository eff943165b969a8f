import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { EasError } from '@eas/base'
import type { FoundModel, ModelFormat } from '@eas/models'
import type { ModelSource } from '@eas/onnx'
import { createSession, type OpenableModel, type SessionOptions } from '../session.ts'
import { type LoadedModel, loadedSession } from './loaded-model.ts'
import type { Lowering } from './lowered-model.ts'

/** Weights from which rearranging them delays the first answer by more than a session costs anyway. */
const prepackBytesMin = 32 * 1024 * 1024

/**
 * Opens a model's files, lowering them to ONNX where they are of another format.
 *
 * @param startsQuickly Rather a session now than a fast one; where that is a difference, it is `isProvisional`.
 * @throws {EasError} `not_ready` with the reason when the model cannot be loaded.
 */
export async function openModel(
  files: FoundModel,
  options: SessionOptions & { readonly startsQuickly: boolean },
): Promise<LoadedModel> {
  const lowering = await loweringOf(files)
  if (lowering) {
    const { lowerModel } = await import('./lowered-model.ts')
    return lowerModel(lowering, options)
  }
  const { path, prepared } = files
  const skipsPrepacking = options.startsQuickly && (prepared?.prepackBytes ?? 0) >= prepackBytesMin
  const model: OpenableModel = { onnx: path, isOptimised: prepared !== undefined, skipsPrepacking }
  return loadedSession(await createSession(model, options))
}

/** How a model is lowered; `undefined` for one that is ONNX. What lowers is loaded only for a model that needs it. */
export async function loweringOf({ format, path }: FoundModel): Promise<Lowering | undefined> {
  return lowerings[format]?.(path)
}

const lowerings: { readonly [F in ModelFormat]: ((path: string) => Promise<Lowering>) | undefined } = {
  onnx: undefined,
  async torchscript(path) {
    const { describeTorchScript, importTorchScript } = await import('@eas/import-torchscript')
    const source = await fileSource(path)
    const location = basename(path)
    return {
      folder: dirname(path),
      lower: (inputs) => importTorchScript(source, { location, ...(inputs && { inputs }) }),
      async inputNames() {
        const [forward] = (await describeTorchScript(source)).methods
        return forward?.parameters.filter(({ kind }) => kind === 'tensor').map(({ name }) => name) ?? []
      },
    }
  },
  savedmodel: notYet,
  'frozen-graph': notYet,
}

function notYet(): never {
  throw new EasError('not_implemented', 'Cannot load the model: this format is not read yet')
}

/** A file that is read where it is needed. It stays open for as long as the process: later requests may need it again. */
async function fileSource(path: string): Promise<ModelSource> {
  const file = await open(path)
  const { size } = await file.stat()
  return {
    size,
    async read(start, end) {
      const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(end, size) - start))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
      return buffer.subarray(0, bytesRead)
    },
  }
}
