import { modelMountPath, type ServiceConfig } from '@eas/service-json'
import type { ItemsOrigin } from './items-spec.ts'
import type { RequestFilesSpec } from './logs/request-files.ts'
import type { RecommenderSpec } from './pipelines/recommender.ts'
import type { Settings } from './settings.ts'

/** Whether requests are features rather than tensors: `fg_mode` `normal` of either EasyRec processor. */
export const generatesFeatures = ({ torchEasyRec, easyRec }: ServiceConfig): boolean =>
  torchEasyRec?.fg_mode === 'normal' || easyRec?.fg_mode === 'normal'

/** What of the environment says how features are generated; a service's own comes first. */
const featureEnvs = ['INPUT_TILE', 'USE_FARM_HASH_TO_BUCKETIZE'] as const

/** Of a service that generates features. EasyRec has no slow-request log of its own; TorchEasyRec's default serves both. */
export function recommenderSpec(
  { torchEasyRec, easyRec, metadata, processor_envs }: ServiceConfig,
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
