import { batchEnvironment, clamped, type Deployment, notMounted } from './deployment.ts'
import { environmentWithin, lambdaEnvironment } from './environment.ts'
import { nameWithin } from './names.ts'
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
  readonly Resource: readonly Arn[]
}

/** In the partition of the stack: China's and GovCloud's are others than `aws`, and refuse its ARNs. */
interface Arn {
  readonly 'Fn::Join': readonly ['', readonly ['arn:', { readonly Ref: 'AWS::Partition' }, string]]
}
const s3Arn = (name: string): Arn => ({ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:s3:::${name}`]] })

/** The same in a policy's file, which is not CloudFormation's. */
export const arnIn = (partition: string, { 'Fn::Join': [, [scheme, , rest]] }: Arn): string =>
  `${scheme}${partition}${rest}`

/** MB of memory that come with a core. @see AWS Lambda "Configure Lambda function memory" */
const mbPerCore = 1769
const timeoutSMax = 900
/** Of a function behind an HTTP API, which ends a request after 30 s. @see API Gateway "Quotas for HTTP APIs" */
const apiTimeoutS = 29

/** @see osls "AWS Functions", "Function URLs", "SQS", "S3", "Schedule" */
export function awsPlan(given: Deployment): AwsPlan {
  const notes = [...given.notes]
  const environment = environmentWithin(given.environment, lambdaEnvironment, notes)
  const deployment = { ...given, environment }
  const { name, machine, options, storage, networking, minInstances, labels } = deployment
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
  const isApi = options.endpoint === 'httpApi'
  const timeout = clamped(deployment.timeoutS, [1, isApi ? apiTimeoutS : timeoutSMax], notes, 'Timeout in s')
  // An instance has one request at a time.
  const maxInstances = deployment.maxInstances ?? deployment.requestsMax
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

  // Streamed: no base64, and answers of more than 4.5 MB. The SDKs sign with the token, which the function checks itself.
  const endpoint = isApi
    ? { entry: 'index.handler', events: [{ httpApi: '*' }] }
    : { entry: 'index.streamHandler', url: { invokeMode: 'RESPONSE_STREAM' }, events: [] }
  const { entry, events, ...url } = endpoint
  const pings = minInstances === 1 ? [{ schedule: { rate: ['rate(5 minutes)'], input: { ping: true } } }] : []
  const predict = {
    ...common,
    ...handlerOf(entry),
    ...imageOf(entry),
    description: `EAS service ${name}`,
    timeout,
    ...url,
    environment: { ...environment, EAS_TOKEN },
    // One instance is kept by asking for it; more are provisioned.
    ...(minInstances > 1 ? { provisionedConcurrency: minInstances } : {}),
    events: [...events, ...pings],
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

/**
 * Without the right to list, S3 answers 403 for what is not there. What workers that were ended have left among the results is
 * deleted.
 */
function statementsOf({ reads, options: { batch } }: Deployment): readonly Statement[] {
  const inputs = [...reads, ...(batch ? [`s3://${batch.bucket}/${batch.prefix ?? ''}`] : [])]
  const outputs = batch ? [batch.output] : []
  const own = (names: readonly string[]) =>
    names.filter((name) => name.startsWith('s3://')).map((name) => name.slice(5))
  const below = (names: readonly string[]) => own(names).map((name) => `${name}*`)
  const allow = (Action: readonly string[], names: readonly string[]): Statement[] =>
    names.length > 0 ? [{ Effect: 'Allow', Action, Resource: [...new Set(names)].map(s3Arn) }] : []
  const buckets = own([...inputs, ...outputs]).map((name) => name.split('/')[0] ?? '')
  return [
    ...allow(['s3:GetObject'], below(inputs)),
    ...allow(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], below(outputs)),
    ...allow(['s3:ListBucket'], buckets),
  ]
}

/** Of the stack, and the beginning of its functions' names. */
export const serviceName = ({ name }: Pick<Deployment, 'name'>): string => `eas-${nameWithin(name, nameCharsMax)}`
/** Of the role of its functions, as the framework names it if that is short enough. */
export const roleName = (service: string, stage: string, region: string): string =>
  nameWithin(`${service}-${stage}-${region}-lambdaRole`, roleCharsMax)
/** @see IAM "IAM and AWS STS quotas" */
const roleCharsMax = 64

/** Of the 64 that a function's name may have, those that `eas-`, a stage of ten and `-predict` leave. */
const nameCharsMax = 41

/** A path that stands for itself among patterns. */
const literal = (path: string) => path.replace(/[\\()[\]{}!*?+@$^|]/g, '\\$&')

/** What goes into the package beside the handlers. */
export const awsPackage = ({ options }: Deployment) => ({
  excludeDevDependencies: false, // only what is listed is taken
  patterns: ['!**', 'dist/functions/aws-lambda/**', `${literal(serviceFolder(options))}/**`],
})
