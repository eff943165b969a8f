import { Readable } from 'node:stream'
import type { FcFunction } from './fc.ts'

/** The two generations of Function Compute, as far as a deployment and a batch of tasks need them. */
export interface FcApi {
  /** Creates the function and what belongs to it, or brings it to this state. @returns Its public URL, where there is one. */
  put(plan: FcFunction): Promise<{ readonly url: string | undefined }>
  /**
   * Hands a task to a function, which answers later.
   * @param taskId Two calls with one id run one task.
   * @returns The id of the request; `undefined` when a task of this id was there already.
   */
  invokeLater(functionName: string, payload: Uint8Array, taskId: string): Promise<string | undefined>
}

export interface FcAccount {
  readonly accountId: string
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
  readonly region: string
  /** For tests: `http://127.0.0.1:…`. Default: the public endpoint of the region. */
  readonly endpoint?: string
}

type Json = Readonly<Record<string, unknown>>

/** Function Compute 3.0: API 2023-03-30, functions without services. */
export async function fc3(account: FcAccount): Promise<FcApi> {
  const sdk = await import('@alicloud/fc20230330')
  const { $OpenApiUtil } = await import('@alicloud/openapi-core')
  const url = account.endpoint === undefined ? undefined : new URL(account.endpoint)
  const Client = unwrapped<typeof sdk.default.default>(sdk.default)
  const client = new Client(
    new $OpenApiUtil.Config({
      accessKeyId: account.accessKeyId,
      accessKeySecret: account.accessKeySecret,
      ...(account.securityToken ? { securityToken: account.securityToken } : {}),
      regionId: account.region,
      endpoint: url?.host ?? `${account.accountId}.${account.region}.fc.aliyuncs.com`,
      protocol: url?.protocol === 'http:' ? 'HTTP' : 'HTTPS',
    }),
  )
  return {
    async put({ function: input, triggers, asyncInvokeConfig, provisionConfig, concurrencyConfig }) {
      const name = input.functionName
      const { functionName: _, ...changes } = input
      await upsert(
        () => client.createFunction(new sdk.CreateFunctionRequest({ body: new sdk.CreateFunctionInput(input) })),
        () =>
          client.updateFunction(name, new sdk.UpdateFunctionRequest({ body: new sdk.UpdateFunctionInput(changes) })),
      )
      let url: string | undefined
      for (const { triggerConfig, ...trigger } of triggers) {
        const body = { ...trigger, triggerConfig: JSON.stringify(triggerConfig) }
        const made = (await upsert(
          () => client.createTrigger(name, new sdk.CreateTriggerRequest({ body: new sdk.CreateTriggerInput(body) })),
          () =>
            client.updateTrigger(
              name,
              trigger.triggerName,
              new sdk.UpdateTriggerRequest({ body: new sdk.UpdateTriggerInput(body) }),
            ),
        )) as { body?: { httpTrigger?: { urlInternet?: string } } } // both answer with the trigger
        url ??= made.body?.httpTrigger?.urlInternet
      }
      if (asyncInvokeConfig) {
        const body = new sdk.PutAsyncInvokeConfigInput(asyncInvokeConfig)
        await client.putAsyncInvokeConfig(name, new sdk.PutAsyncInvokeConfigRequest({ body }))
      }
      if (provisionConfig) {
        const body = new sdk.PutProvisionConfigInput(provisionConfig)
        await client.putProvisionConfig(name, new sdk.PutProvisionConfigRequest({ qualifier: 'LATEST', body }))
      }
      if (concurrencyConfig) {
        const body = new sdk.PutConcurrencyInput(concurrencyConfig)
        await client.putConcurrencyConfig(name, new sdk.PutConcurrencyConfigRequest({ body }))
      }
      return { url }
    },
    async invokeLater(functionName, payload, taskId) {
      const { RuntimeOptions } = await import('@darabonba/typescript')
      const answer = await unlessThere(
        client.invokeFunctionWithOptions(
          functionName,
          new sdk.InvokeFunctionRequest({ body: Readable.from([Buffer.from(payload)]) }),
          new sdk.InvokeFunctionHeaders({ xFcInvocationType: 'Async', xFcAsyncTaskId: taskId }),
          new RuntimeOptions({}),
        ),
      )
      return answer && (answer.headers?.['x-fc-request-id'] ?? '')
    },
  }
}

/** A service of Function Compute 2.0, API 2016-08-15. */
export async function fc2(account: FcAccount, serviceName: string): Promise<FcApi> {
  const { default: FcClient } = await import('@alicloud/fc2')
  const client = new FcClient(account.accountId, {
    accessKeyID: account.accessKeyId,
    accessKeySecret: account.accessKeySecret,
    ...(account.securityToken ? { securityToken: account.securityToken } : {}),
    region: account.region,
    secure: true,
    ...(account.endpoint ? { endpoint: account.endpoint } : {}),
  })
  return {
    async put({ function: input, triggers, asyncInvokeConfig }) {
      const { service, options } = inGeneration2(input)
      const name = input.functionName
      await upsert(
        () => client.createService(serviceName, service),
        () => client.updateService(serviceName, service),
      )
      await upsert(
        () => client.createFunction(serviceName, options),
        () => client.updateFunction(serviceName, name, options),
      )
      let url: string | undefined
      for (const { qualifier: _, ...trigger } of triggers) {
        const made = await upsert(
          () => client.createTrigger(serviceName, name, trigger),
          () => client.updateTrigger(serviceName, name, trigger.triggerName, trigger),
        )
        url ??= made.data.urlInternet
      }
      if (asyncInvokeConfig) {
        const { asyncTask, ...config } = asyncInvokeConfig
        await client.put(`/services/${serviceName}/functions/${name}/async-invoke-config`, {
          ...config,
          statefulInvocation: asyncTask,
        })
      }
      return { url }
    },
    async invokeLater(functionName, payload, taskId) {
      const answer = await unlessThere(
        client.invokeFunction(serviceName, functionName, Buffer.from(payload), {
          'x-fc-invocation-type': 'Async',
          'x-fc-stateful-async-invocation-id': taskId,
        }),
      )
      return answer && (answer.headers['x-fc-request-id'] ?? '')
    },
  }
}

/**
 * A function of 3.0 as 2.0 has it: what surrounds it belongs to its service, and a container's settings have other names.
 * @see Alibaba Cloud Function Compute 2.0, CreateService, CreateFunction
 */
function inGeneration2(input: FcFunction['function']): { service: Json; options: Json } {
  const { vpcConfig, nasConfig, ossMountConfig, role, internetAccess, tags: _, diskSize, gpuConfig, ...rest } = input
  const { customContainerConfig, instanceLifecycleConfig, ...own } = rest
  const { image, entrypoint, port, healthCheckConfig } = (customContainerConfig ?? {}) as Json // a plan's own
  const gpu = gpuConfig as { gpuType: string; gpuMemorySize: number } | undefined
  return {
    service: defined({ vpcConfig, nasConfig, ossMountConfig, role, internetAccess }),
    options: defined({
      ...own,
      diskSize,
      caPort: port,
      customContainerConfig: { image, command: JSON.stringify(entrypoint) },
      customHealthCheckConfig: healthCheckConfig,
      instanceLifecycleConfig,
      ...(gpu ? { instanceType: gpu.gpuType, gpuMemorySize: gpu.gpuMemorySize } : {}),
    }),
  }
}

const defined = (object: Json): Json =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))

const unlessThere = <T>(call: Promise<T>): Promise<T | undefined> =>
  call.catch((thrown) => {
    if (isConflict(thrown)) return undefined
    throw thrown
  })

/** Creates, and changes what is there already. */
async function upsert<A, B>(create: () => Promise<A>, update: () => Promise<B>): Promise<A | B> {
  try {
    return await create()
  } catch (thrown) {
    if (!isConflict(thrown)) throw thrown
    return update()
  }
}

const isConflict = (thrown: unknown) => {
  const { statusCode, code = '', name = '' } = thrown as { statusCode?: number; code?: unknown; name?: string } // an SDK's error
  return statusCode === 409 || /AlreadyExists/.test(String(code)) || /AlreadyExists/.test(name)
}

/** A CommonJS module's default export, which some loaders wrap once more. */
const unwrapped = <T>(module: T | { readonly default: T }): T =>
  typeof module === 'object' && module !== null && 'default' in module ? module.default : (module as T) // the other form
