import { batchEnvironment, clamped, type Deployment, notMounted } from './deployment.ts'
import { serviceFolder } from './options.ts'

/** `functions` of serverless.yml for AWS, and what of the configuration they cannot keep. */
export interface AwsPlan {
  readonly functions: Readonly<Record<string, unknown>>
  /** What the functions' role may do beside writing its log: no more than their work takes. */
  readonly statements: readonly Statement[]
  readonly notes: readonly string[]
}

interface Statement {
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: readonly string[]
}

/** MB of memory that come with a core. @see AWS Lambda "Configure Lambda function memory" */
const mbPerCore = 1769
const timeoutSMax = 900

/** @see osls "AWS Functions", "Function URLs", "SQS", "S3", "Schedule" */
export function awsPlan(deployment: Deployment): AwsPlan {
  const { name, machine, options, storage, networking, minInstances, maxInstances, labels } = deployment
  const notes = [...deployment.notes]
  if (machine.gpu) notes.push('GPU: Lambda has none, the model runs on the CPU; Function Compute and Cloud Run have')
  if (deployment.concurrency > 1)
    notes.push('metadata.rpc.worker_threads, max_queue_size: an instance of Lambda has one request at a time')
  for (const { kind, mount_path } of storage) {
    if (kind !== 'empty_dir') notes.push(notMounted(mount_path, kind))
  }
  if (networking.vpc_id) notes.push('cloud.networking: an Alibaba Cloud VPC means nothing to AWS')
  const memorySize = Math.ceil(
    clamped(Math.max(machine.memoryMb, machine.cpu * mbPerCore), [128, 10_240], notes, 'Memory in MB'),
  )
  const timeout = clamped(deployment.timeoutS, [1, timeoutSMax], notes, 'Timeout in s')
  const isArn = deployment.role?.startsWith('arn:aws')
  if (deployment.role && !isArn) notes.push('role_arn: it is not of AWS; the function gets a role of its own')

  const common = {
    ...(options.image ? { image: { uri: options.image } } : {}),
    memorySize,
    ...(deployment.diskGb === undefined
      ? {}
      : { ephemeralStorageSize: clamped(deployment.diskGb * 1024, [512, 10_240], notes, 'Disk in MB') }),
    ...(maxInstances === undefined ? {} : { reservedConcurrency: maxInstances }),
    ...(isArn ? { role: deployment.role } : {}),
    ...(Object.keys(labels).length > 0 ? { tags: labels } : {}),
  }
  const handlerOf = (entry: string) => (options.image ? {} : { handler: `dist/functions/aws-lambda/${entry}` })
  const imageOf = (entry: string) => (options.image ? { image: { uri: options.image, command: [entry] } } : {})
  /** Resolved by CloudFormation when it deploys: the token stands in no file. */
  const EAS_TOKEN = `{{resolve:secretsmanager:eas-${name}-token}}`

  const predict = {
    ...common,
    ...handlerOf('index.streamHandler'),
    ...imageOf('index.streamHandler'),
    description: `EAS service ${name}`,
    timeout,
    // Streamed: no base64, and answers of more than 4.5 MB. The SDKs sign with the token, which the function checks itself.
    url: { invokeMode: 'RESPONSE_STREAM' },
    environment: { ...deployment.environment, EAS_TOKEN },
    // One instance is kept by asking for it; more are provisioned.
    ...(minInstances > 1 ? { provisionedConcurrency: minInstances } : {}),
    ...(minInstances === 1 ? { events: [{ schedule: { rate: ['rate(5 minutes)'], input: { ping: true } } }] } : {}),
  }
  const statements = statementsOf(deployment)
  if (!options.batch) return { functions: { predict }, statements, notes }

  const { bucket, prefix = '' } = options.batch
  const batch = {
    ...common,
    ...handlerOf('batch.handler'),
    ...imageOf('batch.handler'),
    description: `EAS service ${name}, objects of ${bucket}`,
    timeout: timeoutSMax,
    environment: { ...batchEnvironment(deployment, timeoutSMax), EAS_TOKEN },
    events: [
      { s3: { bucket, existing: true, event: 's3:ObjectCreated:*', ...(prefix ? { rules: [{ prefix }] } : {}) } },
    ],
  }
  return { functions: { predict, batch }, statements, notes }
}

/** Without the right to list, S3 answers 403 for what is not there. */
function statementsOf({ reads, options: { batch } }: Deployment): readonly Statement[] {
  const inputs = [...reads, ...(batch ? [`s3://${batch.bucket}/${batch.prefix ?? ''}`] : [])]
  const outputs = batch ? [batch.output] : []
  const own = (names: readonly string[]) =>
    names.filter((name) => name.startsWith('s3://')).map((name) => name.slice(5))
  const allow = (Action: readonly string[], Resource: readonly string[]): Statement[] =>
    Resource.length > 0 ? [{ Effect: 'Allow', Action, Resource: [...new Set(Resource)] }] : []
  const arn = 'arn:aws:s3:::'
  return [
    ...allow(
      ['s3:GetObject'],
      own(inputs).map((name) => `${arn}${name}*`),
    ),
    ...allow(
      ['s3:GetObject', 's3:PutObject'],
      own(outputs).map((name) => `${arn}${name}*`),
    ),
    ...allow(
      ['s3:ListBucket'],
      own([...inputs, ...outputs]).map((name) => `${arn}${name.split('/')[0]}`),
    ),
  ]
}

/** What goes into the package beside the handlers. */
export const awsPackage = ({ options }: Deployment) => ({
  excludeDevDependencies: false, // only what is listed is taken
  patterns: ['!**', 'dist/functions/aws-lambda/**', `${serviceFolder(options)}/**`],
})
