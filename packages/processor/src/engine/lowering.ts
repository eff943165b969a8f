import type { Tensor } from '@eas/base'
import type { Prologue } from '@eas/import-savedmodel'
import type { FoundModel, ModelFormat } from '@eas/models'
import type { Chunks, Guard, InputSpec, LabelledShape } from '@eas/onnx'
import type { ModelInfo, ValueInfo } from '../session.ts'

/** A model that is not ONNX, read as far as it has to be to be lowered. */
export interface Lowering {
  /** Folder that the lowered model's weights are in. */
  readonly folder: string
  /** Inputs and outputs, as far as the model says them. */
  describe(): Promise<Pick<ModelInfo, 'inputs' | 'outputs' | 'mustNameOutputs'>>
  /**
   * The name of the entry that a request asks for, or that no request in particular does; `undefined` where only a request
   * could say.
   * @throws {EasError} `invalid_request` for an entry that the model does not have.
   */
  entryFor(request: Asked | undefined): string | undefined
  /**
   * @param inputs What requests have for the inputs that the model itself says too little of.
   * @throws {ImportRefusal}
   */
  lower(entry: string, inputs: readonly InputSpec[] | undefined): Promise<Lowered>
  /** Names of the entries, the one first that is meant where none is named; `undefined` where requests make them up. */
  readonly entries: readonly string[] | undefined
  close(): void
}

/** What a request says of how the model is to be called. */
export interface Asked {
  /** By name or position. */
  readonly tensors: ReadonlyMap<string | number, Tensor>
  /** '' for the default one. */
  readonly signature_name: string
  /** Names of outputs; none stands for all. */
  readonly output_filter: readonly string[]
}

/** A model lowered to ONNX for one of its entries. */
export interface Lowered {
  readonly entry: Entry
  /** The ONNX file; its weights are below the folder of the lowering. */
  readonly model: Chunks
  /** Names of the source's operators, each once. */
  readonly ops: readonly string[]
  /** Taken for granted about data, which nothing checks. */
  readonly assumptions: readonly string[]
  /** Computes other outputs of the same inputs each time. */
  readonly isRandom?: boolean | undefined
}

/**
 * One way to call a model: its method, a signature, nodes of a graph. Says how requests have its inputs and outputs, which are
 * not always those of the ONNX model. Plain data, so that it can be kept beside a prepared model.
 */
export interface Entry {
  readonly kind: 'method' | 'signature' | 'nodes'
  readonly name: string
  readonly inputs: readonly EntryInput[]
  readonly outputs: readonly EntryOutput[]
  /** True of the sizes a request may have; otherwise the model has to be lowered anew. */
  readonly guards: readonly Guard[]
  /** Whether sizes that are free may be 0. */
  readonly takesEmpty: boolean
  /** What is computed of the inputs before the ONNX model is given them. */
  readonly prologue: Prologue | undefined
  readonly warnings: readonly string[]
}

export interface EntryInput extends ValueInfo {
  readonly dtype: NonNullable<ValueInfo['dtype']>
  /** Equal labels stand for equal sizes; `''` for any. */
  readonly shape: LabelledShape
  /** As an `InputSpec` names it. */
  readonly input: string | number
}

export interface EntryOutput extends ValueInfo {
  /** Name of the ONNX output. */
  readonly onnx: string
}

/** How a model is lowered; `undefined` for one that is ONNX. What lowers is loaded only for a model that needs it. */
export const loweringOf = async ({ format, path }: FoundModel): Promise<Lowering | undefined> =>
  lowerings[format]?.(path)

const lowerings: { readonly [F in ModelFormat]: ((path: string) => Promise<Lowering>) | undefined } = {
  onnx: undefined,
  torchscript: async (path) => (await import('./lowerings/torchscript.ts')).torchScriptLowering(path),
  savedmodel: async (path) => (await import('./lowerings/savedmodel.ts')).savedModelLowering(path),
  'frozen-graph': async (path) => (await import('./lowerings/frozen-graph.ts')).frozenGraphLowering(path),
}
