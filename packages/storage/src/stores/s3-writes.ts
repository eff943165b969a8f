import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { exactBody, sizeOfBody } from '../net/body.ts'
import { type Credentials, keysOf } from '../net/sigv4.ts'
import { refused } from '../net/status.ts'
import type { Wire } from '../net/wire.ts'
import type { Body, CallOptions, ObjectInfo, ObjectStore, PutOptions } from '../object-store.ts'
import { StoreError, stopped } from '../store-error.ts'
import type { S3Settings } from './s3.ts'
import { etagOf } from './s3-headers.ts'

/**
 * How a store is told to write only where nothing is.
 * - `headers`: sent with the request, besides `If-None-Match: *`, which S3 itself understands.
 * - `verify`: whether a condition might be ignored, so that the key is looked at before and after.
 */
export interface CreateRule {
  readonly headers: { readonly [name: string]: string }
  readonly verify: boolean
}

/** Marks who wrote an object, so that the writer can find out whether what is there is its own. */
const writerMark = 'eas-writer'

export type S3Writes = Awaited<ReturnType<typeof s3Writes>>

/** What the AWS SDK does for `s3Store`. This file is loaded, and the SDK with it, by the first call that needs it. */
export async function s3Writes(settings: S3Settings, wire: Wire) {
  // Under Node 20 it tells users which Node its next versions will want. This one is the one that was installed.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const sdk = await import('@aws-sdk/client-s3')
  const { url, bucket, region, endpoint, pathStyle, trailers } = settings
  const client: S3Client = new sdk.S3Client({
    region,
    endpoint: endpoint.href,
    forcePathStyle: pathStyle,
    // What the environment says of them is in the endpoint; beside one, the SDK refuses every call.
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    maxAttempts: 1,
    logger: { debug() {}, info() {}, warn() {}, error() {} }, // its warnings would go to the console; errors are thrown
    requestChecksumCalculation: trailers ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      httpAgent: wire.agents.http,
      httpsAgent: wire.agents.https,
      connectionTimeout: wire.settings.connectMs,
      socketTimeout: wire.settings.idleMs,
    },
    ...credentialsFor(settings),
  })

  async function call<T>(doing: string, options: CallOptions | undefined, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (options?.signal?.aborted) throw stopped(options.signal, doing)
      throw translate(error, doing)
    }
  }

  async function put(key: string, body: Body, options: PutOptions | undefined, rule?: CreateRule, mark?: string) {
    const doing = `write ${url}/${key}`
    const broken = new AbortController()
    const input: PutObjectCommandInput = {
      Bucket: bucket,
      Key: key,
      Body: body instanceof Uint8Array ? body : stopping(body, doing, broken),
      ContentLength: sizeOfBody(body),
      ContentType: options?.contentType,
      ...(rule && { IfNoneMatch: '*' }),
      ...(mark !== undefined && { Metadata: { [writerMark]: mark } }),
    }
    const command = new sdk.PutObjectCommand(input)
    if (rule) {
      command.middlewareStack.add(
        (next) => (args) => {
          // The request of the `build` step is always an HTTP request; the SDK types it as unknown.
          Object.assign((args.request as { headers: Record<string, string> }).headers, rule.headers)
          return next(args)
        },
        { step: 'build', name: 'createOnly' },
      )
    }
    const signal = AbortSignal.any([broken.signal, ...(options?.signal ? [options.signal] : [])])
    const { ETag } = await call(doing, { signal }, () => client.send(command, { abortSignal: signal }))
    const version = etagOf(ETag)
    if (version === undefined) throw new StoreError('unsupported', `Cannot ${doing}: the store gives no ETag`)
    return { key, size: sizeOfBody(body), version }
  }

  return {
    /** The SDK's default chain: environment, files, container, instance. It remembers and renews what it found. */
    credentials: async (): Promise<Credentials> => client.config.credentials(),

    put: (key: string, body: Body, options?: PutOptions): Promise<ObjectInfo> => put(key, body, options),

    async create(
      key: string,
      body: Body,
      options: PutOptions | undefined,
      head: ObjectStore['head'],
    ): Promise<boolean> {
      const { create: rule } = settings
      if (rule.verify && (await head(key, options))) return false
      const mark = rule.verify ? randomUUID() : undefined
      try {
        await put(key, body, options, rule, mark)
      } catch (error) {
        if (error instanceof StoreError && error.code === 'changed') return false
        throw error
      }
      if (mark === undefined) return true
      const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key })
      const now = await call(`read ${url}/${key}`, options, () => client.send(command, { ...abortBy(options) }))
      return now.Metadata?.[writerMark] === mark
    },

    async delete(key: string, options?: CallOptions): Promise<void> {
      const command = new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key })
      await call(`delete ${url}/${key}`, options, () => client.send(command, { ...abortBy(options) })).catch(
        (error) => {
          if (!(error instanceof StoreError && error.code === 'not-found')) throw error
        },
      )
    },
  }
}

/**
 * The body as the SDK wants it. An error of it would be emitted by streams of the SDK's own that nobody listens to, and end
 * the process; so instead of failing it stays silent, and aborts the request.
 */
function stopping(body: Exclude<Body, Uint8Array>, doing: string, broken: AbortController): Readable {
  async function* chunks() {
    try {
      yield* exactBody(body, doing)
    } catch (error) {
      broken.abort(StoreError.from(error, doing))
      await new Promise(() => {})
    }
  }
  return Readable.from(chunks(), { objectMode: false })
}

const abortBy = (options: CallOptions | undefined) => options?.signal && { abortSignal: options.signal }

function credentialsFor({ credentials }: S3Settings): ConstructorParameters<typeof S3Client>[0] {
  if (credentials === 'default') return {}
  if (credentials === undefined) return { signer: { sign: async (request) => request } }
  // The SDK keeps credentials that never expire for the life of the client; the source is to be asked every time.
  return { credentials: async () => ({ ...keysOf(await credentials()), expiration: new Date(0) }) }
}

/** The SDK's errors carry the status in `$metadata` and the store's own code as their name. */
function translate(error: unknown, doing: string): StoreError {
  const { $metadata, $response, name, message } = error as {
    $metadata?: { httpStatusCode?: number }
    $response?: { headers?: Record<string, string> }
    name?: string
    message?: string
  } // anything may be thrown; each member is looked at before it is used
  const status = $metadata?.httpStatusCode
  if (status === undefined) {
    const unknown = name === 'CredentialsProviderError' ? 'denied' : 'unavailable'
    return StoreError.from(error, doing, unknown)
  }
  return refused(
    { status, name: /^\d+$|^Unknown/.test(name ?? '') ? undefined : name, message, headers: $response?.headers },
    doing,
    error,
  )
}
