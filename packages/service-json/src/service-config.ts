import type { ProcessorCode } from './processor-code.ts'

/**
 * A service as `service.json` describes it, defaults filled in; frozen. Names are the published ones. Only keys that
 * act are here: one that was warned about has no field.
 */
export interface ServiceConfig {
  readonly name: string
  /** `undefined` when the file has none; whether the service is then open or closed is the reader's to decide. */
  readonly token?: string | undefined
  /** `false`: the file asks for a service without a token. */
  readonly generate_token?: boolean | undefined
  /** Why this valid configuration cannot be served here, a sentence per reason; empty when it can. */
  readonly notServable: readonly string[]
  readonly processor: ProcessorCode | undefined
  readonly model_path?: string | undefined
  readonly model_entry?: string | undefined
  readonly oss_endpoint?: string | undefined
  /**
   * As it stands in the file: always an object for the EasyRec families; for others an object or text, `""` by default.
   * Other JSON is its text, which is how EAS hands it to a processor. Objects have no prototype.
   */
  readonly model_config: Readonly<Record<string, unknown>> | string
  /** The checked `model_config` of an `easyrec-torch` processor. */
  readonly torchEasyRec?: TorchEasyRecConfig | undefined
  /** The checked `model_config` of an `easyrec` processor. */
  readonly easyRec?: EasyRecConfig | undefined
  /** Values by name; no prototype. */
  readonly processor_envs: Readonly<Record<string, string>>
  readonly warm_up_data_path: readonly string[]
  readonly storage: readonly StorageMount[]
  readonly metadata: ServiceMetadata
  readonly autoscaler?: Autoscaler | undefined
  readonly cloud: CloudConfig
  readonly networking: NetworkingConfig
  readonly plugins: readonly BladePlugin[]
  readonly role_arn?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly features: { readonly 'eas.aliyun.com/extra-ephemeral-storage'?: string | undefined }
}

export interface ServiceMetadata {
  readonly instance: number
  readonly cpu?: number | undefined
  /** MB. */
  readonly memory?: number | undefined
  readonly gpu: number
  /** GB. */
  readonly gpu_memory?: number | undefined
  /** Percent. */
  readonly gpu_core_percentage?: number | undefined
  readonly group?: string | undefined
  readonly rolling_strategy: { readonly max_surge?: number | `${number}%` | undefined }
  /** Seconds. */
  readonly 'eas.termination_grace_period': number
  readonly rpc: RpcConfig
}

export interface RpcConfig {
  readonly batching: boolean
  readonly max_batch_size: number
  /** Milliseconds. */
  readonly max_batch_timeout: number
  /** Milliseconds. */
  readonly keepalive: number
  readonly worker_threads: number
  readonly max_queue_size: number
  /** Requests per second; 0 is no limit. */
  readonly rate_limit: number
  readonly decompressor?: Decompressor | undefined
  readonly enable_sigterm: boolean
}
export type Decompressor = 'zlib' | 'gzip' | 'snappy' | 'zstd' | 'lz4'

export type StorageMount = { readonly mount_path: string; readonly resource_type?: 'model' | 'code' | undefined } & (
  | {
      readonly kind: 'oss'
      readonly path: string
      readonly endpoint?: string | undefined
      readonly readOnly?: boolean | undefined
    }
  | { readonly kind: 'nfs'; readonly path: string; readonly server: string; readonly readOnly?: boolean | undefined }
  | {
      readonly kind: 'git'
      readonly repo: string
      readonly username?: string | undefined
      readonly password?: string | undefined
      readonly branch: string
      readonly commit?: string | undefined
    }
  | {
      readonly kind: 'dataset'
      readonly id: string
      readonly version?: string | undefined
      readonly read_only?: boolean | undefined
    }
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'empty_dir'; readonly medium?: 'memory' | undefined; readonly size_limit?: number | undefined }
)

export interface Autoscaler {
  readonly min?: number | undefined
  readonly max?: number | undefined
  readonly strategies: Readonly<Record<string, number>>
}

export interface CloudConfig {
  readonly computing: {
    readonly instance_type?: string | undefined
    readonly instances: readonly {
      readonly type: string
      readonly capacity?: number | `${number}%` | undefined
      readonly spot_price_limit?: number | undefined
    }[]
  }
  readonly networking: {
    readonly vpc_id?: string | undefined
    readonly vswitch_id?: string | undefined
    readonly security_group_id?: string | undefined
  }
}

export interface NetworkingConfig {
  readonly gateway_policy: {
    readonly rate_limit: GatewayLimit
    readonly concurrency_limit: GatewayLimit
  }
}
interface GatewayLimit {
  readonly enable: boolean
  readonly limit?: number | undefined
}

export interface BladePlugin {
  readonly command: string
  readonly image: string
  readonly resource?: string | undefined
  readonly gpu?: number | undefined
  /** Optimization items by model file; no prototype. */
  readonly model_info: Readonly<Record<string, BladeItems>>
}
export interface BladeItems {
  readonly optimization_level: 'o1' | 'o2'
  readonly test_data?: string | undefined
  readonly calibration_dataset?: string | undefined
  readonly inputs?: readonly string[] | undefined
  readonly outputs?: readonly string[] | undefined
  readonly input_shapes?: readonly (readonly string[])[] | undefined
  readonly input_ranges?: readonly (readonly string[])[] | undefined
  readonly quantization: { readonly weight_adjustment?: boolean | undefined }
}

export interface TorchEasyRecConfig {
  readonly fg_mode: 'bypass' | 'normal'
  readonly fg_threads?: number | undefined
  /** Empty: all. */
  readonly outputs: readonly string[]
  readonly item_empty_score: number
  readonly faiss_neigh_num: number
  readonly faiss_nprobe: number
  readonly tdm_retrieval_num?: number | undefined
  readonly warmup_data_path?: string | undefined
  readonly warmup_cnt_per_file: number
  readonly warmup_pb_files_count: number
  /** Milliseconds. */
  readonly long_request_threshold: number
  readonly save_long_request: boolean
  readonly request_log_path?: string | undefined
  readonly background_feature_thread_num: number
}

export interface EasyRecConfig {
  /** `undefined` when the file does not say; no default is published. */
  readonly fg_mode?: 'tf' | 'normal' | 'bypass' | undefined
  /** Empty: all. */
  readonly outputs: readonly string[]
  readonly item_empty_score: number
  readonly faiss_ivf_nprobe: number
  readonly save_req: boolean
}
