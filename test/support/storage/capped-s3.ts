import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'

/**
 * An object store on loopback whose every connection brings at most so many bytes a second, as S3's do (about 85 MB/s each).
 * It answers HEAD and ranged GET of one object of `size` bytes under any name, and does not look at signatures: for timing.
 * To be run in a process of its own: `tsx test/support/storage/capped-s3.ts <size> <bytesPerSecond>` prints its URL.
 */
export async function startCappedS3(
  size: number,
  bytesPerSecond = 85e6,
  content: Uint8Array = pattern,
): Promise<{ readonly endpoint: string; readonly crc32: number; close(): Promise<void> }> {
  const block = Buffer.from(content)
  let sum = 0
  for (let at = 0; at < size; at += block.length) sum = crc32(block.subarray(0, Math.min(block.length, size - at)), sum)
  const sumBytes = Buffer.alloc(4)
  sumBytes.writeUInt32BE(sum)
  const server = createServer((request, response) => {
    const headers = { etag: '"capped"', 'last-modified': new Date(0).toUTCString(), 'accept-ranges': 'bytes' }
    const [, first = '0', last = `${size - 1}`] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const [start, end] = [Number(first), Math.min(Number(last) + 1, size)]
    if (request.method === 'HEAD') {
      const checksum = { 'x-amz-checksum-crc32': sumBytes.toString('base64'), 'x-amz-checksum-type': 'FULL_OBJECT' }
      response.writeHead(200, { ...headers, ...checksum, 'content-length': size }).end()
      return
    }
    const range = { 'content-length': end - start, 'content-range': `bytes ${start}-${end - 1}/${size}` }
    response.writeHead(206, { ...headers, ...range })
    void send(response, block, start, end, bytesPerSecond)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP
    crc32: sum,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** 1 MiB, repeated; odd enough that bytes in the wrong place are seen. */
const pattern = Buffer.from(Uint32Array.from({ length: 2 ** 18 }, (_, i) => Math.imul(i + 1, 2654435761)).buffer)

async function send(
  response: ServerResponse,
  block: Buffer,
  start: number,
  end: number,
  bytesPerSecond: number,
): Promise<void> {
  const from = performance.now()
  for (let at = start; at < end && !response.destroyed; ) {
    const offset = at % block.length
    const chunk = block.subarray(offset, Math.min(block.length, offset + 512 * 1024, offset + end - at))
    at += chunk.length
    if (!response.write(chunk)) await drained(response)
    const aheadMs = ((at - start) / bytesPerSecond) * 1000 - (performance.now() - from)
    if (aheadMs > 1) await new Promise((resolve) => setTimeout(resolve, aheadMs))
  }
  response.end()
}

const drained = (response: ServerResponse) =>
  new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })

if (process.argv[1] === import.meta.filename) {
  const [size = '104857600', bytesPerSecond = '85e6'] = process.argv.slice(2)
  const { endpoint } = await startCappedS3(Number(size), Number(bytesPerSecond))
  process.stdout.write(`${endpoint}\n`)
}
