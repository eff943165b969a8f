import type { Processor } from '@eas/processor'
import middy from '@middy/core'

/** What Lambda tells about an invocation, as far as it is read. */
export interface Context {
  getRemainingTimeInMillis(): number
  /** Whether a streamed answer is followed by the next event only once nothing is left to happen. True by default. */
  callbackWaitsForEmptyEventLoop: boolean
}

/** An answer that is handed to Lambda piece by piece: a prelude of JSON, then the bytes of the body. */
export interface StreamedResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A handler in the form that Lambda calls, of two parameters: Node 24's runtime refuses one of three. */
export const entry = <Event extends object, Result>(
  processor: Processor,
  handle: (event: Event, context: Context) => Promise<Result>,
) =>
  middy<Event, Result | Ping>()
    .use(answerPing(processor))
    .handler((event, context) => handle(event, context))

/** What Lambda's own runtime has for handlers that stream. @see AWS Lambda "Writing response streaming-enabled functions" */
interface AwsLambda {
  streamifyResponse<Handler>(handler: Handler): Handler
  readonly HttpResponseStream: {
    from(stream: NodeJS.WritableStream, prelude: Omit<StreamedResult, 'body'>): NodeJS.WritableStream
  }
}

/**
 * The same for `InvokeMode: RESPONSE_STREAM`; `undefined` where there is no Lambda runtime, which brings what it needs. Not
 * through middy, whose pipeline never ends an answer without a body.
 */
export function streamedEntry<Event extends object>(
  processor: Processor,
  handle: (event: Event, context: Context) => Promise<StreamedResult>,
) {
  if (!('awslambda' in globalThis)) return undefined
  const { streamifyResponse, HttpResponseStream } = globalThis.awslambda as AwsLambda // Lambda put it there
  const ping = answerPing(processor)
  return streamifyResponse(async (event: Event, stream: NodeJS.WritableStream, context: Context) => {
    context.callbackWaitsForEmptyEventLoop = false // the model's thread is always there: no next event would ever come
    const { body, ...head } = (await ping.before({ event })) ?? (await handle(event, context))
    const answer = HttpResponseStream.from(stream, head)
    const { buffer, byteOffset, byteLength } = typeof body === 'string' ? Buffer.from(body) : body
    // Also when there is nothing to write: the prelude goes out before the first piece.
    answer.write(Buffer.from(buffer, byteOffset, byteLength))
    answer.end()
  })
}

/** What a ping is answered with. */
interface Ping {
  readonly statusCode: 200
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A scheduled event keeps an instance warm: it loads the model, and stops here. No request can look like one. */
const answerPing = (processor: Processor) => ({
  async before({ event }: { event: object }): Promise<Ping | undefined> {
    if (!isPing(event)) return undefined
    await processor.load()
    const { ready } = processor.readiness()
    return { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: ready ? 'warm' : 'not ready' }
  },
})

/** EventBridge rules and schedules, and `{ "ping": true }` from anything else. */
function isPing(event: object | null): boolean {
  const { source, ping }: { source?: unknown; ping?: unknown } = event ?? {}
  return source === 'aws.events' || source === 'aws.scheduler' || ping === true
}
