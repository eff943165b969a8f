import { basename, dirname } from 'node:path'
import { EasError, oneLine } from '@eas/base'
import { modelOrigin } from '@eas/models'
import { type ElementType, elementTypes, type ImportedModel, ImportRefusal, joinChunks } from '@eas/onnx'
import { loweringOf } from './engine/open-model.ts'
import { type SelfCheck, selfCheck } from './self-check.ts'
import type { Machine } from './service-spec.ts'
import { optimiseModel } from './session.ts'

/** An input as a person gives it; `dtype` is looked at here. */
export interface ImportInput {
  readonly input: string | number
  readonly dtype: string
  readonly shape: readonly (number | string)[]
  readonly example: readonly number[]
}

export interface ImportToOnnxOptions {
  readonly inputs: readonly ImportInput[]
  /** The ONNX file to write; its weights go into a file beside it. */
  readonly to: string | undefined
  readonly check: boolean
}

/** What became of a model. */
export interface ImportReport extends Pick<ImportedModel, 'inputs' | 'outputs' | 'ops' | 'assumptions' | 'warnings'> {
  readonly format: string
  /** Of the ONNX file without weights. */
  readonly graphBytes: number
  readonly guards: readonly string[]
  readonly checked: SelfCheck | undefined
}

/**
 * Lowers a model to ONNX, as `eas serve` does by itself, and says what came of it.
 * @throws {EasError} `not_implemented` with every reason why it cannot be lowered.
 */
export async function importToOnnx(
  model: string,
  baseDir: string,
  { stores, cache, settings }: Machine,
  { inputs, to, check }: ImportToOnnxOptions,
): Promise<ImportReport> {
  const deadlineMs = settings.downloadSeconds * 1000
  const location = { model_path: model, model_entry: undefined }
  const files = await modelOrigin(location, {
    baseDir,
    mounts: [],
    stores,
    cache,
    platform: undefined,
    deadlineMs,
  }).open()
  try {
    const lowering = await loweringOf(files)
    if (!lowering) throw new EasError('invalid_request', `Cannot import ${model}: it is ONNX already`)
    const imported = await lowering.lower(inputs.length > 0 ? inputs.map(toSpec) : undefined)
    const sizes = new Map(
      inputs.flatMap(({ shape, example }) => shape.map((dim, i) => [String(dim), example[i] ?? 3] as const)),
    )
    const checked = check ? await selfCheck(lowering, imported, sizes) : undefined
    if (to !== undefined) {
      const names = { folder: dirname(to), model: basename(to), weights: `${basename(to)}.data` }
      const onnx = { bytes: joinChunks(imported.model), folder: lowering.folder }
      await optimiseModel({ onnx, isOptimised: false }, names, 'disabled')
    }
    const { outputs, ops, assumptions, warnings } = imported
    const guards = imported.guards.map(({ text }) => text)
    return {
      format: files.format,
      graphBytes: imported.model.size,
      inputs: imported.inputs,
      outputs,
      ops,
      guards,
      assumptions,
      warnings,
      checked,
    }
  } catch (thrown) {
    if (!(thrown instanceof ImportRefusal)) throw thrown
    const reasons = thrown.reasons.map(
      ({ what, where, remedy }) => `\n  ${oneLine(what, 300)}${where && ` (${where})`}${remedy && `. ${remedy}`}`,
    )
    throw new EasError('not_implemented', `Cannot import ${model}:${reasons.join('')}`, { cause: thrown })
  } finally {
    files.release()
  }
}

function toSpec({ input, dtype, shape, example }: ImportInput) {
  if (!Object.hasOwn(elementTypes, dtype)) {
    throw new EasError(
      'invalid_request',
      `Cannot use input ${input}: ${dtype} is not one of ${Object.keys(elementTypes).join(', ')}`,
    )
  }
  return { input, dtype: dtype as ElementType, shape, example } // it is a key of elementTypes
}
