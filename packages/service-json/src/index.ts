export {
  type BadOption,
  ConfigError,
  type ConfigWarning,
  formatBadOption,
  type Position,
  unknownKeys,
  type WarningCode,
} from './config-error.ts'
export { renderServiceKeys } from './docs.ts'
export type { Fate, KeyRow, KeyTable } from './key-row.ts'
export { bladeKeys, easyRecKeys, torchEasyRecKeys } from './model-keys.ts'
export { nearest } from './nearest.ts'
export { modelMountPath, parseServiceJson } from './parse.ts'
export { type ProcessorCode, type ProcessorFamily, parseProcessorCode } from './processor-code.ts'
export type {
  Autoscaler,
  BladeItems,
  BladePlugin,
  CloudConfig,
  Decompressor,
  EasyRecConfig,
  NetworkingConfig,
  RpcConfig,
  ServiceConfig,
  ServiceMetadata,
  StorageMount,
  TorchEasyRecConfig,
} from './service-config.ts'
export { serviceKeys } from './service-keys.ts'
