import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { memoryStore, openStore, type StoreSettings } from '@eas/storage'
import { afterAll } from 'vitest'
import { startFileServer } from '../support/storage/file-server.ts'
import { startGcsServer } from '../support/storage/gcs-server.ts'
import { startS3Server, testKeys } from '../support/storage/s3-server.ts'
import { storeContract } from './storage-suite.ts'

// Every driver against the servers of test/support/storage, which need nothing installed. `npm run test:stores` runs the
// same suite against Ceph's S3 and fake-gcs-server.
const folder = await mkdtemp(join(tmpdir(), 'eas-stores-'))
const s3 = await startS3Server({ pageSize: 10 })
const s3Trailers = await startS3Server({ pageSize: 10, trailers: true })
const ignorant = await startS3Server({ pageSize: 10 })
const gcs = await startGcsServer({ token: 'good-token', pageSize: 10 })
const web = await startFileServer(join(folder, 'web'))
afterAll(async () => {
  await Promise.all([s3.close(), s3Trailers.close(), ignorant.close(), gcs.close(), web.close()])
  await rm(folder, { recursive: true })
})

const wrong = { accessKeyId: testKeys.accessKeyId, secretAccessKey: 'wrong-secret' }
const rootOf = (url: string, settings: StoreSettings) => openStore(url, settings).store

storeContract('memory', () => ({ store: memoryStore() }))

storeContract('file', async () => {
  await mkdir(join(folder, 'files'))
  return { store: rootOf(join(folder, 'files', 'any'), {}) }
})

storeContract('http', () => ({
  store: rootOf(`${web.url}/any`, {}),
  async place(key, bytes) {
    await mkdir(dirname(join(folder, 'web', key)), { recursive: true })
    await writeFile(join(folder, 'web', key), bytes)
  },
}))

for (const [name, { endpoint }, trailers] of [
  ['s3', s3, false],
  ['s3 with checksums in trailers', s3Trailers, true],
] as const) {
  const options = { endpoint, pathStyle: true, region: 'us-east-1', trailers }
  storeContract(name, () => ({
    store: rootOf('s3://bucket/any', { s3: { ...options, credentials: () => testKeys } }),
    stranger: rootOf('s3://bucket/any', { s3: { ...options, credentials: () => wrong } }),
  }))
}

// The server knows `bucket.s3.localhost`; names below localhost are this machine, RFC 6761.
const localhost: NonNullable<StoreSettings['wire']> = {
  lookup: (_, options, callback) =>
    options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
}
storeContract('oss, the bucket in the host name', () => {
  const oss = { endpoint: `http://s3.localhost:${ignorant.port}`, region: 'cn-shanghai' }
  return {
    store: rootOf('oss://bucket/any', { wire: localhost, oss: { ...oss, credentials: () => testKeys } }),
    stranger: rootOf('oss://bucket/any', { wire: localhost, oss: { ...oss, credentials: () => wrong } }),
  }
})

storeContract('gcs over the S3 API, with HMAC keys', () => ({
  store: rootOf('gs://hmac/any', { gcs: { endpoint: s3.endpoint, hmac: () => testKeys } }),
  stranger: rootOf('gs://hmac/any', { gcs: { endpoint: s3.endpoint, hmac: () => wrong } }),
}))

storeContract('gcs', () => ({
  store: rootOf('gs://bucket/any', { gcs: { endpoint: gcs.endpoint, token: async () => 'good-token' } }),
  stranger: rootOf('gs://bucket/any', { gcs: { endpoint: gcs.endpoint, token: async () => 'wrong-secret' } }),
}))
