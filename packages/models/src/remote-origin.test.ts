import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { DiskCache } from '@eas/storage'
import { afterEach, describe, expect, it } from 'vitest'
import { manifestFormat, preparedFolder } from './prepared.ts'
import { remoteOrigin } from './remote-origin.ts'

const platform = 'ort-1-test'
const model = Buffer.from('the model itself')
const prepared = { 'model.onnx': Buffer.from('its graph'), 'weights.bin': Buffer.alloc(3_000_000, 7) }
const manifest = {
  format: manifestFormat,
  of: { version: 'v1', bytes: model.length },
  onnxruntime: '1',
  platform,
  level: 'all',
  prepackBytes: 0,
  isWhole: true,
  files: Object.entries(prepared).map(([name, bytes]) => ({
    name,
    bytes: bytes.length,
    crc32: crc32(bytes).toString(16).padStart(8, '0'),
  })),
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let end = async () => {}
afterEach(() => end())

/** A model in a bucket whose server has these objects, and lets `first` answer instead where that returns true. */
async function originOf(
  objects: Readonly<Record<string, Uint8Array>>,
  first: (what: string, answer: () => void, response: ServerResponse) => boolean = () => false,
) {
  const asked: string[] = []
  const answer: Answer = (request, response) => {
    const content = objects[decodeURIComponent(request.url ?? '').replace('/bucket/', '')]
    if (!content) return void response.writeHead(404, { 'content-length': 0 }).end()
    const [, from = '0', to = `${content.length - 1}`] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const part = content.subarray(Number(from), Number(to) + 1)
    response.writeHead(request.headers.range ? 206 : 200, {
      etag: '"v1"',
      'content-length': part.length,
      ...(request.headers.range && { 'content-range': `bytes ${from}-${to}/${content.length}` }),
    })
    response.end(part)
  }
  const server = createServer((request, response) => {
    const what = `${request.method} ${request.url?.replace('/bucket/', '')}`
    asked.push(what)
    if (!first(what, () => answer(request, response), response)) answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = await mkdtemp(join(tmpdir(), 'eas-origin-'))
  end = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true })
  }
  const { port } = server.address() as AddressInfo // listening on TCP
  const credentials = () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' })
  const stores = { s3: { endpoint: `http://127.0.0.1:${port}`, credentials } }
  const cache = () => DiskCache.open(folder)
  const origin = remoteOrigin('s3://bucket/m.onnx', undefined, 'm', { stores, cache, platform, deadlineMs: 20_000 })
  return { origin, asked }
}

const folder = preparedFolder('m.onnx', platform)
const manifestKey = `${folder}/manifest.json`
const withPrepared = (text: string) => ({
  'm.onnx': model,
  [manifestKey]: Buffer.from(text),
  ...Object.fromEntries(Object.entries(prepared).map(([name, bytes]) => [`${folder}/${name}`, bytes])),
})

describe('remoteOrigin()', () => {
  it('asks for the model and for the manifest of its prepared form at the same time', async () => {
    const waiting: (() => void)[] = []
    // Neither is answered before both have been asked for.
    const { origin } = await originOf(withPrepared(JSON.stringify(manifest)), (what, answer) => {
      if (what !== 'HEAD m.onnx' && what !== `GET ${manifestKey}`) return false
      waiting.push(answer)
      if (waiting.length === 2) for (const go of waiting) go()
      return true
    })
    const files = await origin.open()
    expect(await readFile(files.path, 'utf8')).toBe('its graph')
    expect((await readFile(files.path.replace('model.onnx', 'weights.bin'))).equals(prepared['weights.bin'])).toBe(true)
    files.release()
  })

  it('fetches the files of a prepared form at the same time', async () => {
    const waiting: (() => void)[] = []
    const { origin } = await originOf(withPrepared(JSON.stringify(manifest)), (what, answer) => {
      if (!what.startsWith(`HEAD ${folder}/`)) return false
      waiting.push(answer)
      if (waiting.length === 2) for (const go of waiting) go()
      return true
    })
    const files = await origin.open()
    expect(files.prepared?.isWhole).toBe(true)
    files.release()
  })

  it.each([
    ['the same file', 0, true],
    ['another file of its size', 1, false],
  ])('uses what was prepared of a local file and copied with it, if the model is %s', async (_, change, isUsed) => {
    const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')
    const stored = Buffer.from(model)
    stored[0] = (stored[0] ?? 0) + change
    const of = { version: 'a local file', bytes: model.length, md5: md5(model) }
    const objects = { ...withPrepared(JSON.stringify({ ...manifest, of })), 'm.onnx': stored }
    const { origin } = await originOf(objects, (what, _, response) => {
      if (what !== 'HEAD m.onnx') return false
      response.writeHead(200, { etag: `"${md5(stored)}"`, 'content-length': stored.length }).end()
      return true
    })
    const files = await origin.open().catch((error: Error) => error)
    // The other file's tag is not what its bytes come with here, which is its own failure.
    expect(files instanceof Error ? undefined : files.prepared?.isWhole).toBe(isUsed ? true : undefined)
    if (!(files instanceof Error)) files.release()
  })

  it.each([
    ['is not there', ''],
    ['is of another version', JSON.stringify({ ...manifest, of: { ...manifest.of, version: 'v0' } })],
    ['is of other bytes', JSON.stringify(manifest).replace(/"crc32":"\w+"/, '"crc32":"00000000"')],
    ['is no manifest', '{'],
  ])('brings the model itself where its prepared form %s', async (_, text) => {
    const { origin } = await originOf(text === '' ? { 'm.onnx': model } : withPrepared(text))
    const files = await origin.open()
    expect(files.prepared).toBeUndefined()
    expect(await readFile(files.path, 'utf8')).toBe('the model itself')
    files.release()
  })

  it('does not wait for the manifest of a model that is not there, and stops asking for it', async () => {
    let stopped: Promise<unknown> = Promise.resolve()
    const { origin } = await originOf({}, (what, _, response) => {
      if (what !== `GET ${manifestKey}`) return false
      stopped = new Promise((resolve) => response.on('close', resolve))
      return true
    })
    await expect(origin.open()).rejects.toMatchObject({ code: 'not_found' })
    await stopped
  })
})
