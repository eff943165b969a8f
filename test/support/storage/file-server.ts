import { createReadStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface FileServer {
  readonly url: string
  readonly requests: IncomingMessage[]
  close(): Promise<void>
}

/** How a web server of the world may differ from a good one. */
export interface FileServerOptions {
  /** `Range` is ignored: everything comes, with 200. */
  readonly ignoreRanges?: boolean
  /** `date`: no ETag, only Last-Modified. `none`: neither. */
  readonly validators?: 'etag' | 'date' | 'none'
  /** Answers instead of the files, if it returns true. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean
}

/** The files of a folder over HTTP, as nginx serves them: ETags, conditions, ranges. */
export async function startFileServer(root: string, options: FileServerOptions = {}): Promise<FileServer> {
  await mkdir(root, { recursive: true })
  const { validators = 'etag' } = options
  const requests: IncomingMessage[] = []
  const server = createServer(async (request, response): Promise<unknown> => {
    requests.push(request)
    if (options.before?.(request, response)) return undefined
    const path = join(root, decodeURIComponent((request.url ?? '').split('?')[0] ?? ''))
    const stats = await stat(path, { bigint: true }).catch(() => undefined)
    if (!stats?.isFile()) return response.writeHead(404).end('no such file')
    const etag = `"${stats.mtimeNs.toString(16)}-${stats.size.toString(16)}"`
    const wanted = request.headers['if-match']
    if (validators === 'etag' && wanted !== undefined && wanted !== etag) return response.writeHead(412).end()
    const since = request.headers['if-unmodified-since']
    if (since !== undefined && Math.floor(Number(stats.mtimeMs) / 1000) * 1000 > Date.parse(since)) {
      return response.writeHead(412).end()
    }
    const headers = {
      ...(validators === 'etag' && { etag }),
      ...(validators !== 'none' && { 'last-modified': stats.mtime.toUTCString() }),
    }
    const size = Number(stats.size)
    const range = options.ignoreRanges ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const start = range ? Number(range[1]) : 0
    if (range && start >= size) return response.writeHead(416, { ...headers, 'content-range': `bytes */${size}` }).end()
    const end = range && range[2] !== '' ? Math.min(Number(range[2]) + 1, size) : size
    response.writeHead(range ? 206 : 200, {
      ...headers,
      'content-length': end - start,
      ...(range && { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
    })
    if (request.method === 'HEAD' || end === start) return response.end()
    return createReadStream(path, { start, end: end - 1 })
      .on('error', () => response.destroy())
      .pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
