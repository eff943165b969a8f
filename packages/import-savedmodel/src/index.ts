export { renderOps } from './docs.ts'
export { fileSource, folderOf, type ModelDirectory } from './folder.ts'
export { type FrozenGraph, type ImportFrozenGraphOptions, importFrozenGraph, openFrozenGraph } from './frozen-graph.ts'
export type { Prologue } from './host/program.ts'
export { prologueFromJson, prologueToJson } from './host/prologue-json.ts'
export { runPrologue } from './host/run.ts'
export { importerVersion } from './lower-graph.ts'
export {
  describeSavedModel,
  type ImportSavedModelOptions,
  importSavedModel,
  type LoweredSignature,
  openSavedModel,
  type SavedModel,
  type SavedModelDescription,
} from './saved-model.ts'
export {
  describeSignature,
  type Signature,
  type SignatureDescription,
  type SignatureTensor,
} from './signature.ts'
