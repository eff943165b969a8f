export type { EngineState } from './engine/engine.ts'
export { type Isolation, isolations } from './engine/host.ts'
export type { ImportInput, ImportReport } from './import-to-onnx.ts'
export { type LoadedServices, loadServices, type ServiceFile } from './load-services.ts'
export { createLogger, type Logger } from './log.ts'
export {
  bodyTooLarge,
  createProcessor,
  type Exchange,
  type Processor,
  type ProcessorOptions,
  type Readiness,
} from './processor.ts'
export type { Client, ServiceSpec } from './service.ts'
export { type Machine, machineOf, reasonsAgainst, type ServiceContext, serviceSpec } from './service-spec.ts'
export { createSession, type ModelInfo, type ModelSession, onnxRuntimeVersion, type ValueInfo } from './session.ts'
export { type Settings, settingsFromEnv, settingsTable } from './settings.ts'
export { signatureJson } from './signature-json.ts'
export { describeModel, importToOnnx, prepareBeside, prepareModel } from './tools.ts'
