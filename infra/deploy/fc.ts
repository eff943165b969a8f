import { batchEnvironment, clamped, type Deployment, notMounted } from './deployment.ts'
import { environmentWithin, fcEnvironment } from './environment.ts'
import { nameWithin } from './names.ts'

/** Bodies of the requests of API 2023-03-30, in the order in which they are made. */
export interface FcPlan {
  readonly region: string
  readonly generation: 2 | 3
  readonly functions: readonly FcFunction[]
  readonly notes: readonly string[]
}

export interface FcFunction {
  /** `CreateFunctionInput`; `code.zipFile` is a folder's name here, and its contents when it is sent. */
  readonly function: Readonly<Record<string, unknown>> & { readonly functionName: string }
  /** `CreateTriggerInput`; `triggerConfig` is sent as text. */
  readonly triggers: readonly (Readonly<Record<string, unknown>> & { readonly triggerName: string })[]
  /** `PutAsyncInvokeConfigInput`. */
  readonly asyncInvokeConfig?: Readonly<Record<string, unknown>>
  /** `PutProvisionConfigInput`. */
  readonly provisionConfig?: Readonly<Record<string, unknown>>
  /** `PutConcurrencyInput`. */
  readonly concurrencyConfig?: Readonly<Record<string, unknown>>
}

/** GB of each GPU type that is rented whole, the smallest first. @see Alibaba Cloud "GPU-accelerated instance types" */
const gpuTypes = [
  { gpuType: 'fc.gpu.tesla.1', memoryGb: 16, cpu: [8, 8], memoryMb: [32_768, 32_768] },
  { gpuType: 'fc.gpu.ada.1', memoryGb: 48, cpu: [4, 16], memoryMb: [32_768, 98_304] },
] as const

/** Of the 64 that a function's name may have, those that `-batch` leaves. @see API 2023-03-30, CreateFunction, functionName */
const nameCharsMax = 58

const regionDefault = 'cn-hangzhou'

/** The token: no file has it, `deploy` takes it from its own environment. */
export const tokenPlaceholder = '$' + '{EAS_TOKEN}'

/** The account, which `deploy` knows from its environment, and Serverless Devs from its own settings. */
export const accountPlaceholder = '$' + '{ACCOUNT_ID}'

/**
 * The role that OSS takes on to call a function, as the console makes it with the first trigger. Not the function's own, which
 * trusts Function Compute.
 * @see github.com/devsapp/fc3 `src/base.ts`, default roles of triggers
 */
export const ossTriggerRole = `acs:ram::${accountPlaceholder}:role/aliyunosseventnotificationrole`

/** @see Alibaba Cloud Function Compute, API 2023-03-30: CreateFunction, CreateTrigger; "Limits" */
export function fcPlan(given: Deployment): FcPlan {
  const notes = [...given.notes]
  const deployment = { ...given, environment: environmentWithin(given.environment, fcEnvironment, notes) }
  const { options, minInstances, requestsMax } = deployment
  const { image, generation = 3, region = regionDefault } = options
  if (!image && deployment.machine.gpu)
    throw new Error('Function Compute runs a GPU in a container only: set custom.eas.image, or EAS_IMAGE')
  if (!image && generation === 2)
    throw new Error('Function Compute 2.0 is served from a container only: set custom.eas.image, or EAS_IMAGE')

  const base = { ...machineOf(deployment, notes), ...surroundings(deployment, notes) }
  const name = nameWithin(deployment.name, nameCharsMax, '_')
  const timeout = clamped(deployment.timeoutS, [1, 86_400], notes, 'Timeout in s')
  if (!image && deployment.concurrency > 1)
    notes.push(
      'metadata.rpc.worker_threads, max_queue_size: an instance of the built-in runtime has one request at a time; a container has more',
    )
  const concurrency = image ? clamped(deployment.concurrency, [1, 200], notes, 'Requests at once') : undefined

  const maxInstances = deployment.maxInstances ?? (requestsMax && Math.ceil(requestsMax / (concurrency ?? 1)))
  const scales = generation === 3 // the other API has no such calls in its SDK
  if (!scales && (minInstances > 0 || maxInstances !== undefined))
    notes.push('metadata.instance, autoscaler: instances of Function Compute 2.0 are provisioned in its console')
  if (!scales && Object.keys(deployment.labels).length > 0)
    notes.push('labels: Function Compute 2.0 has tags of services')

  const predict: FcFunction = {
    function: {
      functionName: name,
      description: `EAS service ${deployment.name}`,
      ...base,
      ...runtime('index', image, timeout),
      ...(concurrency === undefined ? {} : { instanceConcurrency: concurrency }),
      timeout,
      environmentVariables: { ...deployment.environment, EAS_TOKEN: tokenPlaceholder },
    },
    // The SDKs sign with the service's token, which the function checks itself.
    triggers: [
      {
        triggerName: 'http',
        triggerType: 'http',
        qualifier: 'LATEST',
        triggerConfig: {
          authType: 'anonymous',
          methods: ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'],
          disableURLInternet: false,
        },
      },
    ],
    ...(scales && minInstances > 0 ? { provisionConfig: { defaultTarget: minInstances } } : {}),
    ...(!scales || maxInstances === undefined ? {} : { concurrencyConfig: { reservedConcurrency: maxInstances } }),
  }
  const functions = options.batch ? [predict, batchFunction(`${name}-batch`, deployment, base)] : [predict]
  return { region, generation, functions, notes }
}

/** An OSS trigger and asynchronous tasks end here. */
function batchFunction(functionName: string, deployment: Deployment, base: object): FcFunction {
  const { name, options } = deployment
  const { bucket = '', prefix = '', triggerRole } = options.batch ?? {}
  const timeout = 3600
  return {
    function: {
      functionName,
      description: `EAS service ${name}, objects of ${bucket}`,
      ...base,
      ...runtime('batch', options.image, timeout),
      timeout,
      environmentVariables: { ...batchEnvironment(deployment, timeout), EAS_TOKEN: tokenPlaceholder },
    },
    triggers: [
      {
        triggerName: 'oss',
        triggerType: 'oss',
        qualifier: 'LATEST',
        invocationRole: triggerRole ?? ossTriggerRole,
        sourceArn: `acs:oss:${options.region ?? regionDefault}:${accountPlaceholder}:${bucket}`,
        triggerConfig: { events: ['oss:ObjectCreated:*'], filter: { key: { prefix, suffix: '' } } },
      },
    ],
    asyncInvokeConfig: { asyncTask: true, maxAsyncRetryAttempts: 3, maxAsyncEventAgeInSeconds: 86_400 },
  }
}

/** The built-in runtime, from a folder of code, or a container. Both load the model before the first request. */
function runtime(entry: string, image: string | undefined, timeout: number) {
  const initializerTimeout = Math.min(300, Math.max(60, timeout))
  if (!image) {
    return {
      runtime: 'nodejs20',
      handler: `${entry}.handler`,
      code: { zipFile: 'dist/functions/aliyun-fc' },
      instanceLifecycleConfig: {
        initializer: { handler: `${entry}.initialize`, timeout: initializerTimeout },
        preStop: { handler: `${entry}.preStop`, timeout: 90 },
      },
    }
  }
  return {
    runtime: 'custom-container',
    handler: 'index.handler', // required, not looked at
    customContainerConfig: {
      image,
      entrypoint: ['node', 'app/container.js'],
      port: 9000,
      healthCheckConfig: {
        httpGetUrl: '/healthz',
        initialDelaySeconds: 1,
        periodSeconds: 5,
        timeoutSeconds: 3,
        failureThreshold: 3,
        successThreshold: 1,
      },
    },
    instanceLifecycleConfig: {
      initializer: { handler: '/initialize', timeout: initializerTimeout },
      preStop: { handler: '/pre-stop', timeout: 90 },
    },
  }
}

/** @see Alibaba Cloud Function Compute "Limits", instance specifications */
const memoryMbMax = 32_768
const mbPerCoreMax = 4096
/** Cores come in steps of 0.05. */
const stepped = (cores: number) => Math.ceil(cores * 20) / 20

function machineOf({ machine, diskGb }: Deployment, notes: string[]) {
  const diskSize = { diskSize: diskGb === undefined ? 512 : 10_240 }
  if (diskGb !== undefined && diskGb > 10) notes.push(`Disk in GB: ${diskGb} becomes 10, the platform's most`)
  const { gpu } = machine
  if (gpu) {
    const type = gpuTypes.find(({ memoryGb }) => memoryGb >= gpu.memoryGb) ?? gpuTypes[1]
    if (gpu.count > 1) notes.push(`metadata.gpu: ${gpu.count} becomes 1, a function has one`)
    if (gpu.memoryGb > type.memoryGb) notes.push(`GPU memory in GB: ${gpu.memoryGb} becomes ${type.memoryGb}`)
    return {
      cpu: clamped(machine.cpu, type.cpu, notes, 'Cores'),
      memorySize: clamped(machine.memoryMb, type.memoryMb, notes, 'Memory in MB'),
      ...diskSize,
      gpuConfig: { gpuType: type.gpuType, gpuMemorySize: type.memoryGb * 1024 },
    }
  }
  // Between 1 and 4 GB per core, in steps of 64 MB; a model that needs its memory gets the cores that come with it.
  const coresFor = Math.min(memoryMbMax, machine.memoryMb) / mbPerCoreMax
  if (coresFor > machine.cpu) notes.push(`Cores: ${machine.cpu} becomes ${stepped(coresFor)}, memory comes with them`)
  const cpu = clamped(stepped(Math.max(machine.cpu, coresFor)), [0.05, 16], notes, 'Cores')
  const memorySize = clamped(
    machine.memoryMb,
    [Math.ceil(cpu * 1024), Math.min(memoryMbMax, cpu * mbPerCoreMax)],
    notes,
    'Memory in MB',
  )
  return { cpu, memorySize: Math.max(128, Math.ceil(memorySize / 64) * 64), ...diskSize }
}

function surroundings({ storage, networking, role, labels, options }: Deployment, notes: string[]) {
  const region = options.region ?? regionDefault
  const oss = storage.flatMap((mount) => {
    if (mount.kind !== 'oss') return []
    const [, bucketName = '', host = '', path = ''] = /^oss:\/\/([^/.]+)\.?([^/]*)(\/.*)?$/.exec(mount.path) ?? []
    const { mount_path: mountDir, readOnly = true } = mount
    const endpoint = mount.endpoint || host || `oss-${region}-internal.aliyuncs.com`
    return [{ bucketName, bucketPath: path || '/', mountDir, readOnly, endpoint: urlOf(endpoint) }]
  })
  const nas = storage.flatMap((mount) =>
    mount.kind === 'nfs'
      ? [{ serverAddr: `${mount.server}:${mount.path}`, mountDir: mount.mount_path, enableTLS: false }]
      : [],
  )
  for (const { kind, mount_path } of storage) {
    if (kind !== 'oss' && kind !== 'nfs' && kind !== 'empty_dir') notes.push(notMounted(mount_path, kind))
  }
  for (const [what, mounts] of [
    ['OSS', oss],
    ['NAS', nas],
  ] as const) {
    if (mounts.length > 5) notes.push(`storage: a function has at most 5 ${what} mounts, the first 5 are kept`)
  }
  if (oss.length > 0 && !role)
    notes.push('storage: OSS is mounted with the role of the function; set role_arn, or custom.eas.role')
  const { vpc_id, vswitch_id, security_group_id } = networking
  return {
    ...(oss.length > 0 ? { ossMountConfig: { mountPoints: oss.slice(0, 5) } } : {}),
    ...(nas.length > 0 ? { nasConfig: { userId: 0, groupId: 0, mountPoints: nas.slice(0, 5) } } : {}),
    ...(vpc_id
      ? {
          vpcConfig: {
            vpcId: vpc_id,
            vSwitchIds: vswitch_id ? [vswitch_id] : [],
            securityGroupId: security_group_id ?? '',
          },
        }
      : {}),
    ...(role ? { role } : {}),
    ...(Object.keys(labels).length > 0 ? { tags: Object.entries(labels).map(([key, value]) => ({ key, value })) } : {}),
    internetAccess: true,
  }
}

const urlOf = (endpoint: string) => (/^https?:/.test(endpoint) ? endpoint : `https://${endpoint}`)
