import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { crc32 } from 'node:zlib'
import * as fcModels from '@alicloud/fc20230330'
import { parseServiceJson } from '@eas/service-json'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromBuffer } from 'yauzl'
import { awsPlan, roleName, serviceName } from '../../infra/deploy/aws.ts'
import { cloudRunPlan } from '../../infra/deploy/cloud-run.ts'
import { clouds, readyToSend } from '../../infra/deploy/clouds.ts'
import { checkFolder, deploymentOf, readDeployment } from '../../infra/deploy/deployment.ts'
import { examples } from '../../infra/deploy/examples.ts'
import { type FcFunction, fcPlan } from '../../infra/deploy/fc.ts'
import { fc2, fc3 } from '../../infra/deploy/fc-api.ts'
import { submitTasks } from '../../infra/deploy/fc-tasks.ts'
import { machineOf } from '../../infra/deploy/machine.ts'
import { deployOptions } from '../../infra/deploy/options.ts'
import { sYaml } from '../../infra/deploy/s-yaml.ts'
import { yamlFile } from '../../infra/deploy/yaml.ts'
import { zipOf } from '../../infra/deploy/zip.ts'
import { scratch } from '../support/onnx.ts'
import { type FcService, fcService } from '../support/platforms/fc-service.ts'

const files = scratch('deploy')
afterAll(() => files.remove())

/** A service that asks for everything that a platform can be asked for. */
const full = {
  name: 'rank_all',
  model_path: 'model.onnx',
  processor: 'pytorch_gpu_1.10',
  processor_envs: [{ name: 'INPUT_TILE', value: '2' }],
  metadata: {
    instance: 2,
    cpu: 4,
    memory: 16_000,
    gpu: 1,
    rpc: { keepalive: 8000, worker_threads: 4, max_queue_size: 12 },
    eas: { termination_grace_period: 20 },
  },
  autoscaler: { min: 1, max: 9, strategies: { qps: 10 } },
  storage: [
    { mount_path: '/models', oss: { path: 'oss://models/rank/v1', readOnly: true } },
    { mount_path: '/nas', nfs: { server: 's.nas.aliyuncs.com', path: '/share' } },
    { mount_path: '/code', git: { repo: 'https://example.com/x.git' } },
    { mount_path: '/dev/shm', empty_dir: { medium: 'memory', size_limit: 2 } },
  ],
  cloud: { networking: { vpc_id: 'vpc-1', vswitch_id: 'vsw-1', security_group_id: 'sg-1' } },
  labels: { Team: 'Ranking & Co' },
  role_arn: 'acs:ram::1:role/eas',
  features: { 'eas.aliyun.com/extra-ephemeral-storage': '5Gi' },
  token: 'from-the-file',
}
const small = {
  name: 'digits',
  model_path: 'm.onnx',
  processor: 'pytorch_cpu_1.10',
  metadata: { instance: 0, cpu: 1, memory: 2048 },
}
const batch = { bucket: 'requests', prefix: 'in/', output: 'oss://results/scores/', env: { EAS_BATCH_ROWS: '64' } }
const image = 'registry.example.com/eas@sha256:0000'

const plan = (json: object, options: object = {}) =>
  deploymentOf(
    parseServiceJson(JSON.stringify(json)).config,
    deployOptions({ service: 'packages/cli/examples/digits/service.json', ...options }),
  )

/** Names of members, and the type of each, that a request's model does not have. */
function unknownMembers(model: string, value: unknown, at = model): string[] {
  const known = Reflect.get(fcModels, model)?.types?.() as Readonly<Record<string, unknown>> | undefined // a table of the SDK's
  if (!known) return [`${at}: no such model`]
  return Object.entries(value as object).flatMap(([name, member]) => {
    const type = known[name]
    if (type === undefined) return [`${at}.${name}`]
    const typeName = typeof type === 'function' ? type.name : ''
    if (typeName && !Array.isArray(member)) return unknownMembers(typeName, member, `${at}.${name}`)
    const itemType = (type as { itemType?: { name?: string } }).itemType?.name // arrays of models
    if (itemType && Array.isArray(member))
      return member.flatMap((item) => unknownMembers(itemType, item, `${at}.${name}[]`))
    return typeof type === 'string' && !['map', 'any', Array.isArray(member) ? 'array' : typeof member].includes(type)
      ? [`${at}.${name}: ${typeof member}`]
      : []
  })
}

describe('A plan for Function Compute', () => {
  it.each([
    ['a container with a GPU', full, { image, batch }],
    ['code', small, { batch }],
    ['a container', small, { image }],
  ])('with %s is what the SDK’s models have', (_, json, options) => {
    for (const each of fcPlan(plan(json, options)).functions) {
      expect(unknownMembers('CreateFunctionInput', each.function)).toEqual([])
      for (const { triggerConfig, ...trigger } of each.triggers) {
        expect(
          unknownMembers('CreateTriggerInput', { ...trigger, triggerConfig: JSON.stringify(triggerConfig) }),
        ).toEqual([])
      }
      if (each.asyncInvokeConfig)
        expect(unknownMembers('PutAsyncInvokeConfigInput', each.asyncInvokeConfig)).toEqual([])
      if (each.provisionConfig) expect(unknownMembers('PutProvisionConfigInput', each.provisionConfig)).toEqual([])
      if (each.concurrencyConfig) expect(unknownMembers('PutConcurrencyInput', each.concurrencyConfig)).toEqual([])
    }
  })

  it('has the machine, mounts, network and environment of the service.json', () => {
    const { functions, notes } = fcPlan(plan(full, { image }))
    const [{ function: predict, triggers, provisionConfig, concurrencyConfig } = {} as FcFunction] = functions
    expect(predict).toMatchObject({
      functionName: 'rank_all',
      runtime: 'custom-container',
      cpu: 8,
      memorySize: 32_768,
      gpuConfig: { gpuType: 'fc.gpu.tesla.1', gpuMemorySize: 16_384 },
      diskSize: 10_240,
      instanceConcurrency: 16,
      timeout: 36,
      role: 'acs:ram::1:role/eas',
      ossMountConfig: {
        mountPoints: [{ bucketName: 'models', bucketPath: '/rank/v1', mountDir: '/models', readOnly: true }],
      },
      nasConfig: { mountPoints: [{ serverAddr: 's.nas.aliyuncs.com:/share', mountDir: '/nas' }] },
      vpcConfig: { vpcId: 'vpc-1', vSwitchIds: ['vsw-1'], securityGroupId: 'sg-1' },
      environmentVariables: { INPUT_TILE: '2' },
      customContainerConfig: { image, port: 9000 },
      instanceLifecycleConfig: { initializer: { handler: '/initialize' }, preStop: { handler: '/pre-stop' } },
    })
    expect(triggers).toMatchObject([{ triggerType: 'http', triggerConfig: { authType: 'anonymous' } }])
    expect([provisionConfig, concurrencyConfig]).toEqual([{ defaultTarget: 1 }, { reservedConcurrency: 9 }])
    expect(notes.join('\n')).toMatch(/storage at \/code: git cannot be mounted/)
    expect(notes.join('\n')).toMatch(/autoscaler\.strategies/)
  })

  it('has a trigger of OSS in the account that deploys, by the role that OSS may take on', async () => {
    const [, scorer] = fcPlan(
      plan(small, { batch, role: 'acs:ram::1:role/of-the-function', region: 'cn-shanghai', image }),
    ).functions
    if (!scorer) throw new Error('the plan has two functions')
    const options = deployOptions({ service: 'packages/cli/examples/digits/service.json', image })
    const sent = await readyToSend(scorer, options, { token: 't', accountId: '123' })
    expect(sent.triggers).toMatchObject([
      {
        invocationRole: 'acs:ram::123:role/aliyunosseventnotificationrole',
        sourceArn: 'acs:oss:cn-shanghai:123:requests',
      },
    ])
    const own = { ...batch, triggerRole: 'acs:ram::1:role/eas-trigger' }
    expect(fcPlan(plan(small, { batch: own })).functions[1]?.triggers).toMatchObject([
      { invocationRole: 'acs:ram::1:role/eas-trigger' },
    ])
    for (const [chosen, role] of [
      [batch, undefined],
      [own, 'acs:ram::1:role/eas-trigger'],
    ] as const) {
      const { resources } = sYaml(fcPlan(plan(small, { batch: chosen })), options, '..') as {
        resources: { 'digits-batch': { props: { triggers: readonly Record<string, unknown>[] } } }
      } // as s-yaml.ts makes it
      const [trigger] = resources['digits-batch'].props.triggers
      // `s` finds the default role by itself.
      expect([trigger?.invocationRole, trigger?.sourceArn]).toEqual([
        role,
        `acs:oss:cn-hangzhou:${'$'}{config("AccountID")}:requests`,
      ])
    }
  })

  it('mounts OSS at an address, which the API asks for', () => {
    const paths = ['oss://models/a', 'oss://models.oss-cn-beijing.aliyuncs.com/a']
    const storage = paths.map((path, i) => ({ mount_path: `/m${i}`, oss: { path } }))
    const { functions, notes } = fcPlan(plan({ ...small, storage }, { region: 'cn-shanghai' }))
    expect(functions[0]?.function.ossMountConfig).toMatchObject({
      mountPoints: [
        { bucketName: 'models', bucketPath: '/a', endpoint: 'https://oss-cn-shanghai-internal.aliyuncs.com' },
        { bucketName: 'models', bucketPath: '/a', endpoint: 'https://oss-cn-beijing.aliyuncs.com' },
      ],
    })
    expect(notes.join('\n')).toContain('OSS is mounted with the role of the function')
  })

  it('for 2.0 says what it leaves to the console', () => {
    const { functions, notes } = fcPlan(plan(full, { image, generation: 2 }))
    expect([functions[0]?.provisionConfig, functions[0]?.concurrencyConfig]).toEqual([undefined, undefined])
    expect(notes.join('\n')).toMatch(/metadata\.instance, autoscaler: .*\n.*labels: /)
  })

  it('never has the token', () => {
    for (const options of [{ image, batch }, { image }]) {
      expect(JSON.stringify(fcPlan(plan(full, options)))).not.toContain('from-the-file')
      expect(JSON.stringify(cloudRunPlan(plan(full, options)))).not.toContain('from-the-file')
      expect(JSON.stringify(awsPlan(plan(full, options)))).not.toContain('from-the-file')
    }
  })

  it('is refused for a GPU without a container', () => {
    expect(() => fcPlan(plan(full))).toThrow('Function Compute runs a GPU in a container only: set custom.eas.image')
  })
})

describe.each([2, 3] as const)('Function Compute %s.0, through its SDK', (generation) => {
  const secret = 'not-a-secret'
  let service: FcService
  beforeAll(async () => {
    service = await fcService(secret)
  })
  afterAll(() => service.close())
  const api = () => {
    const account = {
      accountId: '123',
      accessKeyId: 'STS.id',
      accessKeySecret: secret,
      securityToken: 'sts',
      region: 'cn-hangzhou',
      endpoint: service.endpoint,
    }
    return generation === 2 ? fc2(account, 'eas') : fc3(account)
  }

  it('is sent a signed creation of every part, and the changes when they are there already', async () => {
    const [predict, scorer] = fcPlan(plan(full, { image, batch, generation })).functions
    if (!predict || !scorer) throw new Error('the plan has two functions')
    const { put } = await api()
    expect(await put(predict)).toEqual({ url: 'https://digits.fcapp.run' })
    await put(scorer)
    const first = service.calls.map(({ method, path }) => `${method} ${path.split('?')[0]}`)
    service.occupy(true)
    await put(predict)
    const second = service.calls.slice(first.length).map(({ method, path }) => `${method} ${path.split('?')[0]}`)
    expect(service.calls.filter(({ isSigned }) => !isSigned)).toEqual([])
    const root = generation === 2 ? '/2016-08-15/services/eas/functions' : '/2023-03-30/functions'
    expect(first).toContain(`POST ${root}`)
    expect(first).toContain(`POST ${root}/rank_all/triggers`)
    expect(first).toContain(`PUT ${root}/rank_all-batch/async-invoke-config`)
    expect(second).toContain(`PUT ${root}/rank_all`)
    expect(second).toContain(`PUT ${root}/rank_all/triggers/http`)
    const created = JSON.parse(
      service.calls.find(({ method, path }) => method === 'POST' && path.endsWith('/functions'))?.body.toString() ??
        '{}',
    )
    expect(created).toMatchObject({
      functionName: 'rank_all',
      memorySize: 32_768,
      environmentVariables: { INPUT_TILE: '2' },
    })
  })

  it('is handed a task once per id', async () => {
    const { invokeLater } = await api()
    service.occupy(false)
    expect(await invokeLater('rank_all-batch', Buffer.from('{"items":["oss://b/a b"]}'), 'task-1')).toBe('request-1')
    const call = service.calls.at(-1)
    expect([call?.isSigned, call?.body.toString()]).toEqual([true, '{"items":["oss://b/a b"]}'])
    expect(call?.headers['x-fc-invocation-type']).toBe('Async')
    const idHeader = generation === 2 ? 'x-fc-stateful-async-invocation-id' : 'x-fc-async-task-id'
    expect(call?.headers[idHeader]).toBe('task-1')
    service.occupy(true)
    expect(await invokeLater('rank_all-batch', Buffer.from('{}'), 'task-1')).toBeUndefined()
  })
})

describe('submitTasks()', () => {
  it('hands over every object once per run, as the item that the line is', async () => {
    const tasks = new Map<string, string>()
    const api = {
      async invokeLater(_: string, payload: Uint8Array, taskId: string) {
        if (tasks.has(taskId)) return undefined
        tasks.set(taskId, Buffer.from(payload).toString())
        return 'request'
      },
    }
    const lines = ['oss://b/a b', '', '{"uri":"oss://b/é","part":"2"}', 'oss://b/a b', 'oss://b/%20']
    expect(await submitTasks(api, 'digits-batch', lines, '')).toEqual({ tasks: 3, known: 0 })
    expect([...tasks.values()].sort()).toEqual([
      '{"items":["oss://b/%20"]}',
      '{"items":["oss://b/a b"]}',
      '{"items":[{"uri":"oss://b/é","part":"2"}]}',
    ])
    expect(await submitTasks(api, 'digits-batch', lines, '')).toEqual({ tasks: 3, known: 3 })
    expect(await submitTasks(api, 'digits-batch', lines, 'again')).toEqual({ tasks: 3, known: 0 })
    await expect(submitTasks(api, 'digits-batch', ['x'.repeat(200_000)], '')).rejects.toThrow('it is too long')
  })
})

describe('What is sent to Function Compute', () => {
  it('has the token and the code, which unzips to the handler and the service', async () => {
    const [predict] = fcPlan(plan(small)).functions
    const options = deployOptions({ service: 'packages/cli/examples/digits/service.json' })
    const sent = (await readyToSend(predict as FcFunction, options, { token: 'secret', accountId: '123' }))
      .function as unknown as {
      code: { zipFile: string }
      environmentVariables: { EAS_TOKEN: string }
    } // as clouds.ts makes it
    expect(sent.environmentVariables.EAS_TOKEN).toBe('secret')
    const names = await unzipped(Buffer.from(sent.code.zipFile, 'base64'))
    for (const name of [
      'index.js',
      'app/index.js',
      'packages/cli/examples/digits/service.json',
      'packages/cli/examples/digits/digits.onnx',
    ]) {
      expect(names).toContain(name)
    }
    expect(sent.code.zipFile.length).toBeLessThan(100 * 1024 * 1024)
  })

  it('is refused where the code is larger than a request may be', async () => {
    const [predict] = fcPlan(plan(small)).functions
    const options = deployOptions({ service: 'packages/cli/examples/digits/service.json' })
    const sending = readyToSend(
      { ...(predict as FcFunction), function: { ...predict?.function, functionName: 'f', code: { zipFile: 'proto' } } },
      options,
      { token: 't', accountId: '1', codeCharsMax: 1000 },
    )
    await expect(sending).rejects.toThrow(/is 1 MB in base64, a request takes 1 MB; name the model in a bucket/)
  })

  it('has what links lead to, and each of a circle once', async () => {
    files.write('linked/model/m.onnx', 'model')
    files.write('linked/svc/service.json', '{}')
    const folder = join(files.folder, 'linked/svc')
    symlinkSync('../model/m.onnx', join(folder, 'file.onnx'))
    symlinkSync('../model', join(folder, 'folder'))
    symlinkSync('.', join(folder, 'circle'))
    expect([...(await unzipped(await zipOf({ svc: folder })))].sort()).toEqual([
      'svc/file.onnx',
      'svc/folder/m.onnx',
      'svc/service.json',
    ])
  })

  it('is the same archive for the same files', async () => {
    const folder = join(import.meta.dirname, '../golden/events')
    expect((await zipOf({ a: folder })).equals(await zipOf({ a: folder }))).toBe(true)
  })
})

/** Members that Cloud Run's pages document, as far as a plan uses them; `*` is any name, `[]` an item. */
const documented: readonly RegExp[] = [
  /^(?:apiVersion|kind)$/,
  /^metadata\.(?:name|labels\.[a-z0-9_-]+|annotations\.run\.googleapis\.com\/ingress)$/,
  /^spec\.template\.metadata\.annotations\.(?:autoscaling\.knative\.dev\/(?:min|max)Scale|run\.googleapis\.com\/(?:startup-cpu-boost|execution-environment|cpu-throttling|gpu-zonal-redundancy-disabled))$/,
  /^spec\.template\.spec\.(?:containerConcurrency|timeoutSeconds|serviceAccountName|taskCount|parallelism)$/,
  /^spec\.template\.spec(?:\.template\.spec)?\.nodeSelector\.run\.googleapis\.com\/accelerator$/,
  /^spec\.template\.spec\.template\.spec\.(?:maxRetries|timeoutSeconds|serviceAccountName)$/,
  /^spec\.template\.spec(?:\.template\.spec)?\.volumes\[\]\.(?:name|nfs\.(?:server|path|readOnly)|emptyDir\.(?:medium|sizeLimit))$/,
  /^spec\.template\.spec(?:\.template\.spec)?\.containers\[\]\.(?:image|command\[\]|env\[\]\.(?:name|value|valueFrom\.secretKeyRef\.(?:name|key))|ports\[\]\.(?:name|containerPort)|resources\.limits\.(?:cpu|memory|nvidia\.com\/gpu)|volumeMounts\[\]\.(?:name|mountPath)|(?:startup|liveness)Probe\.(?:httpGet\.(?:path|port)|periodSeconds|timeoutSeconds|failureThreshold))$/,
]
function members(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => members(item, `${at}[]`))
  if (typeof value !== 'object' || value === null) return [at]
  return Object.entries(value).flatMap(([name, member]) => members(member, at ? `${at}.${name}` : name))
}

describe('A plan for Cloud Run', () => {
  it.each([
    ['everything', full, { image, batch }],
    ['little', small, { image }],
  ])('that asks for %s has only members that are documented', (_, json, options) => {
    const { files: described } = cloudRunPlan(plan(json, options))
    for (const content of Object.values(described)) {
      expect(members(content).filter((path) => !documented.some((pattern) => pattern.test(path)))).toEqual([])
    }
  })

  it('has the GPU, the token from a secret, probes on readiness, and limits that Cloud Run has', () => {
    const { files: described, notes } = cloudRunPlan(plan(full, { image, batch }))
    expect(Object.keys(described)).toEqual(['service.yaml', 'events.yaml', 'job.yaml'])
    const yaml = yamlFile(described['service.yaml'])
    for (const line of [
      'name: rank-all',
      'autoscaling.knative.dev/minScale: "1"',
      'autoscaling.knative.dev/maxScale: "9"',
      'containerConcurrency: 16',
      'run.googleapis.com/accelerator: nvidia-l4',
      'nvidia.com/gpu: "1"',
      'memory: "16384Mi"',
      'path: /readyz',
      'name: eas-rank-all-token',
    ]) {
      expect(yaml).toContain(line)
    }
    expect(notes.join('\n')).toMatch(/role_arn: it is not of Google Cloud/)
    expect(notes.join('\n')).toMatch(/storage at \/models: oss is not mounted/)
  })

  it('is refused without a container', () => {
    expect(() => cloudRunPlan(plan(small))).toThrow('Cloud Run runs containers only: set custom.eas.image')
  })
})

describe('A plan for AWS', () => {
  it('has the functions, and says what it cannot keep', () => {
    const { functions, notes } = awsPlan(plan(full, { batch }))
    expect(functions).toMatchObject({
      predict: {
        handler: 'dist/functions/aws-lambda/index.streamHandler',
        memorySize: 10_240,
        timeout: 36,
        url: { invokeMode: 'RESPONSE_STREAM' },
        ephemeralStorageSize: 5120,
        reservedConcurrency: 9,
        environment: { INPUT_TILE: '2', EAS_TOKEN: '{{resolve:secretsmanager:eas-rank_all-token}}' },
        events: [{ schedule: { input: { ping: true } } }],
      },
      batch: {
        events: [{ s3: { bucket: 'requests', rules: [{ prefix: 'in/' }] } }],
        environment: { EAS_BATCH_OUTPUT: batch.output },
      },
    })
    expect(notes.join('\n')).toMatch(/GPU: Lambda has none/)
    expect(notes.join('\n')).toMatch(/storage at \/models: oss is not mounted/)
    expect(notes.join('\n')).toMatch(/role_arn: it is not of AWS/)
  })
})

describe('A plan for AWS without function URLs', () => {
  it('has an HTTP API, which ends a request after 30 s, and its answers whole', () => {
    const { functions, notes } = awsPlan(plan({ ...full, autoscaler: { min: 0 } }, { endpoint: 'httpApi' }))
    expect(functions.predict).toMatchObject({
      handler: 'dist/functions/aws-lambda/index.handler',
      timeout: 29,
      events: [{ httpApi: '*' }],
    })
    expect(functions.predict).not.toHaveProperty('url')
    expect(notes.join('\n')).toContain('Timeout in s: 36 becomes 29')
    expect(() => plan(small, { endpoint: 'rest' })).toThrow('custom.eas.endpoint must be url or httpApi, got rest')
  })
})

describe('The environment of functions', () => {
  const processor_envs = ['INPUT_TILE', 'EAS_TOKEN', 'AWS_REGION', 'PORT', 'my-var'].map((name) => ({
    name,
    value: '1',
  }))
  const crowded = plan({ ...small, processor_envs }, { image, batch })
  const variables = (environment: unknown) => Object.keys(environment as object).join(' ')
  const left = (notes: readonly string[]) =>
    notes.flatMap((note) => /^processor_envs (\S+): it is left out/.exec(note)?.[1] ?? []).join(' ')

  it('on AWS is what Lambda takes, and the token a secret', () => {
    const { functions, notes } = awsPlan(crowded)
    const { predict, batch: scorer } = functions as Record<string, { environment: Record<string, string> }>
    expect(variables(predict?.environment)).toBe('INPUT_TILE PORT SERVICE_JSON EAS_TOKEN')
    expect(predict?.environment.EAS_TOKEN).toBe('{{resolve:secretsmanager:eas-digits-token}}')
    expect(variables(scorer?.environment)).not.toMatch(/my-var|AWS_REGION/)
    expect(left(notes)).toBe('EAS_TOKEN AWS_REGION my-var')
  })

  it('on Cloud Run has each name once, and not the port', () => {
    const { files: written, notes } = cloudRunPlan(crowded)
    const text = yamlFile(written['service.yaml'])
    expect(text.match(/- name: EAS_TOKEN\n +(\w+)/g)).toEqual([expect.stringMatching(/valueFrom$/)])
    expect(text).not.toContain('- name: PORT')
    expect(left(notes)).toBe('EAS_TOKEN PORT')
  })

  it('on Function Compute leaves the port to the container', () => {
    const { functions, notes } = fcPlan(crowded)
    expect(variables(functions[0]?.function.environmentVariables)).toBe('INPUT_TILE AWS_REGION SERVICE_JSON EAS_TOKEN')
    expect(left(notes)).toBe('EAS_TOKEN PORT my-var')
  })
})

describe('A limit of requests in flight', () => {
  const limited = { gateway_policy: { concurrency_limit: { enable: true, limit: 100 } } }
  const json = {
    ...small,
    metadata: { ...small.metadata, rpc: { worker_threads: 4, max_queue_size: 12 } },
    networking: limited,
  }

  it('becomes as many instances as have that many requests, each with as many as the platform gives it', () => {
    expect(awsPlan(plan(json)).functions.predict).toMatchObject({ reservedConcurrency: 100 })
    expect(fcPlan(plan(json)).functions[0]?.concurrencyConfig).toEqual({ reservedConcurrency: 100 })
    expect(fcPlan(plan(json, { image })).functions[0]?.concurrencyConfig).toEqual({ reservedConcurrency: 7 })
    expect(yamlFile(cloudRunPlan(plan(json, { image })).files['service.yaml'])).toContain('maxScale: "7"')
  })
})

describe('Memory on Function Compute', () => {
  it.each([
    [2, 16_384, 4, 16_384],
    [0.5, 4096, 1, 4096],
    [8, 65_536, 8, 32_768],
    [2, 131_072, 8, 32_768],
    [4, 8192, 4, 8192],
  ])('of %d cores and %d MB comes with the cores it takes', (cpu, memory, cores, memorySize) => {
    const { functions } = fcPlan(plan({ ...small, metadata: { ...small.metadata, cpu, memory } }))
    expect(functions[0]?.function).toMatchObject({ cpu: cores, memorySize })
  })
})

describe('The rights of functions', () => {
  it('on AWS are in the partition of the stack, and let what was left among the results be deleted', () => {
    const { statements } = awsPlan(plan(small, { batch: { ...batch, output: 's3://results/scores/' } }))
    const arn = (name: string) => ({ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:s3:::${name}`]] })
    expect(statements).toEqual([
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: [arn('requests/in/*')] },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
        Resource: [arn('results/scores/*')],
      },
      { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [arn('requests'), arn('results')] },
    ])
  })

  it('on Alibaba Cloud let the results be listed, which every object asks for, and deleted', () => {
    const path = join(import.meta.dirname, '../../infra/alibaba/ram-policy.json')
    const { Statement } = JSON.parse(readFileSync(path, 'utf8')) as {
      Statement: readonly { Action: readonly string[]; Resource: readonly string[] }[]
    } // a policy
    const allowed = (action: string, resource: string) =>
      Statement.some(({ Action, Resource }) => Action.includes(action) && Resource.includes(`acs:oss:*:*:${resource}`))
    expect(allowed('oss:ListObjects', 'RESULTS')).toBe(true)
    expect(allowed('oss:ListObjects', 'REQUESTS')).toBe(true)
    for (const action of ['oss:GetObject', 'oss:PutObject', 'oss:DeleteObject'])
      expect(allowed(action, 'RESULTS/scores/*'), action).toBe(true)
  })
})

describe('Names', () => {
  const name = 'My.Model-v1_of_a_name_that_is_longer_than_the_clouds_let_their_functions_have'
  it('are within what each cloud takes, and tell long ones apart', () => {
    const names = [name, `${name}2`].map((each) => {
      const service = plan({ ...small, name: each }, { image, batch })
      return [
        ...fcPlan(service).functions.map(({ function: { functionName } }) => functionName),
        ...Object.values(cloudRunPlan(service).files).map(({ metadata }) => (metadata as { name: string }).name),
        `${serviceName(service)}-production-predict`,
        roleName(serviceName(service), 'production', 'ap-southeast-1'),
      ]
    })
    for (const each of names.flat()) expect(each).toMatch(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/)
    const onCloudRun = names.flatMap((each) => each.slice(2, 5))
    for (const each of onCloudRun) expect(each).toMatch(/^[a-z][a-z0-9-]{0,48}$/)
    expect(new Set(names.flat()).size).toBe(names.flat().length)
  })

  it('are the service’s own where they can be', () => {
    const service = plan({ ...small, name: 'rank_all' }, { image })
    expect(fcPlan(service).functions[0]?.function.functionName).toBe('rank_all')
    expect(serviceName(service)).toBe('eas-rank-all')
    expect(roleName('eas-digits', 'dev', 'us-east-1')).toBe('eas-digits-dev-us-east-1-lambdaRole')
  })
})

describe('The folder of a service', () => {
  it('is one word of the command that puts code together for `s`', () => {
    const options = deployOptions({ service: 'my models/service.json' })
    const text = yamlFile(sYaml(fcPlan(plan(small)), options, '..'))
    expect(text).toContain("cp -rL --parents 'my models' .serverless/fc-code")
  })

  const at = (path: string, json: object) => relative('.', files.write(path, JSON.stringify(json)))
  const reading = (service: string) => readDeployment(deployOptions({ service }))

  it('must be in the repository, and have the model', async () => {
    await expect(reading(at('outside/service.json', small))).rejects.toThrow(
      'it must be in a folder of this repository',
    )
    const inside = 'packages/cli/examples/digits/service.json'
    expect(await reading(join(process.cwd(), inside))).toMatchObject({ environment: { SERVICE_JSON: inside } })
  })

  it.each([
    ['service.json', 'm.onnx', 'it must be in a folder of this repository'],
    ['svc/service.json', 'm.onnx', 'model_path m.onnx is not in svc'],
    ['svc/sub/service.json', '../m.onnx', 'model_path ../m.onnx is not below its folder, which alone is deployed'],
  ])('of %s with the model %s is refused', (service, model_path, said) => {
    const { config } = parseServiceJson(JSON.stringify({ ...small, model_path }))
    expect(() => checkFolder(config, deployOptions({ service }), files.folder)).toThrow(said)
  })

  it.each(['m.onnx', './m.onnx', 'oss://models/m', 'https://h/m.onnx', '/mnt/models/m'])(
    'may have %s',
    (model_path) => {
      files.write('svc/m.onnx', '')
      const { config } = parseServiceJson(JSON.stringify({ ...small, model_path }))
      expect(() => checkFolder(config, deployOptions({ service: 'svc/service.json' }), files.folder)).not.toThrow()
    },
  )
})

describe('machineOf()', () => {
  it.each([
    ['ecs.c6.large', { cpu: 2, memoryMb: 4096 }],
    ['ecs.g6.4xlarge', { cpu: 16, memoryMb: 65_536 }],
    ['ecs.r7.xlarge', { cpu: 4, memoryMb: 32_768 }],
    ['ecs.gn6i-c4g1.xlarge', { cpu: 4, memoryMb: 16_384, gpu: { count: 1, memoryGb: 16 } }],
    ['ecs.gn7i-c16g1.4xlarge', { cpu: 16, memoryMb: 65_536, gpu: { count: 1, memoryGb: 24 } }],
    ['ml.gu7i.unknown', undefined],
    ['anything', undefined],
  ])('knows %s', (type, machine) => {
    expect(machineOf(type)).toEqual(machine)
  })
})

describe('Packaging', () => {
  it.each(['fc', 'cloudrun'])('for %s writes the complete plan and asks nobody', async (name) => {
    const folder = `${files.write(`${name}/keep`.replace('/', '-'), '')}.d`
    const said: string[] = []
    const custom = { service: 'packages/cli/examples/digits/service.json', image, batch }
    await clouds[name]?.package(custom, folder, (line) => said.push(line))
    const written = readdirSync(folder).sort()
    expect(written).toEqual(
      name === 'fc' ? ['fc-plan.json', 's.yaml'] : ['deploy.sh', 'events.yaml', 'job.yaml', 'service.yaml'],
    )
    expect(said.filter((line) => line.startsWith('wrote ')).length).toBe(written.length)
    await clouds[name]?.deploy(custom, folder, { dry: true, env: {}, say: (line) => said.push(line) })
    expect(said.at(-1)).toMatch(
      name === 'fc'
        ? /^would create or update digits-batch/
        : /^\$ gcloud eventarc triggers describe .* \|\| gcloud eventarc triggers create/,
    )
  })

  it('is of every service.json that there is', () => {
    const folder = join(import.meta.dirname, '../golden/service-json')
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /\.jsonc?$/.test(path))
    let planned = 0
    for (const path of paths) {
      const parsed = attempt(() => parseServiceJson(readFileSync(join(folder, path), 'utf8')))
      if (!parsed) continue // one that is wrong, as its own test says
      const deployment = deploymentOf(parsed.config, deployOptions({ service: path, image, batch }))
      for (const each of fcPlan(deployment).functions)
        expect(unknownMembers('CreateFunctionInput', each.function), path).toEqual([])
      for (const content of Object.values(cloudRunPlan(deployment).files)) {
        expect(
          members(content).filter((at) => !documented.some((pattern) => pattern.test(at))),
          path,
        ).toEqual([])
      }
      expect(Object.keys(awsPlan(deployment).functions), path).toEqual(['predict', 'batch'])
      planned++
    }
    expect(planned).toBeGreaterThan(10)
    expect(existsSync(folder)).toBe(true)
  })
})

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** Names of an archive's files, all of whose contents another's reader has read and found right. */
const unzipped = (archive: Buffer) =>
  new Promise<readonly string[]>((resolve, reject) => {
    const names: string[] = []
    fromBuffer(archive, { lazyEntries: true, validateEntrySizes: true }, (error, zip) => {
      if (!zip) return reject(error)
      zip.on('error', reject)
      zip.on('end', () => resolve(names))
      zip.on('entry', (entry) => {
        names.push(entry.fileName)
        zip.openReadStream(entry, (failure, stream) => {
          if (!stream) return reject(failure)
          let crc = 0
          stream.on('error', reject).on('data', (chunk: Buffer) => {
            crc = crc32(chunk, crc)
          })
          stream.on('end', () => (crc === entry.crc32 ? zip.readEntry() : reject(new Error(`${entry.fileName}: CRC`))))
        })
      })
      zip.readEntry()
    })
  })

describe('Deploying to Cloud Run', () => {
  it('runs each command, and what is created once only once', async () => {
    const folder = join(files.folder, 'gcloud')
    // A gcloud that writes down what it is told, and knows of a trigger once it is created.
    const gcloud = files.write(
      'gcloud/gcloud',
      `#!/bin/sh
case "$*" in *describe*) grep -q "triggers create" ${folder}/log; exit ;; esac
echo "$*" >> ${folder}/log
`,
    )
    chmodSync(gcloud, 0o755)
    const custom = { service: 'packages/cli/examples/digits/service.json', image, batch }
    const env = { PATH: `${folder}:${process.env.PATH}`, PROJECT_ID: 'my-project' }
    for (const _ of ['first', 'again'])
      await clouds.cloudrun?.deploy(custom, folder, { dry: false, env, say: () => {} })
    const log = readFileSync(join(folder, 'log'), 'utf8')
      .trim()
      .split('\n')
      .filter((line) => line !== '--version')
    expect(log.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'run services replace',
      'run services add-iam-policy-binding',
      'run services replace',
      'run jobs replace',
      'eventarc triggers create',
      'run services replace',
      'run services add-iam-policy-binding',
      'run services replace',
      'run jobs replace',
    ])
    expect(log.join('\n')).toContain('--service-account=eas-events@my-project.iam.gserviceaccount.com')
    const nowhere = { PATH: env.PATH }
    const deploying = clouds.cloudrun?.deploy(custom, folder, { dry: false, env: nowhere, say: () => {} })
    await expect(deploying).rejects.toThrow('PROJECT_ID must be set')
  })
})

describe('The files of infra/', () => {
  it('are what packaging writes for the example', async () => {
    /** JSON is formatted as the rest of the repository is. */
    const content = (path: string, text: string) => (path.endsWith('.json') ? JSON.parse(text) : text)
    for (const [path, text] of Object.entries(await examples())) {
      const there = readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
      expect(content(path, there), `${path}: npx tsx infra/deploy/examples.ts`).toEqual(content(path, text))
    }
  })
})
