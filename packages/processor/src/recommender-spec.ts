import { modelMountPath, type ServiceConfig } from '@eas/service-json'
import type { ItemsOrigin } from './items-spec.ts'
import type { RequestFilesSpec } from './logs/request-files.ts'
import type { RecommenderSpec } from './pipelines/recommender.ts'
import type { Settings } from './settings.ts'

/**
 * Whether requests are features rather than tensors: `fg_mode` `normal` of either EasyRec processor. EasyRec's `tf` says that
 * features are computed within TensorFlow, of the same fg.json and for the same model; here both are computed before it.
 */
export const generatesFeatures = ({ torchEasyRec, easyRec }: ServiceConfig): boolean =>
  torchEasyRec?.fg_mode === 'normal' || easyRec?.fg_mode === 'normal' || easyRec?.fg_mode === 'tf'

/** Keys of `model_config` that are about features, items or what is written down of them. */
const ofFeatures: readonly string[] = [
  ...['item_empty_score', 'faiss_neigh_num', 'faiss_nprobe', 'faiss_ivf_nprobe', 'tdm_retrieval_num', 'period'],
  ...['long_request_threshold', 'save_long_request', 'request_log_path', 'background_feature_thread_num'],
]

/** Variables that the processor's page knows, for PyTorch itself. */
const ofPyTorch: readonly string[] = ['NO_GRAD_GUARD', 'PYTORCH_TENSOREXPR_FALLBACK']

/** What a configuration of either EasyRec processor asks for and does not get, a line each. */
export function recommenderWarnings(config: ServiceConfig): string[] {
  const { torchEasyRec, easyRec, model_config, processor_envs } = config
  if (!torchEasyRec && !easyRec) return []
  const isSet = (key: string) => typeof model_config === 'object' && model_config[key] !== undefined
  const hasEnv = (name: string) => processor_envs[name] !== undefined
  const oneThread = ': the features of a request are made by its worker, and metadata.rpc.worker_threads counts those'
  const lines = isSet('fg_threads') ? [`model_config.fg_threads has no effect${oneThread}`] : []
  if (!generatesFeatures(config)) {
    const bypass = `has no effect with fg_mode ${torchEasyRec?.fg_mode ?? easyRec?.fg_mode ?? 'bypass'}`
    lines.push(...ofFeatures.filter(isSet).map((key) => `model_config.${key} ${bypass}`))
    lines.push(...featureEnvs.filter(hasEnv).map((name) => `processor_envs ${name} ${bypass}`))
  } else if (isSet('tdm_retrieval_num')) lines.push('model_config.tdm_retrieval_num has no effect yet')
  if (easyRec?.save_req) lines.push('model_config.save_req has no effect yet')
  return [
    ...lines,
    ...ofPyTorch.filter(hasEnv).map((name) => `processor_envs ${name} has no effect: PyTorch is not there`),
  ]
}

/** What of the environment says how features are generated; a service's own comes first. */
const featureEnvs = ['INPUT_TILE', 'USE_FARM_HASH_TO_BUCKETIZE'] as const

/** EasyRec 2.9 "integrates the new FG library"; the processor without a version is the first one. @see EasyRec, processor.md */
function fgLibraryOf(version = '1.0'): 'rtp' | 'fg' {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 2 || (major === 2 && minor >= 9) ? 'fg' : 'rtp'
}

/** Of a service that generates features. EasyRec has no slow-request log of its own; TorchEasyRec's default serves both. */
export function recommenderSpec(
  { torchEasyRec, easyRec, metadata, processor, processor_envs }: ServiceConfig,
  { itemIdsMax }: Settings,
  items: ItemsOrigin | undefined,
): RecommenderSpec {
  const { outputs = [], item_empty_score = 0 } = torchEasyRec ?? easyRec ?? {}
  return {
    kind: torchEasyRec ? 'torcheasyrec' : 'easyrec',
    config: {
      outputs,
      item_empty_score,
      faiss_neigh_num: torchEasyRec?.faiss_neigh_num ?? 1,
      faiss_nprobe: torchEasyRec?.faiss_nprobe ?? easyRec?.faiss_ivf_nprobe ?? 800,
      itemIdsMax,
      fgLibrary: torchEasyRec ? 'fg' : fgLibraryOf(processor?.version),
    },
    env: Object.fromEntries(featureEnvs.map((name) => [name, processor_envs[name] ?? process.env[name]])),
    itemsById: items?.kind === 'by_id' ? items.spec : undefined,
    keepaliveMs: metadata.rpc.keepalive,
    longRequestMs: torchEasyRec?.long_request_threshold ?? 200,
    savesLongRequests: torchEasyRec?.save_long_request ?? false,
    keepsRequests: torchEasyRec?.request_log_path !== undefined,
  }
}

/** Where its requests are kept. @param where A path of the configuration as a URL, or one of this machine. */
export function requestPlaces(
  { torchEasyRec, model_path = modelMountPath }: ServiceConfig,
  where: (path: string) => string,
): Omit<RequestFilesSpec, 'stores'> {
  const { request_log_path, save_long_request, background_feature_thread_num = 4 } = torchEasyRec ?? {}
  // A model that is a file is in the folder of that file.
  const folder = where(model_path)
    .replace(/\/+$/, '')
    .replace(/\/[^/]+\.(?:onnx|pt|zip|tar|tar\.gz|tgz|version)$/i, '')
  return {
    request_log: request_log_path === undefined ? undefined : where(request_log_path),
    torch_req: save_long_request ? `${folder}/torch_req` : undefined,
    writers: background_feature_thread_num,
  }
}
