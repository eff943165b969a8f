import { readFileSync, statSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { answerParent } from './child.ts'

/**
 * The files of a folder as an S3 server has them, `/bucket/key`, every connection at most so many bytes a second. It does not
 * look at signatures: what is timed is the client. In a process of its own.
 */
export interface CappedStore {
  readonly folder: string
  readonly bytesPerSecond: number
}

const files = new Map<string, Buffer>()

function contentOf(path: string): Buffer | undefined {
  const known = files.get(path)
  if (known) return known
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  const content = readFileSync(path)
  files.set(path, content)
  return content
}

/** Answers with its port. */
answerParent<CappedStore, number>(async ({ folder, bytesPerSecond }) => {
  const server = createServer((request, response) => {
    const key = decodeURIComponent((request.url ?? '').replace(/\?.*/, '')).replace(/^\/[^/]+\//, '')
    const content = contentOf(join(folder, key))
    if (!content) {
      const found =
        key === '' ? [200, '<ListBucketResult></ListBucketResult>'] : [404, '<Error><Code>NoSuchKey</Code></Error>']
      response.writeHead(Number(found[0]), { 'content-type': 'application/xml' }).end(String(found[1]))
      return
    }
    const headers = {
      etag: `"v-${content.length}"`,
      'last-modified': new Date(0).toUTCString(),
      'accept-ranges': 'bytes',
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, { ...headers, 'content-length': content.length }).end()
      return
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const start = Number(range?.[1] ?? 0)
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, content.length) : content.length
    response.writeHead(range ? 206 : 200, {
      ...headers,
      'content-length': end - start,
      ...(range && { 'content-range': `bytes ${start}-${end - 1}/${content.length}` }),
    })
    void send(response, content.subarray(start, end), bytesPerSecond)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port // listening on TCP
})

async function send(response: ServerResponse, content: Buffer, bytesPerSecond: number): Promise<void> {
  const from = performance.now()
  for (let at = 0; at < content.length && !response.destroyed; ) {
    const chunk = content.subarray(at, at + 512 * 1024)
    at += chunk.length
    if (!response.write(chunk)) {
      await new Promise<void>((resolve) => {
        const done = () => {
          response.off('drain', done).off('close', done)
          resolve()
        }
        response.on('drain', done).on('close', done)
      })
    }
    const aheadMs = (at / bytesPerSecond) * 1000 - (performance.now() - from)
    if (aheadMs > 1) await new Promise((resolve) => setTimeout(resolve, aheadMs))
  }
  response.end()
}
