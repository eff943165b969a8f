import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { parseServiceJson, type ServiceConfig, type StorageMount } from '@eas/service-json'
import { type Machine, machineOf } from './machine.ts'
import { type DeployOptions, serviceFolder } from './options.ts'

/** A service as every cloud can be told it, before any cloud's limits. */
export interface Deployment {
  readonly name: string
  readonly options: DeployOptions
  readonly machine: Machine
  /** Requests that an instance takes at once: worked on and waiting. */
  readonly concurrency: number
  /** Seconds that a request may take: its model's load and itself. */
  readonly timeoutS: number
  readonly minInstances: number
  readonly maxInstances: number | undefined
  /** Requests that all instances together may have, where `maxInstances` does not say. */
  readonly requestsMax: number | undefined
  readonly environment: Readonly<Record<string, string>>
  /** Beginnings of names that the functions read from: the model, and the storage that it may lie in. */
  readonly reads: readonly string[]
  readonly storage: readonly StorageMount[]
  readonly networking: ServiceConfig['cloud']['networking']
  /** GB, beyond what an instance has anyway. */
  readonly diskGb: number | undefined
  readonly role: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Seconds between being told to stop and being stopped. */
  readonly graceS: number
  /** What the configuration asks for and no deployment here gives. */
  readonly notes: readonly string[]
}

/** @throws {Error} for a file that is not there or cannot be read, and for a service that could not be served anywhere. */
export async function readDeployment(options: DeployOptions): Promise<Deployment> {
  const { service } = options
  const text = await readFile(service, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'no such file' : cause.message
    throw new Error(`Cannot read ${service}, which SERVICE_JSON or custom.eas.service names: ${why}`, { cause })
  })
  const { config, warnings } = parseServiceJson(text, { path: service })
  if (config.notServable.length > 0) throw new Error(`Cannot deploy ${service}: ${config.notServable.join('; ')}`)
  checkFolder(config, options)
  const deployment = deploymentOf(config, options)
  return { ...deployment, notes: [...warnings.map(({ message }) => message), ...deployment.notes] }
}

/**
 * The folder of the `service.json` is deployed, under its path in the repository, and nothing else of what lies around.
 * @throws {Error} when it is none, or a model that is named relative to it is not in it.
 */
export function checkFolder(config: ServiceConfig, options: DeployOptions, root = '.'): void {
  const { service } = options
  const folder = serviceFolder(options)
  if (isOutside(folder) || folder === '.') {
    throw new Error(`Cannot deploy ${service}: it must be in a folder of this repository, which is deployed with it`)
  }
  const { model_path: path } = config
  if (!path || isAbsolute(path) || /^[a-z][a-z0-9+.-]*:/i.test(path)) return // a mount's or an image's, or a store's
  const here = join(folder, path)
  if (isOutside(relative(folder, here)))
    throw new Error(`Cannot deploy ${service}: model_path ${path} is not below its folder, which alone is deployed`)
  if (!existsSync(join(root, here))) throw new Error(`Cannot deploy ${service}: model_path ${path} is not in ${folder}`)
}

const isOutside = (path: string) => isAbsolute(path) || path.split(/[\\/]/)[0] === '..'

/** A machine of PAI-EAS's smallest size, for a configuration that says nothing. */
const smallest: Machine = { cpu: 1, memoryMb: 2048 }

export function deploymentOf(config: ServiceConfig, options: DeployOptions): Deployment {
  const { metadata, autoscaler, cloud, networking } = config
  const { rpc } = metadata
  const notes = [...config.notServable]

  const types = [...cloud.computing.instances.map(({ type }) => type), cloud.computing.instance_type ?? '']
  const [type] = types.filter(Boolean)
  const known = type === undefined ? undefined : machineOf(type)
  if (type !== undefined && !known) notes.push(`cloud.computing: ${type} is not known; metadata.cpu and memory decide`)
  if (cloud.computing.instances.length > 1)
    notes.push('cloud.computing.instances: the first decides, there is no second choice')
  if (cloud.computing.instances.some(({ spot_price_limit }) => spot_price_limit !== undefined)) {
    notes.push('cloud.computing.instances[].spot_price_limit: functions have no spot price')
  }
  const gpuMemoryGb = metadata.gpu_memory ?? (metadata.gpu > 0 ? 16 : 0)
  const gpu = gpuMemoryGb > 0 ? { count: Math.max(1, metadata.gpu), memoryGb: gpuMemoryGb } : known?.gpu
  if (metadata.gpu_core_percentage !== undefined) notes.push('metadata.gpu_core_percentage: a GPU is not shared')
  const machine: Machine = {
    cpu: metadata.cpu ?? known?.cpu ?? smallest.cpu,
    memoryMb: metadata.memory ?? known?.memoryMb ?? smallest.memoryMb,
    ...(gpu ? { gpu } : {}),
  }

  if (metadata.rolling_strategy.max_surge !== undefined)
    notes.push('metadata.rolling_strategy.max_surge: the platform replaces instances in its own way')
  const { rate_limit, concurrency_limit } = networking.gateway_policy
  if (rate_limit.enable)
    notes.push(
      'networking.gateway_policy.rate_limit: there is no gateway; metadata.rpc.rate_limit is kept, per instance',
    )
  const concurrency = rpc.worker_threads + rpc.max_queue_size
  if (autoscaler && Object.keys(autoscaler.strategies).length > 0) {
    notes.push('autoscaler.strategies: the platform scales by requests in flight; min and max are kept')
  }
  return {
    name: config.name,
    options,
    machine,
    concurrency,
    timeoutS: Math.ceil((rpc.keepalive * 2) / 1000) + 20,
    minInstances: autoscaler?.min ?? metadata.instance,
    maxInstances: autoscaler?.max,
    requestsMax: concurrency_limit.enable ? concurrency_limit.limit : undefined,
    environment: { ...config.processor_envs, ...options.env, SERVICE_JSON: options.service },
    reads: readsOf(config, options),
    storage: config.storage,
    networking: cloud.networking,
    diskGb: gigabytes(config.features['eas.aliyun.com/extra-ephemeral-storage']),
    role: options.role ?? config.role_arn,
    labels: config.labels,
    graceS: metadata['eas.termination_grace_period'],
    notes,
  }
}

/** Names in buckets, as `EAS_BUCKETS` says where those are now. */
function readsOf({ model_path, warm_up_data_path, storage }: ServiceConfig, { env }: DeployOptions): readonly string[] {
  const rows = (env?.EAS_BUCKETS ?? '').split(',').flatMap((row) => {
    const [from, to] = row.trim().split('=')
    return from && to ? [[from, to] as const] : []
  })
  const mounted = storage.map((mount) => (mount.kind === 'oss' ? mount.path : ''))
  const names = [model_path ?? '', ...warm_up_data_path, ...mounted].filter((name) => /^(?:s3|oss|gs):/.test(name))
  return names.map((name) => {
    const row = rows.find(([from]) => name === from || name.startsWith(`${from.replace(/\/+$/, '')}/`))
    return row ? `${row[1]}${name.slice(row[0].length)}` : name
  })
}

/** `100Gi`, `512Mi`; rounded up. */
function gigabytes(quantity: string | undefined): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([GMT])i?$/.exec(quantity ?? '') ?? []
  if (number === undefined) return undefined
  return Math.ceil(Number(number) * { M: 1 / 1024, G: 1, T: 1024 }[unit as 'M' | 'G' | 'T']) // the pattern's three
}

/** The environment of the function that is handed events. */
export const batchEnvironment = ({ environment, options: { batch } }: Deployment, timeoutS: number) => ({
  ...environment,
  EAS_BATCH_OUTPUT: batch?.output ?? '',
  EAS_BATCH_TIMEOUT_S: String(timeoutS),
  ...batch?.env,
})

/** OSS is read without a mount too, by the core itself. */
export const notMounted = (mount_path: string, kind: StorageMount['kind']): string =>
  kind === 'oss'
    ? `storage at ${mount_path}: oss is not mounted; the model is read from the bucket, which needs ALIBABA_CLOUD_… in the environment, or EAS_BUCKETS to say where a copy is`
    : `storage at ${mount_path}: ${kind} cannot be mounted; put the model beside the service.json or name it in model_path`

/** A number within a platform's bounds, with a note when it had to give way. */
export function clamped(value: number, [min, max]: readonly [number, number], notes: string[], what: string): number {
  const kept = Math.min(max, Math.max(min, value))
  if (kept !== value) notes.push(`${what}: ${value} becomes ${kept}, the platform's ${kept > value ? 'least' : 'most'}`)
  return kept
}
