export { type FoundModel, type ModelFiles, type ModelFormat, type ModelOrigin, modelFormats } from './model-files.ts'
export { type ModelLocation, modelOrigin, type OriginOptions, whereIs } from './model-origin.ts'
export { type Mount, throughMounts } from './mounts.ts'
export {
  describeFile,
  manifestFormat,
  manifestName,
  type PreparedManifest,
  parseManifest,
  platformName,
  preparedFolder,
  preparedModelName,
  preparedWeightsName,
  verifyPrepared,
} from './prepared.ts'
