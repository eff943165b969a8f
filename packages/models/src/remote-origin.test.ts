import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { DiskCache } from '@eas/storage'
import { afterEach, describe, expect, it } from 'vitest'
import { message } from '../../../test/support/onnx.ts'
import { startS3Server, testKeys } from '../../../test/support/storage/s3-server.ts'
import { modelOrigin } from './model-origin.ts'
import { describeModel, manifestFormat, preparedFolder } from './prepared.ts'
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

/** A folder for a cache, which goes after `close` when the test is over. */
async function cacheFolder(close: () => Promise<unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eas-origin-'))
  end = async () => {
    await close()
    await rm(folder, { recursive: true, maxRetries: 10 }) // the cache may still be tidying up
  }
  return folder
}

/** Serves until the test is over. */
async function served(answer: Answer): Promise<{ readonly port: number; readonly folder: string }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = await cacheFolder(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  return { port, folder }
}

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
  const { port, folder } = await served((request, response) => {
    const what = `${request.method} ${request.url?.replace('/bucket/', '')}`
    asked.push(what)
    if (!first(what, () => answer(request, response), response)) answer(request, response)
  })
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

/** A service's model in a bucket that can be changed, and a new look at it. */
async function bucketWith(objects: Readonly<Record<string, string | Uint8Array>>) {
  const server = await startS3Server()
  const put = (key: string, content: string | Uint8Array) => server.put(`bucket/${key}`, Buffer.from(content))
  for (const [key, text] of Object.entries(objects)) put(key, text)
  const folder = await cacheFolder(() => server.close())
  const stores = { s3: { endpoint: server.endpoint, credentials: () => testKeys } }
  const cache = () => DiskCache.open(folder)
  const originOf = (path: string, model_entry?: string) =>
    remoteOrigin(`s3://bucket/${path}`, model_entry, path, { stores, cache, platform, deadlineMs: 20_000 })
  return { server, put, originOf }
}

/** An ONNX file that says where its weights are. */
const onnxWith = (...locations: readonly string[]) =>
  message([
    7,
    message(...locations.map((at) => [5, message([13, message([1, 'location'], [2, at])], [14, 1])] as const)),
  ])

describe('an ONNX object with weights in others', () => {
  const objects = {
    'm/net.onnx': onnxWith('net.onnx.data', 'w/layer.0'),
    'm/net.onnx.data': 'one',
    'm/w/layer.0': 'two',
  }

  it('comes with them, where it says they are, and is another model when one of them changes', async () => {
    const { put, originOf } = await bucketWith(objects)
    const origin = originOf('m/net.onnx')
    const textsOf = async () => {
      const { path, version, place, release } = await origin.open()
      const texts = ['net.onnx.data', 'w/layer.0'].map((name) => readFile(join(path, '..', name), 'utf8'))
      const result = { version, place, texts: await Promise.all(texts) }
      release()
      return result
    }
    const first = await textsOf()
    expect(first).toMatchObject({ place: 's3://bucket/m/net.onnx', texts: ['one', 'two'] })
    expect(await origin.newest()).toBe(first.version)
    put('m/w/layer.0', 'three')
    expect(await origin.newest()).not.toBe(first.version)
    expect((await textsOf()).texts).toEqual(['one', 'three'])
    // Another instance with the same cache.
    const { path, release } = await originOf('m/net.onnx').open()
    release()
    expect(await readFile(join(path, '../w/layer.0'), 'utf8')).toBe('three')
  })

  it('has a prepared form of it and them', async () => {
    const { put, originOf } = await bucketWith(objects)
    const model = await originOf('m/net.onnx').open()
    model.release()
    const folder = preparedFolder('m/net.onnx', platform)
    for (const [name, bytes] of Object.entries(prepared)) put(`${folder}/${name}`, bytes)
    put(`${folder}/manifest.json`, JSON.stringify({ ...manifest, of: await describeModel(model) }))
    const isPrepared = async () => {
      const origin = originOf('m/net.onnx')
      const { prepared, version, release } = await origin.open()
      release()
      expect(await origin.newest()).toBe(version)
      return prepared?.isWhole ?? false
    }
    expect(await isPrepared()).toBe(true)
    put('m/net.onnx.data', 'two')
    expect(await isPrepared()).toBe(false)
  })

  it('is refused by the name of what is missing', async () => {
    const { originOf } = await bucketWith({ 'm/net.onnx': onnxWith('net.onnx.data') })
    await expect(originOf('m/net.onnx').open()).rejects.toMatchObject({
      message: 'Cannot load m/net.onnx: Cannot find s3://bucket/m/net.onnx.data, where weights of net.onnx are',
    })
  })
})

it.each(['m/saved_model.pb', 'm/7/saved_model.pb'])('a SavedModel is all of the folder of %s', async (path) => {
  const folder = path.slice(0, path.lastIndexOf('/'))
  const { originOf } = await bucketWith({
    [path]: 'graph',
    [`${folder}/variables/variables.index`]: 'index',
    [`${folder}/variables/variables.data-00000-of-00001`]: 'weights',
    'm/6/saved_model.pb': 'an older one',
  })
  const { path: found, place, release } = await originOf(path).open()
  release()
  expect(await readFile(join(found, 'variables/variables.index'), 'utf8')).toBe('index')
  expect(place).toBe(`s3://bucket/${folder}`)
})

describe('a version', () => {
  it.each([
    ['an object', 'm.onnx', 'm.onnx', 'm.onnx'],
    ['a folder', 'm', 'm/net.onnx', 'model/net.onnx'],
  ])('of %s is what it was, also where another took its place while it came', async (_, path, key, kept) => {
    const { server, put, originOf } = await bucketWith({ [key]: 'version one' })
    let isReplaced = false
    // The first to ask for bytes gets those of another.
    const { get } = server.objects
    server.objects.get = function (this: typeof server.objects, name) {
      const found = get.call(this, name)
      const isGet =
        server.requests.at(-1)?.startsWith('GET /bucket/m') && !server.requests.at(-1)?.includes('list-type')
      if (isGet && !isReplaced) {
        isReplaced = true
        put(key, 'version two')
        return get.call(this, name)
      }
      return found
    }
    const textOf = async () => {
      const { path: file, release } = await originOf(path).open()
      release()
      expect(file.endsWith(kept)).toBe(true)
      return readFile(file, 'utf8')
    }
    expect(await textOf()).toBe('version two')
    expect(isReplaced).toBe(true)
    put(key, 'version one')
    expect(await textOf()).toBe('version one')
  })

  it('is the only one fetched of a folder that has several, whatever else lies there', async () => {
    const { server, originOf } = await bucketWith({
      'm/': '',
      'm/.DS_Store': 'a Mac was here',
      'm/README.md': 'versions',
      'm/9/': '',
      'm/9/net.onnx': 'nine',
      'm/10/net.onnx': 'ten',
      'm/11/': '',
    })
    const { path, place, release } = await originOf('m').open()
    release()
    expect(await readFile(path, 'utf8')).toBe('ten')
    expect(place).toBe('s3://bucket/m/10')
    expect(server.requests.filter((request) => request.includes('/9/'))).toEqual([])
  })

  it('can be chosen by model_entry', async () => {
    const { originOf } = await bucketWith({ 'm/9/net.onnx': 'nine', 'm/10/net.onnx': 'ten' })
    const { path, release } = await originOf('m', '9').open()
    release()
    expect(await readFile(path, 'utf8')).toBe('nine')
  })
})

it('is found in a store that is overloaded for a moment', async () => {
  let refusals = 0
  const { origin } = await originOf({ 'm.onnx': model }, (what, _, response) => {
    if (what !== 'HEAD m.onnx' || refusals++ > 1) return false
    response.writeHead(503, { 'content-length': 0 }).end()
    return true
  })
  ;(await origin.open()).release()
  expect(refusals).toBeGreaterThan(2)
})

/** A web server that answers who shows a token. */
async function webWith(objects: Readonly<Record<string, string>>) {
  const { port, folder } = await served((request, response) => {
    const [path = '', query] = (request.url ?? '').split('?')
    const text = query === 'sig=a/secret' ? objects[path.slice(1)] : undefined
    if (text === undefined) response.writeHead(403, { 'content-length': 0 }).end()
    else response.writeHead(200, { etag: '"1"', 'content-length': text.length }).end(text)
  })
  const rest = { baseDir: '/', mounts: [], stores: {}, platform, deadlineMs: 20_000 }
  return (path: string) =>
    modelOrigin(
      { model_path: `http://user:secret@127.0.0.1:${port}/${path}`, model_entry: undefined },
      { ...rest, cache: () => DiskCache.open(folder) },
    )
}

describe('a model at a signed address', () => {
  it('is where a pointer says, with the signature of the pointer', async () => {
    const originOf = await webWith({ 'a/latest.version': 'v2/net.onnx', 'a/v2/net.onnx': 'two' })
    const { path, release } = await originOf('a/latest.version?sig=a/secret').open()
    release()
    expect(await readFile(path, 'utf8')).toBe('two')
  })

  it.each(['gone.onnx?sig=b/secret', 'latest.version?sig=a/secret', 'notes.md?sig=a/secret'])(
    'is refused without telling the signature: %s',
    async (path) => {
      const originOf = await webWith({ 'latest.version': 'http://elsewhere/', 'notes.md': '' })
      const error = await originOf(path)
        .open()
        .catch((thrown: Error) => thrown)
      expect(error).toMatchObject({ message: expect.stringContaining(`/${path.split('?')[0]}`) })
      expect(String((error as Error).message)).not.toContain('secret')
    },
  )
})

it.each(['none.onnx', 'folder', 'folder/', ''])('is no file of a web server, which is said: /%s', async (path) => {
  const { port, folder } = await served((_, response) => void response.writeHead(404, { 'content-length': 0 }).end())
  const model_path = `http://127.0.0.1:${port}/${path}`
  const origin = modelOrigin(
    { model_path, model_entry: undefined },
    { baseDir: '/', mounts: [], stores: {}, platform, deadlineMs: 20_000, cache: () => DiskCache.open(folder) },
  )
  const error = await origin.open().catch((thrown: Error) => thrown)
  expect((error as Error).message).toContain(
    `${model_path} is no file there, and a web server does not say what is in its folders; name the model's file`,
  )
})

it('says nothing of where it would be on this machine when there is no room', async () => {
  const { origin } = await originOf({}, (what, _, response) => {
    if (what !== 'HEAD m.onnx') return false
    response.writeHead(200, { etag: '"v1"', 'content-length': 60 * 2 ** 30 }).end()
    return true
  })
  const error = await origin.open().catch((thrown: Error) => thrown)
  expect((error as Error).message).toMatch(
    /^Cannot load m: Cannot write m\.onnx: it needs \d+ bytes, and \d+ are free$/,
  )
})
