import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { openStore } from '../open-store.ts'
import { downloadBytes } from '../transfer/download.ts'

let servers: Server[] = []
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  servers = []
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listening on TCP
}

it('a token that was called back before its end is not used again, and the next one is asked for once', async () => {
  let current = 'first'
  const asked: string[] = []
  const metadataServer = await serve((_, response) => {
    asked.push(current)
    response.end(JSON.stringify({ access_token: current, expires_in: 3600 }))
  })
  const content = Buffer.alloc(4_000_000, 7)
  const endpoint = await serve((request, response) => {
    if (request.headers.authorization !== `Bearer ${current}`) return void response.writeHead(401).end('{}')
    if (!request.url?.includes('alt=media')) {
      return void response.end(JSON.stringify({ name: 'm.onnx', size: `${content.length}`, generation: '1' }))
    }
    const [, from = '0', to = '0'] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const part = content.subarray(Number(from), Number(to) + 1)
    const range = `bytes ${from}-${to}/${content.length}`
    response.writeHead(206, { 'x-goog-generation': '1', 'content-length': part.length, 'content-range': range })
    response.end(part)
  })
  const { store, key } = openStore('gs://bucket/m.onnx', { gcs: { endpoint, metadataServer } })
  const info = await store.head(key)
  current = 'second'
  const { bytes } = await downloadBytes(store, key, { partBytes: 500_000, ...(info && { info }) })
  expect(Buffer.from(bytes).equals(content)).toBe(true)
  expect(asked).toEqual(['first', 'second'])
})
