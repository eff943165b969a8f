import { basename, dirname } from 'node:path'
import { EasError, oneLine, type Tensor } from '@eas/base'
import { modelOrigin } from '@eas/models'
import { type ElementType, elementTypes, ImportRefusal, joinChunks } from '@eas/onnx'
import { type Entry, type Lowered, type Lowering, loweringOf } from './engine/lowering.ts'
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
  /** '' for the default one. */
  readonly signature: string
  /** Nodes of a frozen graph to answer with. */
  readonly fetches: readonly string[]
  /** What the model does not say of its inputs; of a frozen graph, also which they are. */
  readonly inputs: readonly ImportInput[]
  /** The ONNX file to write; its weights go into a file beside it. */
  readonly to: string | undefined
  readonly check: boolean
}

/** What became of a model. */
export interface ImportReport
  extends Pick<Lowered, 'ops' | 'assumptions'>,
    Pick<Entry, 'inputs' | 'outputs' | 'warnings'> {
  readonly format: string
  /** Method, signature or nodes. */
  readonly entry: string
  /** What runs in front of the ONNX model, by the names of its operators. */
  readonly prologue: readonly string[]
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
  { signature, fetches, inputs, to, check }: ImportToOnnxOptions,
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
  let lowering: Lowering | undefined
  try {
    lowering = await loweringOf(files)
    if (!lowering) throw new EasError('invalid_request', `Cannot import ${model}: it is ONNX already`)
    const isChosen = signature !== '' || fetches.length > 0
    const tensors = new Map((await fedNames(lowering, inputs)).map((name) => [name, nothing]))
    const name = lowering.entryFor(
      isChosen ? { tensors, signature_name: signature, output_filter: fetches } : undefined,
    )
    if (name === undefined) {
      throw new EasError('invalid_request', `Cannot import ${model}: name the nodes to answer with, with --fetch`)
    }
    const lowered = await lowering.lower(name, inputs.length > 0 ? inputs.map(toSpec) : undefined)
    const { entry, ops, assumptions } = lowered
    const sizes = new Map(
      inputs.flatMap(({ shape, example }) => shape.map((dim, i) => [String(dim), example[i] ?? 3] as const)),
    )
    const checked = check ? await selfCheck(lowering, lowered, sizes) : undefined
    if (to !== undefined) {
      const names = { folder: dirname(to), model: basename(to), weights: `${basename(to)}.data` }
      const onnx = { bytes: joinChunks(lowered.model), folder: lowering.folder }
      await optimiseModel({ onnx, isOptimised: false }, names, 'disabled')
    }
    return {
      format: files.format,
      entry: entry.name,
      prologue: [...new Set(entry.prologue?.steps.map(({ op }) => op))],
      graphBytes: lowered.model.size,
      inputs: entry.inputs,
      outputs: entry.outputs,
      ops,
      guards: entry.guards.map(({ text }) => text),
      assumptions,
      warnings: entry.warnings,
      checked,
    }
  } catch (thrown) {
    if (!(thrown instanceof ImportRefusal)) throw thrown
    const reasons = thrown.reasons.map(
      ({ what, where, remedy }) => `\n  ${oneLine(what, 300)}${where && ` (${where})`}${remedy && `. ${remedy}`}`,
    )
    throw new EasError('not_implemented', `Cannot import ${model}:${reasons.join('')}`, { cause: thrown })
  } finally {
    lowering?.close()
    files.release()
  }
}

/** The inputs that were given, or all that the model has. */
const fedNames = async (lowering: Lowering, inputs: readonly ImportInput[]) =>
  inputs.length > 0 ? inputs.map(({ input }) => input) : (await lowering.describe()).inputs.map(({ name }) => name)

/** An input that is only named. */
const nothing: Tensor = { dtype: 'float32', shape: [0], data: new Float32Array() }

function toSpec({ input, dtype, shape, example }: ImportInput) {
  if (!Object.hasOwn(elementTypes, dtype)) {
    throw new EasError(
      'invalid_request',
      `Cannot use input ${input}: ${dtype} is not one of ${Object.keys(elementTypes).join(', ')}`,
    )
  }
  return { input, dtype: dtype as ElementType, shape, example } // it is a key of elementTypes
}
