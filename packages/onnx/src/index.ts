export { fromBytes, roundTo, toBytes } from './bytes.ts'
export type { Atom, Bounds, Dim, DimJson } from './dim.ts'
export * as dims from './dim.ts'
export { Sym } from './dim.ts'
export { bytesOf, type ElementType, elementTypes, isComplex, isFloat, isInteger } from './element-type.ts'
export * as emit from './emit/index.ts'
export { checkExternalRange } from './external-data.ts'
export { type Attributes, type AttributeValue, GraphBuilder, type OutputType, opset, Scope } from './graph-builder.ts'
export { type Comparison, defaultHint, type Guard, Guards, guardsHold, type LabelledShape } from './guards.ts'
export {
  type ImportedInput,
  type ImportedModel,
  type ImportedOutput,
  ImportRefusal,
  type InputSpec,
  type ModelSource,
  type OutputStructure,
  type RefusalReason,
  refuse,
  sourceOf,
} from './importer.ts'
export type {
  Attribute,
  Content,
  ExternalRange,
  Graph,
  Initializer,
  Model,
  Node,
  TensorData,
  ValueInfo,
} from './model.ts'
export {
  type Chunks,
  decodeMessage,
  encodeMessage,
  type FieldType,
  type Message,
  type MessageType,
  ProtoError,
} from './proto.ts'
export { readModel } from './read.ts'
export { knownScalar, maxElements, type Quant, rankOf, scalar, type Value, vector } from './value.ts'
export { joinChunks, writeModel } from './write.ts'
