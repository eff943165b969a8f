import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type StoreSettings } from '@eas/storage'
import { afterAll, beforeAll, expect } from 'vitest'
import { type FaultProxy, startOssRefuser } from '../support/storage/fault-proxy.ts'
import { testKeys } from '../support/storage/s3-server.ts'
import { storeContract } from './storage-suite.ts'

// The suite of storage.test.ts against servers that others wrote: Ceph's object gateway, which verifies signatures and
// honours conditional writes, and fake-gcs-server. Both are started here, by the scripts of test/support/storage.
const scripts = join(import.meta.dirname, '..', 'support', 'storage')
const rgwPort = 18_082
const gcsPort = 18_083
const rgw = `http://127.0.0.1:${rgwPort}`
const gcs = `http://127.0.0.1:${gcsPort}`
const rgwRoot = mkdtempSync(join(tmpdir(), 'eas-rgw-'))
let gcsServer: ChildProcess
let refuser: FaultProxy

beforeAll(async () => {
  execFileSync(join(scripts, 'start-rgw.sh'), [rgwRoot, `${rgwPort}`], { stdio: ['ignore', 'ignore', 'inherit'] })
  gcsServer = spawn(join(scripts, 'start-fake-gcs.sh'), [`${gcsPort}`], { stdio: ['ignore', 'ignore', 'inherit'] })
  await until(async () => (await fetch(`${gcs}/storage/v1/b?project=p`)).ok)
  await fetch(`${gcs}/storage/v1/b?project=p`, { method: 'POST', body: JSON.stringify({ name: 'bucket' }) })
  refuser = await startOssRefuser(rgw)
  const { S3Client, CreateBucketCommand } = await import('@aws-sdk/client-s3')
  const client = new S3Client({ endpoint: rgw, region: 'us-east-1', forcePathStyle: true, credentials: testKeys })
  await client.send(new CreateBucketCommand({ Bucket: 'bucket' }))
  client.destroy()
}, 180_000)

afterAll(async () => {
  gcsServer.kill()
  await refuser.close()
  execFileSync(join(scripts, 'stop-rgw.sh'), [rgwRoot])
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; ; tries++) {
    if (await condition().catch(() => false)) return
    expect(tries, 'the server comes up').toBeLessThan(600)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const wrong = { accessKeyId: testKeys.accessKeyId, secretAccessKey: 'wrong-secret' }
const rootOf = (url: string, settings: StoreSettings) => openStore(url, settings).store

storeContract('s3, Ceph', () => ({
  store: rootOf('s3://bucket/any', { s3: { endpoint: rgw, credentials: () => testKeys } }),
  stranger: rootOf('s3://bucket/any', { s3: { endpoint: rgw, credentials: () => wrong } }),
}))

const localhost: NonNullable<StoreSettings['wire']> = {
  lookup: (_, options, callback) =>
    options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
}
storeContract('oss, Ceph behind the refusals of OSS', () => {
  const oss = { endpoint: `http://s3.localhost:${refuser.port}`, region: 'us-east-1' }
  return {
    store: rootOf('oss://bucket/any', { wire: localhost, oss: { ...oss, credentials: () => testKeys } }),
    stranger: rootOf('oss://bucket/any', { wire: localhost, oss: { ...oss, credentials: () => wrong } }),
  }
})

storeContract('gcs, fake-gcs-server', () => ({
  store: rootOf('gs://bucket/any', { gcs: { endpoint: gcs, anonymous: true } }),
}))
