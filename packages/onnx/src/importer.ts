import type { ElementType } from './element-type.ts'
import type { Guard, LabelledShape } from './guards.ts'
import type { Chunks } from './proto.ts'

/** Bytes of a model file, read where they are needed: a file, a buffer, an object behind ranged requests. */
export interface ModelSource {
  /** Bytes of the whole file. */
  readonly size: number
  /** Bytes `start` to `end`, exclusive. Fewer than asked means that the file is cut off. */
  read(start: number, end: number): Promise<Uint8Array>
}

/** What an input will be given. */
export interface InputSpec {
  /** Its name, or its position among the model's parameters. */
  readonly input: string | number
  readonly dtype: ElementType
  /** A number is fixed; equal labels stand for equal sizes, across inputs too. */
  readonly shape: LabelledShape
  /** Sizes of an example, one per dimension: decides branches on labelled sizes. */
  readonly example?: readonly number[]
}

/** A model lowered to ONNX. */
export interface ImportedModel {
  /** The ONNX file in pieces. It has to lie beside the model it came from, whose bytes are its weights. */
  readonly model: Chunks
  /** Files, relative to the ONNX file, that hold weights. */
  readonly externalData: readonly string[]
  readonly inputs: readonly ImportedInput[]
  /** Names of the ONNX outputs, in order. */
  readonly outputs: readonly ImportedOutput[]
  /** How the model nests its outputs. */
  readonly structure: OutputStructure
  /** True of the sizes a request may have; otherwise the model has to be lowered anew. */
  readonly guards: readonly Guard[]
  /** Taken for granted about data, which nothing checks. */
  readonly assumptions: readonly string[]
  readonly warnings: readonly string[]
  /** Whether it draws random numbers: outputs of equal inputs differ from run to run. */
  readonly isRandom?: boolean
  /** Names of the source's operators, each once, in order of name. */
  readonly ops: readonly string[]
}

export interface ImportedInput {
  /** Name of the ONNX input. */
  readonly name: string
  readonly dtype: ElementType
  readonly shape: LabelledShape
  /** Position of the parameter it belongs to. */
  readonly position: number
  /** For a parameter that takes a dictionary, the key; for a list or tuple, the index. */
  readonly key?: string | number
}

export interface ImportedOutput {
  readonly name: string
  readonly dtype: ElementType
  /** Labels and formulas stand for sizes that are not fixed. */
  readonly shape: LabelledShape
}

/** Index of a tensor among the outputs, a value known when the model was lowered, or a nest of those. */
export type OutputStructure =
  | { readonly kind: 'tensor'; readonly output: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'constant'; readonly value: number | string | boolean }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly OutputStructure[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [key: string, value: OutputStructure])[] }

/** One thing that stands in the way of lowering a model. */
export interface RefusalReason {
  /** The operator or construct, and what is the matter with it. */
  readonly what: string
  /** Where in the source, as far as is known. */
  readonly where: string
  /** What the owner of the model can do. */
  readonly remedy: string
}

/** The model cannot be lowered. Carries every reason that was found, not the first. */
export class ImportRefusal extends Error {
  override readonly name = 'ImportRefusal'
  readonly code = 'import_refused'
  readonly reasons: readonly RefusalReason[]

  constructor(reasons: readonly RefusalReason[]) {
    super(
      `Cannot lower the model: ${reasons.map(({ what, where }) => (where ? `${what} (${where})` : what)).join('; ')}`,
    )
    this.reasons = reasons
  }
}

/** The reading of a model file went wrong: it is cut off, damaged or hostile. */
export const refuse = (what: string, where = '', remedy = ''): ImportRefusal =>
  new ImportRefusal([{ what, where, remedy }])

/** A `ModelSource` of bytes in memory. */
export const sourceOf = (bytes: Uint8Array): ModelSource => ({
  size: bytes.length,
  read: async (start, end) => bytes.subarray(start, end),
})
