import { EasError } from '@eas/base'
import type { Exchange, Processor } from '@eas/processor'
import type { EasRequest, EasRequestHead, EasResponse } from '@eas/protocol'

/** What a platform takes and returns in one call. */
export interface PlatformLimits {
  readonly platform: string
  /** Bytes of a request's body, as the client sent it. */
  readonly requestBytes: number
  /** Bytes of a response's body. */
  readonly responseBytes: number
  /** What else a client whose request is larger can do. */
  readonly waysOut: string
}

const MiB = 1024 * 1024
/** Bytes whose base64, with 4 KiB of JSON around it, fits `jsonBytes`. */
const inBase64 = (jsonBytes: number) => Math.floor((jsonBytes - 4096) / 4) * 3
const compressOr = (...others: readonly string[]) =>
  ['compress it (gzip, zlib, Snappy, LZ4 or Zstandard)', ...others, 'or score it as a batch'].join(', ')

/** The platforms' own limits; none can be raised. */
export const platformLimits = {
  /** @see AWS Lambda "Lambda quotas", invocation payload: 6 MB of JSON each way */
  awsLambda: {
    platform: 'AWS Lambda',
    requestBytes: inBase64(6 * MiB),
    responseBytes: inBase64(6 * MiB),
    waysOut: compressOr('send it to the service on Cloud Run or Function Compute, which take 32 MB'),
  },
  /** @see AWS Lambda "Response streaming": 200 MB */
  awsLambdaStreamed: {
    platform: 'AWS Lambda',
    requestBytes: inBase64(6 * MiB),
    responseBytes: 200 * MiB,
    waysOut: compressOr('send it to the service on Cloud Run or Function Compute, which take 32 MB'),
  },
  /** @see Elastic Load Balancing "Use Lambda functions as targets": 1 MB of body, 1 MB of JSON back */
  awsLoadBalancer: {
    platform: 'A load balancer before AWS Lambda',
    requestBytes: MiB,
    responseBytes: inBase64(MiB),
    waysOut: compressOr('use a function URL, which takes 4.5 MB, or the service on Cloud Run, which takes 32 MB'),
  },
  /** 32 MB of event, where a body is base64. @see Alibaba Cloud "Function Compute: limits", synchronous request body */
  aliyunFcHandler: {
    platform: 'Function Compute',
    requestBytes: inBase64(32 * MiB),
    responseBytes: inBase64(32 * MiB),
    waysOut: compressOr('send it to the service in a container, which takes 32 MB'),
  },
  aliyunFcContainer: {
    platform: 'Function Compute',
    requestBytes: 32 * MiB,
    responseBytes: 32 * MiB,
    waysOut: compressOr(),
  },
  /** @see Cloud Run "Quotas and limits", maximum HTTP/1 request and response size */
  cloudRun: {
    platform: 'Cloud Run',
    requestBytes: 32 * MiB,
    responseBytes: 32 * MiB,
    waysOut: compressOr(),
  },
} as const satisfies Readonly<Record<string, PlatformLimits>>

/** @returns 413, naming the limit and the ways out. */
const tooLarge = (bytes: number, { platform, requestBytes, waysOut }: PlatformLimits) =>
  new EasError(
    'too_large',
    `Request body too large: ${bytes} bytes, ${platform} takes at most ${requestBytes}; ${waysOut}`,
  )

const textResponse = (status: number, text: string): EasResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: Buffer.from(text),
})

function returnable(response: EasResponse, { platform, responseBytes }: PlatformLimits): EasResponse {
  const bytes = response.body.length
  if (bytes <= responseBytes) return response
  return textResponse(
    500,
    `Cannot return the answer: it is ${bytes} bytes, ${platform} returns at most ${responseBytes}`,
  )
}

/**
 * Answers a request that came whole, within the platform's limits: a larger one is 413, a larger answer a 500 that says so.
 * Authorization comes first, as for every refusal.
 */
export async function handleWithin(
  processor: Pick<Processor, 'handle'>,
  limits: PlatformLimits,
  request: EasRequest,
): Promise<EasResponse> {
  const bytes = request.body.length
  if (bytes <= limits.requestBytes) return returnable(await processor.handle(request), limits)
  // Without its body, so that the core says what it would have refused anyway.
  const response = await processor.handle({
    ...request,
    method: request.method === 'POST' ? 'GET' : request.method,
    body: none,
  })
  const { status, message } = tooLarge(bytes, limits)
  return response.status === 200 ? textResponse(status, message) : response
}
const none = new Uint8Array()

/** The same for a request whose body has yet to come. */
export function beginWithin(
  processor: Pick<Processor, 'begin'>,
  limits: PlatformLimits,
  head: EasRequestHead,
): Exchange {
  const exchange = processor.begin(head)
  return {
    ...exchange,
    tooLong: (bytes) => (bytes > limits.requestBytes ? tooLarge(bytes, limits) : exchange.tooLong?.(bytes)),
    async finish(body, client) {
      return returnable(await exchange.finish(body, client), limits)
    },
  }
}
