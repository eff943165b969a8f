import { oneLine } from '@eas/base'
import { readPlugins } from './blade-plugins.ts'
import { checkKeys } from './check-keys.ts'
import { type ConfigWarning, Findings, unknownKeys } from './config-error.ts'
import { readJsonc } from './jsonc.ts'
import { readModelConfig } from './model-config.ts'
import { readAutoscaler, readCloud, readNetworking, toRecord } from './platform-settings.ts'
import { type ProcessorCode, parseProcessorCode } from './processor-code.ts'
import type { ServiceConfig } from './service-config.ts'
import { type ServiceKeys, serviceKeys } from './service-keys.ts'
import { readStorage } from './storage-mounts.ts'

/** Where EAS wants the model of an EasyRec service mounted; with it there is no `model_path`. */
export const modelMountPath = '/home/admin/docker_ml/workspace/model/'

/**
 * Reads a `service.json`: JSON with comments and trailing commas, keys nested or flat, every key of the published pages.
 *
 * @param options.path Named in messages; `service.json` by default.
 * @returns The frozen configuration, and what its author should hear once. A valid configuration of something that is
 * not served here is no error: `config.notServable` says why.
 * @throws {ConfigError} `invalid_request`, with every bad value in `options`.
 * @see Alibaba Cloud help, "Parameters of model services"
 */
export function parseServiceJson(
  text: string,
  options?: { path?: string },
): { config: ServiceConfig; warnings: readonly ConfigWarning[] } {
  const file = oneLine(options?.path ?? 'service.json')
  const findings = new Findings()
  const root = readJsonc(text, file, findings)
  const keys = checkKeys(root, serviceKeys, '', findings)
  if (root.kind !== 'object') findings.throwIfBad(file)
  const config = toConfig(keys, file, findings)
  findings.throwIfBad(file)
  return { config: freeze(config), warnings: findings.warnings }
}

function toConfig(keys: ServiceKeys, file: string, findings: Findings): ServiceConfig {
  const processor = readProcessor(keys, findings)
  return {
    name: readName(keys, findings),
    ...readToken(keys, findings),
    notServable: whyNotServable(keys, processor, findings),
    processor,
    ...readModel(keys, processor, findings),
    ...readModelConfig(keys, processor, file, findings),
    processor_envs: readEnvs(keys, findings),
    warm_up_data_path: keys.get('warm_up_data_path') ?? [],
    storage: readStorage(keys, findings),
    metadata: readMetadata(keys, findings),
    autoscaler: readAutoscaler(keys, findings),
    cloud: readCloud(keys),
    networking: readNetworking(keys),
    plugins: readPlugins(keys, findings),
    role_arn: keys.get('role_arn'),
    labels: toRecord(keys.entries('labels.*')),
    features: {
      'eas.aliyun.com/extra-ephemeral-storage': keys.get('features.eas.aliyun.com/extra-ephemeral-storage'),
    },
  }
}

function readName(keys: ServiceKeys, findings: Findings): string {
  const top = keys.get('name')
  const inner = keys.get('metadata.name')
  const name = inner ?? top ?? ''
  const at = keys.at('metadata.name') ?? keys.at('name')
  if (top !== undefined && inner !== undefined && top !== inner) {
    findings.bad('metadata.name', `"${inner}" and name "${top}" differ, must be one name`, at)
  } else if (name === '' && !findings.hasBad('name') && !findings.hasBad('metadata.name')) {
    findings.bad('name', 'is missing, must be in name or metadata.name')
  } else if (name !== '' && !/^[a-z][a-z0-9_]*$/.test(name)) {
    const message = () => `name: "${name}" is unlike the published ones, which have lower-case letters, digits and "_"`
    findings.warn('unusual', 'name', message, at)
  }
  return name
}

function readToken(keys: ServiceKeys, findings: Findings): Pick<ServiceConfig, 'token' | 'generate_token'> {
  const token = keys.get('token')
  const generate_token = keys.get('generate_token')
  if (token !== undefined && generate_token === false) {
    const message = () =>
      'generate_token: is false, so nobody is asked for the token; leave it out to have it asked for'
    findings.warn('unusual', 'generate_token', message, keys.at('generate_token'))
  }
  return { token, generate_token }
}

function readProcessor(keys: ServiceKeys, findings: Findings): ProcessorCode | undefined {
  const code = keys.get('processor')
  if (code === undefined) return undefined
  const processor = parseProcessorCode(code)
  const { supported, reason } = processor
  if (supported && reason) findings.warn('unusual', 'processor', () => reason, keys.at('processor'))
  return processor
}

function whyNotServable(keys: ServiceKeys, processor: ProcessorCode | undefined, findings: Findings): string[] {
  const reasons = keys.refused.map(({ note, paths }) => `${paths.join(', ')}: ${note}`)
  if (processor?.supported === false && processor.reason) reasons.push(processor.reason)
  if (!processor && reasons.length === 0) {
    const containers = keys.count('containers') > 0
    if (containers) reasons.push('containers: custom images are not run; a built-in processor is needed')
    else reasons.push('processor: is missing', ...unknownKeys(findings.warnings))
  }
  return reasons
}

function readModel(keys: ServiceKeys, processor: ProcessorCode | undefined, findings: Findings) {
  const model_path = keys.get('model_path')
  const mounted = Array.from({ length: keys.count('storage') }, (_, i) => keys.get('storage[].mount_path', i)).some(
    (path) => path !== undefined && `${path}/`.startsWith(modelMountPath),
  )
  if (processor?.supported && model_path === undefined && !mounted) {
    const message = () => `model_path: is missing, and no storage is mounted at ${modelMountPath}`
    findings.warn('unusual', 'model_path', message)
  }
  return { model_path, model_entry: keys.get('model_entry'), oss_endpoint: keys.get('oss_endpoint') }
}

function readEnvs(keys: ServiceKeys, findings: Findings): Readonly<Record<string, string>> {
  const envs: Record<string, string> = Object.create(null)
  for (let i = 0; i < keys.count('processor_envs'); i++) {
    const name = keys.get('processor_envs[].name', i)
    if (name === undefined) continue // reported as missing
    if (name in envs) {
      const path = `processor_envs[${i}].name`
      const message = () => `${path}: "${name}" is there twice; the last one counts`
      findings.warn('duplicate_key', path, message, keys.at('processor_envs[].name', i))
    }
    envs[name] = keys.get('processor_envs[].value', i) ?? ''
  }
  return envs
}

function readMetadata(keys: ServiceKeys, findings: Findings): ServiceConfig['metadata'] {
  if (keys.at('metadata.instance') === undefined && !findings.hasBad('metadata.instance')) {
    const message = () => 'metadata.instance: is missing, EAS requires it; 1 is taken'
    findings.warn('unusual', 'metadata.instance', message)
  }
  return {
    instance: keys.get('metadata.instance'),
    cpu: keys.get('metadata.cpu'),
    memory: keys.get('metadata.memory'),
    gpu: keys.get('metadata.gpu'),
    ...readGpuShare(keys, findings),
    group: keys.get('metadata.group'),
    rolling_strategy: { max_surge: keys.get('metadata.rolling_strategy.max_surge') },
    'eas.termination_grace_period': keys.get('metadata.eas.termination_grace_period'),
    rpc: {
      batching: keys.get('metadata.rpc.batching'),
      max_batch_size: keys.get('metadata.rpc.max_batch_size'),
      max_batch_timeout: keys.get('metadata.rpc.max_batch_timeout'),
      keepalive: keys.get('metadata.rpc.keepalive'),
      worker_threads: keys.get('metadata.rpc.worker_threads'),
      max_queue_size: keys.get('metadata.rpc.max_queue_size'),
      rate_limit: keys.get('metadata.rpc.rate_limit'),
      decompressor: keys.get('metadata.rpc.decompressor'),
      enable_sigterm: keys.get('metadata.rpc.enable_sigterm'),
    },
  }
}

/** A share of a GPU, which EAS ignores where whole ones are asked for. */
function readGpuShare(keys: ServiceKeys, findings: Findings) {
  const gpu_memory = keys.get('metadata.gpu_memory')
  const gpu_core_percentage = keys.get('metadata.gpu_core_percentage')
  if (keys.get('metadata.gpu') === 0 || (gpu_memory ?? gpu_core_percentage) === undefined) {
    return { gpu_memory, gpu_core_percentage }
  }
  const path = gpu_memory === undefined ? 'metadata.gpu_core_percentage' : 'metadata.gpu_memory'
  const message = () => `${path}: is left out, a share of a GPU is for services with gpu 0`
  findings.warn('left_out', path, message, keys.at(path))
  return {}
}

/** Freezes `value` and everything in it. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}
