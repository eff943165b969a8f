import { createServer, type IncomingMessage } from 'node:http'

/** What a runtime did with an invocation, as it came over the wire. */
export interface RuntimeAnswer {
  readonly kind: 'response' | 'error' | 'init-error'
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** Trailers: where a stream that broke off says why. */
  readonly trailers: Readonly<Record<string, string | undefined>>
}

export interface RuntimeApi {
  /** `AWS_LAMBDA_RUNTIME_API`. */
  readonly host: string
  /** Resolves when the runtime asks for its first event: its init phase is over. */
  readonly ready: Promise<void>
  /** Rejects when there is no answer in time: by default two minutes. */
  invoke(event: unknown, timeoutMs?: number): Promise<RuntimeAnswer>
  /** What the runtime says when its init fails. */
  readonly initError: Promise<RuntimeAnswer>
  close(): void
}

/**
 * Lambda's side of the runtime API: hands out events one after the other, and takes the answers.
 * @see AWS Lambda "Using the Lambda runtime API", 2018-06-01
 */
export async function runtimeApi(): Promise<RuntimeApi> {
  const queue: { id: string; event: string; deadline: number }[] = []
  const answers = new Map<string, (answer: RuntimeAnswer) => void>()
  let wake = () => {}
  const ready = deferred<void>()
  const initError = deferred<RuntimeAnswer>()
  let count = 0

  const server = createServer(async (message, response) => {
    const [, what = '', id = '', how = ''] =
      /^\/2018-06-01\/runtime\/(?:(init\/error)|invocation\/(?:(?:next)|([^/]+)\/(response|error)))$/.exec(
        message.url ?? '',
      ) ?? []
    if (message.method === 'GET') {
      ready.resolve()
      while (queue.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const next = queue.shift()
      response.writeHead(200, {
        'lambda-runtime-aws-request-id': next?.id,
        'lambda-runtime-deadline-ms': next?.deadline,
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:123456789012:function:eas',
        'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700',
        'content-type': 'application/json',
      })
      return void response.end(next?.event)
    }
    const answer = await received(
      message,
      what === 'init/error' ? 'init-error' : how === 'error' ? 'error' : 'response',
    )
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}')
    if (what === 'init/error') initError.resolve(answer)
    else answers.get(id)?.(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    host: `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    ready: ready.promise,
    initError: initError.promise,
    invoke(event, timeoutMs = 120_000) {
      const id = `request-${++count}`
      queue.push({ id, event: JSON.stringify(event), deadline: Date.now() + timeoutMs })
      const answer = new Promise<RuntimeAnswer>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`No answer in ${timeoutMs} ms`)), timeoutMs)
        answers.set(id, (found) => {
          clearTimeout(late)
          resolve(found)
        })
      })
      wake()
      return answer
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function received(message: IncomingMessage, kind: RuntimeAnswer['kind']): Promise<RuntimeAnswer> {
  const body = Buffer.concat(await message.toArray())
  return { kind, headers: message.headers, body, trailers: message.trailers }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve: (value: T) => resolve(value) }
}
