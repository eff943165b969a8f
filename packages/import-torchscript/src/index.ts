export { loweredOps, renderOps } from './docs.ts'
export { describeTorchScript, type ImportTorchScriptOptions, importerVersion, importTorchScript } from './import.ts'
export type { ParameterKind, TorchScriptDescription, TorchScriptParameter } from './parameters.ts'
