import { batchEnvironment, clamped, type Deployment, notMounted } from './deployment.ts'
import { cloudRunEnvironment, environmentWithin } from './environment.ts'
import { projectId, type Step } from './gcloud.ts'
import { nameWithin } from './names.ts'

/** Descriptions as `gcloud run services replace` and `gcloud run jobs replace` take them, and the commands around them. */
export interface CloudRunPlan {
  readonly files: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** In order, from the folder that the files are in. */
  readonly steps: readonly Step[]
  readonly notes: readonly string[]
}

/** @see Cloud Run "YAML reference", "GPU support (services)", "Memory limits" */
export function cloudRunPlan(given: Deployment): CloudRunPlan {
  const notes = [...given.notes]
  const deployment = { ...given, environment: environmentWithin(given.environment, cloudRunEnvironment, notes) }
  const { options } = deployment
  const { image, region = 'us-central1', batch } = options
  if (!image) throw new Error('Cloud Run runs containers only: set custom.eas.image, or EAS_IMAGE')
  const name = resourceName(deployment.name)
  const secret = `eas-${name}-token`
  const template = instanceOf(deployment, notes)
  const environment = toEnv(deployment.environment, secret)

  const service = serviceOf(name, deployment, template, {
    image,
    command: ['node', 'index.js'],
    env: environment,
    timeoutSeconds: clamped(deployment.timeoutS, [1, 3600], notes, 'Timeout in s'),
    concurrency: clamped(deployment.concurrency, [1, 1000], notes, 'Requests at once'),
  })
  const run = (...words: readonly string[]): Step => ({ words: ['gcloud', 'run', ...words, `--region=${region}`] })
  const open = run('services', 'add-iam-policy-binding', name, '--member=allUsers', '--role=roles/run.invoker')
  if (!batch)
    return { files: { 'service.yaml': service }, steps: [run('services', 'replace', 'service.yaml'), open], notes }

  const events = serviceOf(`${name}-events`, deployment, template, {
    image,
    command: ['node', 'events.js'],
    env: toEnv(batchEnvironment(deployment, 600), secret),
    timeoutSeconds: 600,
    concurrency: 4,
  })
  const job = jobOf(`${name}-batch`, template, image, toEnv(batchEnvironment(deployment, 3600), secret))
  const trigger = `${name}-objects`
  const create: Step = {
    unless: ['gcloud', 'eventarc', 'triggers', 'describe', trigger, `--location=${region}`],
    words: [
      'gcloud',
      'eventarc',
      'triggers',
      'create',
      trigger,
      `--location=${region}`,
      `--destination-run-service=${name}-events`,
      `--destination-run-region=${region}`,
      '--event-filters=type=google.cloud.storage.object.v1.finalized',
      `--event-filters=bucket=${batch.bucket}`,
      `--service-account=${options.role ?? `eas-events@${projectId}.iam.gserviceaccount.com`}`,
    ],
  }
  if (batch.prefix) notes.push('batch.prefix: Eventarc filters by bucket only; the prefix is not looked at')
  return {
    files: { 'service.yaml': service, 'events.yaml': events, 'job.yaml': job },
    steps: [
      run('services', 'replace', 'service.yaml'),
      open,
      run('services', 'replace', 'events.yaml'),
      run('jobs', 'replace', 'job.yaml'),
      create,
    ],
    notes,
  }
}

interface Container {
  readonly image: string
  readonly command: readonly string[]
  readonly env: readonly object[]
  readonly timeoutSeconds: number
  readonly concurrency: number
}

function serviceOf(name: string, deployment: Deployment, template: Template, container: Container) {
  const { minInstances, requestsMax, labels } = deployment
  const { timeoutSeconds, concurrency, ...what } = container
  const maxInstances = deployment.maxInstances ?? (requestsMax && Math.ceil(requestsMax / concurrency))
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: {
      name,
      ...(Object.keys(labels).length > 0
        ? {
            labels: Object.fromEntries(
              Object.entries(labels).map(([key, value]) => [labelText(key), labelText(value)]),
            ),
          }
        : {}),
      annotations: { 'run.googleapis.com/ingress': 'all' },
    },
    spec: {
      template: {
        metadata: {
          annotations: {
            'autoscaling.knative.dev/minScale': String(minInstances),
            ...(maxInstances === undefined ? {} : { 'autoscaling.knative.dev/maxScale': String(maxInstances) }),
            'run.googleapis.com/startup-cpu-boost': 'true',
            'run.googleapis.com/execution-environment': 'gen2',
            ...template.annotations,
          },
        },
        spec: {
          containerConcurrency: concurrency,
          timeoutSeconds,
          ...template.spec,
          containers: [
            {
              ...what,
              ports: [{ name: 'http1', containerPort: 8080 }],
              resources: template.resources,
              ...(template.volumeMounts.length > 0 ? { volumeMounts: template.volumeMounts } : {}),
              // Requests wait until the model can answer them; 240 s is the most that a start may take.
              startupProbe: {
                httpGet: { path: '/readyz', port: 8080 },
                periodSeconds: 5,
                timeoutSeconds: 4,
                failureThreshold: 48,
              },
              livenessProbe: {
                httpGet: { path: '/healthz', port: 8080 },
                periodSeconds: 10,
                timeoutSeconds: 5,
                failureThreshold: 3,
              },
            },
          ],
        },
      },
    },
  }
}

function jobOf(name: string, template: Template, image: string, env: readonly object[]) {
  return {
    apiVersion: 'run.googleapis.com/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      template: {
        metadata: { annotations: { 'run.googleapis.com/execution-environment': 'gen2', ...template.annotations } },
        spec: {
          taskCount: 10,
          parallelism: 10,
          template: {
            spec: {
              maxRetries: 3,
              timeoutSeconds: '3600', // the most that a task with a GPU may take
              ...template.spec,
              containers: [
                {
                  image,
                  command: ['node', 'job.js'],
                  env,
                  resources: template.resources,
                  ...(template.volumeMounts.length > 0 ? { volumeMounts: template.volumeMounts } : {}),
                },
              ],
            },
          },
        },
      },
    },
  }
}

type Template = ReturnType<typeof instanceOf>

/** Cores that Cloud Run has, and the least and most MB of memory with each. */
const sizes = [
  { cpu: 1, memoryMb: [512, 4096] },
  { cpu: 2, memoryMb: [512, 8192] },
  { cpu: 4, memoryMb: [2048, 16_384] },
  { cpu: 6, memoryMb: [4096, 24_576] },
  { cpu: 8, memoryMb: [4096, 32_768] },
] as const
const gpuTypes = [
  { accelerator: 'nvidia-l4', memoryGb: 24, cpu: [4, 8], memoryMb: [16_384, 32_768] },
  { accelerator: 'nvidia-rtx-pro-6000', memoryGb: 96, cpu: [20, 30], memoryMb: [81_920, 180_224] },
] as const

function instanceOf({ machine, storage, networking, role, options, diskGb }: Deployment, notes: string[]) {
  const annotations: Record<string, string> = {}
  const spec: Record<string, unknown> = {}
  if (networking.vpc_id) notes.push('cloud.networking: an Alibaba Cloud VPC means nothing to Google Cloud')
  if (diskGb !== undefined)
    notes.push('features extra-ephemeral-storage: the file system is memory; metadata.memory must have room for it')
  if (options.role) spec.serviceAccountName = options.role
  else if (role) notes.push('role_arn: it is not of Google Cloud; the service takes on the project’s default account')

  const volumes: object[] = []
  const volumeMounts: object[] = []
  for (const [i, mount] of storage.entries()) {
    const volume = volumeOf(mount)
    if (!volume) {
      notes.push(notMounted(mount.mount_path, mount.kind))
      continue
    }
    volumes.push({ name: `volume-${i}`, ...volume })
    volumeMounts.push({ name: `volume-${i}`, mountPath: mount.mount_path })
  }
  if (volumes.length > 0) spec.volumes = volumes

  const limits = { ...sized(machine, notes) } as Record<string, string>
  const { gpu } = machine
  if (gpu) {
    const type = gpuTypes.find(({ memoryGb }) => memoryGb >= gpu.memoryGb) ?? gpuTypes[1]
    if (gpu.count > 1) notes.push(`metadata.gpu: ${gpu.count} becomes 1, an instance has one`)
    limits.cpu = String(clamped(machine.cpu, type.cpu, notes, 'Cores'))
    limits.memory = `${clamped(machine.memoryMb, type.memoryMb, notes, 'Memory in MB')}Mi`
    limits['nvidia.com/gpu'] = '1'
    spec.nodeSelector = { 'run.googleapis.com/accelerator': type.accelerator }
    annotations['run.googleapis.com/cpu-throttling'] = 'false'
    annotations['run.googleapis.com/gpu-zonal-redundancy-disabled'] = 'true'
  }
  return { annotations, spec, volumeMounts, resources: { limits } }
}

function sized(machine: Deployment['machine'], notes: string[]) {
  const fits = sizes.find(({ cpu, memoryMb }) => cpu >= machine.cpu && memoryMb[1] >= machine.memoryMb) ?? sizes[4]
  if (machine.gpu) return {}
  if (fits.cpu < machine.cpu) notes.push(`Cores: ${machine.cpu} becomes ${fits.cpu}, the platform's most`)
  const memory = clamped(machine.memoryMb, fits.memoryMb, notes, 'Memory in MB')
  return { cpu: String(fits.cpu), memory: `${memory}Mi` }
}

function volumeOf(mount: Deployment['storage'][number]): object | undefined {
  if (mount.kind === 'nfs') return { nfs: { server: mount.server, path: mount.path, readOnly: mount.readOnly ?? true } }
  if (mount.kind === 'empty_dir') {
    return { emptyDir: { medium: 'Memory', sizeLimit: `${mount.size_limit ?? 1}Gi` } }
  }
  return undefined
}

const toEnv = (environment: Readonly<Record<string, string>>, secret: string) => [
  ...Object.entries(environment).map(([name, value]) => ({ name, value })),
  { name: 'EAS_TOKEN', valueFrom: { secretKeyRef: { name: secret, key: 'latest' } } },
]

/** Names have small letters, digits and hyphens. @see Cloud Run "Service name" */
const resourceName = (name: string) => nameWithin(name.toLowerCase(), nameCharsMax)
/** Of the 49 that a service's name may have, those that `-events` leaves. */
const nameCharsMax = 42
const labelText = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 63)
