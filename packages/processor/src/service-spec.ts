import { availableParallelism } from 'node:os'
import { EasError } from '@eas/base'
import type { ServiceConfig } from '@eas/service-json'
import type { Isolation } from './engine/host.ts'
import type { PipelineSpec } from './pipelines/index.ts'
import type { ServiceSpec } from './service.ts'
import type { Settings } from './settings.ts'

export interface ServiceContext {
  /** The model's ONNX file. */
  readonly modelPath: string
  readonly settings: Settings
  /** Services in this process. */
  readonly serviceCount: number
}

/**
 * A service as its `service.json` and the settings say it.
 *
 * Workers: one thread computes one request, so there are as many as `metadata.rpc.worker_threads`, but no more than cores;
 * the cores left over are each worker's own threads. Cores are those of the machine, or `metadata.cpu` if that is fewer.
 *
 * @throws {EasError} `not_implemented` for what EAS runs and this version does not, in the configuration's words.
 */
export function serviceSpec(config: ServiceConfig, { modelPath, settings, serviceCount }: ServiceContext): ServiceSpec {
  const { name, metadata, processor } = config
  const reasons = reasonsAgainst(config)
  if (reasons.length > 0) throw new EasError('not_implemented', `Cannot serve ${name}: ${reasons.join('; ')}`)
  const { rpc } = metadata
  const cores = Math.min(availableParallelism(), Math.ceil(metadata.cpu ?? Number.POSITIVE_INFINITY))
  const workersMax = Math.min(rpc.worker_threads, cores)
  return {
    name,
    group: metadata.group,
    // `generate_token: false` is the older way to ask for no authentication.
    token: settings.token || (config.generate_token === false ? '' : (config.token ?? '')),
    signature_name: signatureName(config),
    model: {
      modelPath,
      pipeline: pipelineOf(config),
      executionProviders: executionProviders(processor?.device, settings),
      intraOpNumThreads: Math.max(1, Math.floor(cores / workersMax)),
      batching: rpc.batching,
      decompressor: rpc.decompressor,
      inflatedBytesMax: settings.inflatedBytesMax,
      responseCompressor: settings.responseCompressor === 'none' ? undefined : settings.responseCompressor,
      verifyMd5: settings.contentMd5 === 'verify',
      javaIsCompressed: settings.javaIsCompressed === 'on',
    },
    isolation: isolationOf(settings, serviceCount),
    workersMax,
    processor_envs: config.processor_envs,
    rpc,
    graceMs: metadata['eas.termination_grace_period'] * 1000,
    warnings: withoutEffect.filter(([, isSet]) => isSet(config)).map(([key]) => `${key} has no effect yet`),
  }
}

/** Keys that PAI-EAS acts on and this version does not, so that nobody believes in them. */
const withoutEffect: readonly (readonly [key: string, isSet: (config: ServiceConfig) => boolean])[] = [
  ['warm_up_data_path', (config) => config.warm_up_data_path.length > 0],
  ['storage', (config) => config.storage.length > 0],
  ['plugins', (config) => config.plugins.length > 0],
  ['model_config.warmup_data_path', ({ torchEasyRec }) => torchEasyRec?.warmup_data_path !== undefined],
  ['model_config.request_log_path', ({ torchEasyRec }) => torchEasyRec?.request_log_path !== undefined],
  ['model_config.save_long_request', ({ torchEasyRec }) => torchEasyRec?.save_long_request === true],
  ['networking.gateway_policy.rate_limit', ({ networking }) => networking.gateway_policy.rate_limit.enable],
]

/** TensorFlow's name for the signature of a model that has only one; an ONNX file keeps none. */
const defaultSignature = 'serving_default'

/** `model_config.signature_name`, a key of ours: what the clients of a converted SavedModel call its signature. */
function signatureName({ model_config }: ServiceConfig): string {
  const named = typeof model_config === 'object' && 'signature_name' in model_config ? model_config.signature_name : ''
  return typeof named === 'string' && named !== '' ? named : defaultSignature
}

/** Why this version cannot serve a valid configuration, every reason at once; empty when it can. */
export function reasonsAgainst({ notServable, torchEasyRec, easyRec }: ServiceConfig): readonly string[] {
  const fg_mode = torchEasyRec?.fg_mode ?? easyRec?.fg_mode ?? 'bypass'
  return fg_mode === 'bypass'
    ? notServable
    : [...notServable, `model_config.fg_mode ${fg_mode} is not supported, bypass is`]
}

/** Which message each processor family speaks. */
function pipelineOf(config: ServiceConfig): PipelineSpec {
  const { processor, torchEasyRec } = config
  return processor?.family === 'tensorflow' || processor?.family === 'easyrec'
    ? { kind: 'tf', signature_name: signatureName(config) }
    : { kind: 'torch', outputs: torchEasyRec?.outputs ?? [] }
}

function executionProviders(device: 'cpu' | 'gpu' | undefined, { executionProviders }: Settings): readonly string[] {
  const asked = executionProviders.length > 0 ? executionProviders : device === 'gpu' ? ['cuda'] : []
  return asked.at(-1) === 'cpu' ? asked : [...asked, 'cpu']
}

const isolationOf = ({ isolation }: Settings, serviceCount: number): Isolation =>
  isolation !== 'auto' ? isolation : serviceCount > 1 ? 'process' : 'thread'
