import { dirname, relative } from 'node:path'

/** `custom.eas` of serverless.yml: what a deployment needs that no `service.json` says. */
export interface DeployOptions {
  /** Path of the `service.json`, relative to the repository. */
  readonly service: string
  /** A container image, by digest or tag; without one the functions are deployed as code where the platform takes code. */
  readonly image?: string
  readonly region?: string
  /** FC: 3.0 by default; 2.0 has services, and takes containers only. */
  readonly generation?: 2 | 3
  /** AWS: `httpApi` where a region has no function URLs: 30 s, and answers of 4.5 MB. */
  readonly endpoint?: 'url' | 'httpApi'
  /** The role that the function takes on, when `role_arn` is not this cloud's. */
  readonly role?: string
  /** More environment for every function, such as `EAS_BUCKETS`; the token never. */
  readonly env?: Readonly<Record<string, string>>
  /** What is handed to the batch function: objects of `bucket` under `prefix`. */
  readonly batch?: BatchOptions
}

export interface BatchOptions {
  readonly bucket: string
  readonly prefix?: string
  /** A name's beginning, as `oss://results/scores/`. */
  readonly output: string
  /** FC: the role that OSS takes on to call the function. Default: `AliyunOSSEventNotificationRole` of the account. */
  readonly triggerRole?: string
  /** More environment for that function, such as other `EAS_BATCH_…` settings. */
  readonly env?: Readonly<Record<string, string>>
}

/** @throws saying what of the options is missing or wrong. */
export function deployOptions(custom: unknown): DeployOptions {
  const given = Object.fromEntries(
    Object.entries((custom ?? {}) as Record<string, unknown>).filter(([, value]) => value !== '' && value !== null),
  ) // an object, as the plugin's schema has it; empty texts are environment variables that are not set
  const { service, generation, endpoint = 'url', batch } = given
  if (typeof service !== 'string') throw new Error('custom.eas.service must name a service.json')
  if (generation !== undefined && generation !== 2 && generation !== 3) {
    throw new Error(`custom.eas.generation must be 2 or 3, got ${generation}`)
  }
  if (endpoint !== 'url' && endpoint !== 'httpApi') {
    throw new Error(`custom.eas.endpoint must be url or httpApi, got ${endpoint}`)
  }
  const { bucket, output } = (batch ?? { bucket: '-', output: '-' }) as Partial<BatchOptions>
  if (!bucket || !output) throw new Error('custom.eas.batch must have bucket and output')
  return { ...given, service: relative('.', service) } as unknown as DeployOptions // checked above; the rest are texts
}

/** The folder that must be shipped beside the code: the one of the `service.json`, with the model that it names. */
export const serviceFolder = ({ service }: DeployOptions): string => dirname(service)
