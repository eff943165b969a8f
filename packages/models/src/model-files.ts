/** What can be served, by what its files are. */
export const modelFormats = ['onnx', 'torchscript', 'savedmodel', 'frozen-graph'] as const
export type ModelFormat = (typeof modelFormats)[number]

/** Where a model's files are on this machine, and what they are. Plain data, so that it can cross to a worker. */
export interface FoundModel {
  readonly format: ModelFormat
  /** The file; the folder of a SavedModel. Not there where a prepared form stands for all of the model. */
  readonly path: string
  /** The form of it that has been prepared for this machine. */
  readonly prepared?: PreparedForm
}

export interface PreparedForm {
  /** Of its ONNX file. */
  readonly path: string
  /** Of what says how the model is called, for a model that was not ONNX. */
  readonly entryPath: string | undefined
  /** Bytes of weights that a session would still rearrange. */
  readonly prepackBytes: number
  /** Whether the model itself is never needed. */
  readonly isWhole: boolean
}

/** A model on this machine's disk, as plain data: whoever has it in use keeps it there. */
export interface UnownedModel extends FoundModel {
  /** Names these exact bytes; equal versions of one origin are the same model. */
  readonly version: string
  /** Path or URL of what was opened: a version of the model, where it has versions. Its prepared forms lie beside it. */
  readonly place: string
  /** Of all its files together. */
  readonly bytes: number
}

/** A model on this machine's disk. It stays there until it is released. */
export interface ModelFiles extends UnownedModel {
  release(): void
}

/** Where a model comes from: somewhere that may have another version of it tomorrow. */
export interface ModelOrigin {
  /** As a configuration names it, for messages. */
  readonly name: string
  /** Whether it is used where it lies, on this machine. */
  readonly isLocal: boolean
  /**
   * Brings the newest version to this machine.
   * @throws {EasError} `not_found` where there is nothing, `not_ready` when it cannot be had now, and for a model of no
   * format that can be served `not_implemented`.
   */
  open(signal?: AbortSignal): Promise<ModelFiles>
  /** The version that `open` would bring now, for little. */
  newest(signal?: AbortSignal): Promise<string>
}
