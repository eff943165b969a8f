import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a proxy does to one request or its answer. Bytes count from the start of the answer's body. */
export type Fault =
  /** Answers by itself. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
    }
  /** Closes the connection with a reset after so many bytes; before the headers if 0. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Sends the full length in the headers and ends early, orderly. */
  | { readonly kind: 'truncate'; readonly toBytes: number }
  /** Says another length than what it sends; both end where they say. */
  | { readonly kind: 'length'; readonly add: number }
  /** Sends so many bytes a second. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** Sends headers, and then nothing. */
  | { readonly kind: 'hang' }
  /** Flips one bit. */
  | { readonly kind: 'flip'; readonly bit: number }
  /** Runs before the request goes on. */
  | { readonly kind: 'before'; run(): void }

export interface FaultProxy {
  readonly endpoint: string
  readonly port: number
  /** Requests so far. */
  readonly count: () => number
  close(): Promise<void>
}

/**
 * A proxy in front of a store that damages what passes. `decide` sees every request with its number from 0.
 * The Host header goes through as it came, so signatures stay right.
 */
export async function startFaultProxy(
  target: string,
  decide: (request: IncomingMessage, index: number) => Fault | undefined,
): Promise<FaultProxy> {
  const to = new URL(target)
  let count = 0
  const server = createServer((request, response) => {
    const fault = decide(request, count++)
    if (fault?.kind === 'before') fault.run()
    if (fault?.kind === 'status') {
      request.resume()
      response.writeHead(fault.status, fault.headers ?? {}).end(fault.body ?? '')
      return
    }
    if (fault?.kind === 'reset' && fault.afterBytes === 0) {
      request.socket.resetAndDestroy()
      return
    }
    const { method, url: path, headers } = request
    const onward = httpRequest({ host: to.hostname, port: to.port, method, path, headers }, (answer) => {
      pass(answer, response, fault)
    })
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    count: () => count,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function pass(answer: IncomingMessage, response: ServerResponse, fault: Fault | undefined): Promise<void> {
  const headers = { ...answer.headers }
  if (fault?.kind === 'length' && headers['content-length'] !== undefined) {
    headers['content-length'] = `${Math.max(0, Number(headers['content-length']) + fault.add)}`
    response.strictContentLength = false
  }
  response.writeHead(answer.statusCode ?? 500, headers)
  response.flushHeaders()
  if (fault?.kind === 'hang') return
  let sent = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const start = sent
      sent += chunk.length
      if (fault?.kind === 'flip' && fault.bit >= start * 8 && fault.bit < sent * 8) {
        const at = (fault.bit >> 3) - start
        chunk[at] = (chunk[at] ?? 0) ^ (1 << (fault.bit & 7))
      }
      const end = fault?.kind === 'reset' ? fault.afterBytes : fault?.kind === 'truncate' ? fault.toBytes : sent
      if (fault?.kind === 'slow') await trickle(response, chunk, fault.bytesPerSecond)
      else response.write(chunk.subarray(0, Math.max(0, end - start)))
      if (end < sent) {
        // Lets what was written get out first.
        await new Promise((resolve) => setTimeout(resolve, 20))
        if (fault?.kind === 'reset') response.socket?.resetAndDestroy()
        else response.socket?.end()
        return
      }
      if (response.destroyed) return
    }
    response.end()
    if (fault?.kind === 'length' && fault.add > 0) response.socket?.end()
  } catch {
    response.destroy()
  }
}

async function trickle(response: ServerResponse, bytes: Buffer, bytesPerSecond: number): Promise<void> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 10))
  for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
    response.write(bytes.subarray(at, at + step))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/**
 * OSS's documented refusal in front of another S3 server: bodies that are aws-chunked with an unsigned trailer, which is what the
 * AWS SDKs send by default, are answered 400.
 * @see https://help.aliyun.com/zh/oss/developer-reference/use-aws-sdks-to-access-oss, error 0017-00000804
 */
export const startOssRefuser = (target: string): Promise<FaultProxy> =>
  startFaultProxy(target, ({ headers }) => {
    const chunked = /aws-chunked/.test(`${headers['content-encoding']}`) || headers['x-amz-trailer'] !== undefined
    if (!chunked && !/TRAILER$/.test(`${headers['x-amz-content-sha256']}`)) return undefined
    const body =
      '<?xml version="1.0"?><Error><Code>InvalidArgument</Code><Message>aws-chunked encoding is not supported with the specified x-amz-content-sha256 value</Message><EC>0017-00000804</EC></Error>'
    return { kind: 'status', status: 400, body, headers: { 'content-type': 'application/xml', connection: 'close' } }
  })
