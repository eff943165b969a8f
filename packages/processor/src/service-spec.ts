import { availableParallelism } from 'node:os'
import { EasError } from '@eas/base'
import { type ModelOrigin, type Mount, modelOrigin, platformName, whereIs } from '@eas/models'
import { modelMountPath, type ServiceConfig } from '@eas/service-json'
import { type DiskCache, StoreError, type StoreSettings } from '@eas/storage'
import type { Isolation } from './engine/host.ts'
import { type ItemsOrigin, itemsOrigin } from './items-spec.ts'
import type { PipelineSpec } from './pipelines/index.ts'
import { generatesFeatures, recommenderSpec, recommenderWarnings, requestPlaces } from './recommender-spec.ts'
import type { ServiceSpec } from './service-types.ts'
import { onnxRuntimeVersion } from './session.ts'
import type { Settings } from './settings.ts'
import { modelCache, storeSettings } from './stores.ts'
import type { WarmUpSpec } from './warm-up/warm-up.ts'

/** What the services of one process share. */
export interface Machine {
  readonly settings: Settings
  readonly stores: StoreSettings
  readonly cache: () => Promise<DiskCache>
}

/** @param more What a platform knows better than the settings, such as credentials that change between invocations. */
export const machineOf = (settings: Settings, more?: StoreSettings): Machine => ({
  settings,
  stores: storeSettings(settings, more),
  cache: modelCache(settings),
})

export interface ServiceContext extends Machine {
  /** What relative paths are relative to: the folder of `service.json`. */
  readonly baseDir: string
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
export function serviceSpec(config: ServiceConfig, context: ServiceContext): ServiceSpec {
  const { settings, serviceCount } = context
  const stores = withRegionOf(config, context.stores)
  const { name, metadata, processor } = config
  const reasons = reasonsAgainst(config)
  if (reasons.length > 0) throw new EasError('not_implemented', `Cannot serve ${name}: ${reasons.join('; ')}`)
  const { rpc } = metadata
  const cores = Math.min(availableParallelism(), Math.ceil(metadata.cpu ?? Number.POSITIVE_INFINITY))
  const workersMax = Math.min(rpc.worker_threads, cores)
  const items = generatesFeatures(config)
    ? itemsOrigin(config, settings, { baseDir: context.baseDir, mounts: mountsOf(config), stores })
    : undefined
  return {
    name,
    group: metadata.group === name ? undefined : metadata.group,
    // `generate_token: false` is the older way to ask for no authentication.
    token: settings.token || (config.generate_token === false ? '' : (config.token ?? '')),
    signature_name: signatureName(config),
    origin: originOf(config, stores, context),
    warmUp: warmUpOf(config, stores, context),
    model: {
      pipeline: pipelineOf(config, settings, items),
      executionProviders: executionProviders(processor?.device, settings),
      intraOpNumThreads: Math.max(1, Math.floor(cores / workersMax)),
      batching: rpc.batching,
      decompressor: rpc.decompressor,
      inflatedBytesMax: settings.inflatedBytesMax,
      responseCompressor: settings.responseCompressor === 'none' ? undefined : settings.responseCompressor,
      verifyMd5: settings.contentMd5 === 'verify',
      javaIsCompressed: settings.javaIsCompressed === 'on',
    },
    items: items?.kind === 'whole' ? items.spec : undefined,
    requestFiles: generatesFeatures(config)
      ? {
          ...requestPlaces(config, (path) => whereIs(path, { baseDir: context.baseDir, mounts: mountsOf(config) })),
          stores,
        }
      : undefined,
    prepare: preparing(config, stores, context),
    isolation: isolationOf(settings, serviceCount, items?.kind === 'whole'),
    workersMax,
    processor_envs: config.processor_envs,
    rpc,
    graceMs: metadata['eas.termination_grace_period'] * 1000,
    warnings: [
      ...withoutEffect.filter(([, isSet]) => isSet(config)).map(([key]) => `${key} has no effect yet`),
      ...recommenderWarnings(config),
    ],
  }
}

/** @throws {EasError} `invalid_request` for a `model_path` that is no path and no URL of a kind that is known. */
function originOf(config: ServiceConfig, stores: StoreSettings, context: ServiceContext): ModelOrigin {
  const { settings, cache, baseDir } = context
  const { model_entry } = config
  const mounts = mountsOf(config)
  const model_path = config.model_path ?? modelMountPath
  const platform = usesPrepared(config, settings) ? platformName(onnxRuntimeVersion()) : undefined
  try {
    const deadlineMs = settings.downloadSeconds * 1000
    return modelOrigin({ model_path, model_entry }, { baseDir, mounts, stores, cache, platform, deadlineMs })
  } catch (thrown) {
    if (!(thrown instanceof StoreError)) throw thrown
    const hint = /region of OSS/.test(thrown.message) ? ' (EAS_OSS_REGION, or oss_endpoint)' : ''
    throw new EasError('invalid_request', `Cannot use model_path: ${thrown.message}${hint}`, { cause: thrown })
  }
}

function preparing(config: ServiceConfig, stores: StoreSettings, { settings }: ServiceContext): ServiceSpec['prepare'] {
  if (settings.prepare === 'off' || !usesPrepared(config, settings)) return undefined
  return async (files) => {
    const { prepareAside } = await import('./prepare-aside.ts')
    // It computes for a while: never on the thread that answers, but for a test's.
    return prepareAside(files, settings.isolation === 'inline' ? 'inline' : 'thread', stores)
  }
}

/** A prepared form is for the CPU, and is the model alone, without the features and indexes that lie beside it. */
const usesPrepared = (config: ServiceConfig, settings: Settings) =>
  executionProviders(config.processor?.device, settings)[0] === 'cpu' && !generatesFeatures(config)

/** OSS's region is in the endpoints that a configuration names; whether to go there over the internal network is a setting. */
function withRegionOf({ oss_endpoint, storage }: ServiceConfig, stores: StoreSettings): StoreSettings {
  const endpoints = [oss_endpoint, ...storage.map((mount) => (mount.kind === 'oss' ? mount.endpoint : undefined))]
  const [region] = endpoints.flatMap(
    (endpoint) => /\boss-(?!accelerate)([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com/.exec(endpoint ?? '')?.[1] ?? [],
  )
  return region === undefined || stores.oss?.region !== undefined
    ? stores
    : { ...stores, oss: { ...stores.oss, region } }
}

/** Folders that `storage` puts object storage behind. */
const mountsOf = ({ storage }: ServiceConfig): readonly Mount[] =>
  storage.flatMap((mount) => (mount.kind === 'oss' ? { mount_path: mount.mount_path, url: mount.path } : []))

/** EAS sends each request of `warm_up_data_path` so often; eas-service 3. */
const warmUpSends = 5
/** Files of a folder that `warm_up_data_path` names. */
const warmUpFilesMax = 1000

/** TorchEasyRec's warm-up fills its own folder; the others replay what somebody has put there. */
function warmUpOf(config: ServiceConfig, stores: StoreSettings, { settings, baseDir }: ServiceContext): WarmUpSpec {
  const { torchEasyRec, warm_up_data_path } = config
  const where = (path: string) => whereIs(path, { baseDir, mounts: mountsOf(config) })
  const common = {
    budgetMs: settings.warmUpSeconds * 1000,
    isRequired: settings.warmUpFailure === 'fail',
    bytesMax: settings.bodyBytesMax,
    stores,
  }
  if (torchEasyRec?.warmup_data_path !== undefined) {
    const folder = `${where(torchEasyRec.warmup_data_path).replace(/\/+$/, '')}/`
    const { warmup_cnt_per_file: sends, warmup_pb_files_count: filesMax } = torchEasyRec
    return { ...common, paths: [folder], sends, filesMax, keepAt: folder }
  }
  const paths = warm_up_data_path.map(where)
  return { ...common, paths, sends: warmUpSends, filesMax: warmUpFilesMax, keepAt: undefined }
}

/** Keys that PAI-EAS acts on and this version does not, so that nobody believes in them. */
const withoutEffect: readonly (readonly [key: string, isSet: (config: ServiceConfig) => boolean])[] = [
  ['plugins', (config) => config.plugins.length > 0],
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
export function reasonsAgainst(config: ServiceConfig): readonly string[] {
  const { notServable, model_path, storage } = config
  const reasons = [...notServable]
  const mounts = mountsOf(config).map(({ mount_path }) => `${mount_path}/`)
  if (
    model_path === undefined &&
    !mounts.some((mount_path) => modelMountPath.startsWith(mount_path.replace(/\/+$/, '/')))
  ) {
    const [mount] = storage
    reasons.push(
      `model_path is missing${mount ? `, and ${mount.kind} storage at ${mount.mount_path} is not the model` : ''}`,
    )
  }
  return reasons
}

/** Which message each processor family speaks. */
function pipelineOf(config: ServiceConfig, settings: Settings, items: ItemsOrigin | undefined): PipelineSpec {
  const { processor, torchEasyRec } = config
  if (generatesFeatures(config)) return recommenderSpec(config, settings, items)
  return processor?.family === 'tensorflow' || processor?.family === 'easyrec'
    ? { kind: 'tf', signature_name: signatureName(config) }
    : { kind: 'torch', outputs: torchEasyRec?.outputs ?? [], casts: torchEasyRec !== undefined }
}

function executionProviders(device: 'cpu' | 'gpu' | undefined, { executionProviders }: Settings): readonly string[] {
  const asked = executionProviders.length > 0 ? executionProviders : device === 'gpu' ? ['cuda'] : []
  return asked.at(-1) === 'cpu' ? asked : [...asked, 'cpu']
}

/** Items are in memory that threads share, and processes cannot. */
function isolationOf({ isolation }: Settings, serviceCount: number, hasItems: boolean): Isolation {
  if (hasItems) return isolation === 'inline' ? 'inline' : 'thread'
  return isolation !== 'auto' ? isolation : serviceCount > 1 ? 'process' : 'thread'
}
