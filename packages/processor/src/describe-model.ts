import { EasError } from '@eas/base'
import { type ModelFormat, modelOrigin } from '@eas/models'
import { ImportRefusal } from '@eas/onnx'
import { loweringOf } from './engine/lowering.ts'
import type { Machine } from './service-spec.ts'
import type { ValueInfo } from './session.ts'

/** What a model that is not ONNX says of itself, without being lowered. */
export interface ModelDescription {
  readonly format: ModelFormat
  readonly bytes: number
  /** Signatures or methods, the default one first; `undefined` where requests name the nodes they ask for. */
  readonly entries: readonly string[] | undefined
  /** Of the default one. */
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
}

/** @throws {EasError} `not_found`, `not_implemented` for an ONNX model, `not_ready` for one that cannot be read. */
export async function describeModel(model: string, baseDir: string, machine: Machine): Promise<ModelDescription> {
  const { stores, cache, settings } = machine
  const deadlineMs = settings.downloadSeconds * 1000
  const location = { model_path: model, model_entry: undefined }
  const options = { baseDir, mounts: [], stores, cache, platform: undefined, deadlineMs }
  const files = await modelOrigin(location, options).open()
  try {
    const lowering = await loweringOf(files)
    if (!lowering) throw new EasError('not_implemented', `Cannot describe ${model}: it is ONNX`)
    try {
      const { inputs, outputs } = await lowering.describe()
      return { format: files.format, bytes: files.bytes, entries: lowering.entries, inputs, outputs }
    } finally {
      lowering.close()
    }
  } catch (thrown) {
    if (!(thrown instanceof ImportRefusal)) throw thrown
    throw new EasError('not_ready', thrown.message, { cause: thrown })
  } finally {
    files.release()
  }
}
