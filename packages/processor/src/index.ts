export type { EngineState } from './engine/engine.ts'
export { type Isolation, isolations } from './engine/host.ts'
export { createLogger, type Logger } from './log.ts'
export { findModelFile, type ModelLocation } from './model-file.ts'
export {
  createProcessor,
  type Processor,
  type ProcessorOptions,
  type Readiness,
  type RequestContext,
} from './processor.ts'
export type { ServiceSpec } from './service.ts'
export { type ServiceContext, serviceSpec } from './service-spec.ts'
export { createSession, type ModelInfo, type ModelSession, type ValueInfo } from './session.ts'
export { type Settings, settingsFromEnv, settingsTable } from './settings.ts'
export { signatureJson } from './signature-json.ts'
