export {
  type FoundModel,
  type ModelFiles,
  type ModelFormat,
  type ModelOrigin,
  modelFormats,
  type PreparedForm,
  type UnownedModel,
} from './model-files.ts'
export { type ModelLocation, modelOrigin, type OriginOptions, whereIs } from './model-origin.ts'
export { stampOf } from './model-stamp.ts'
export { type Mount, throughMounts } from './mounts.ts'
export {
  describeFile,
  describeModel,
  manifestFormat,
  manifestName,
  type PreparedManifest,
  parseManifest,
  platformName,
  preparedEntryName,
  preparedFolder,
  preparedModelName,
  preparedWeightsName,
  verifyPrepared,
} from './prepared.ts'
