import { execFileSync, spawnSync } from 'node:child_process'
import type { LookupFunction } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { localPath, openStore } from './open-store.ts'
import type { StoreSettings } from './settings.ts'

const credentials = () => ({ accessKeyId: 'i', secretAccessKey: 's' })
const oss = { region: 'cn-shanghai', credentials }

/** The host that is asked for an object. */
async function hostAsked(url: string, settings: StoreSettings): Promise<string | undefined> {
  const asked: string[] = []
  const lookup: LookupFunction = (name, _, answer) => {
    asked.push(name)
    answer(Object.assign(new Error('not here'), { code: 'ENOTFOUND' }), [])
  }
  const { store } = openStore(url, { ...settings, wire: { lookup } })
  await expect(store.head('a')).rejects.toMatchObject({ code: 'unavailable' })
  return asked[0]
}

describe('openStore()', () => {
  it.each([
    ['s3://bucket/a/b.onnx', 's3://bucket', 'a/b.onnx'],
    ['s3://bucket/dir/', 's3://bucket', 'dir'],
    ['s3://bucket', 's3://bucket', ''],
    ['s3://bucket/q?x#y%20z', 's3://bucket', 'q?x#y%20z'],
    ['oss://bucket/模型/a', 'oss://bucket', '模型/a'],
    ['oss://bucket.oss-cn-hangzhou-internal.aliyuncs.com/a', 'oss://bucket', 'a'],
    ['gs://bucket/a', 'gs://bucket', 'a'],
    ['https://user:pass@host:8443/dir/a%20b?sig=secret#x', 'https://host:8443', 'dir/a b'],
    ['file:///models/a%20b.onnx', 'file:///models', 'a b.onnx'],
    ['/models/x', 'file:///models', 'x'],
    ['x/y', 'file:///base/x', 'y'],
  ])('%s', (url, store, key) => {
    const found = openStore(url, { oss, baseDir: '/base' })
    expect([found.store.url, found.key]).toEqual([store, key])
  })

  it.each([
    'ftp://h/x',
    's3:///x',
    's3://a..b/x',
    's3://b@d/x',
    'javascript://x',
    'file://host/x',
    'https://',
    'https://h/%zz',
  ])('%s is invalid', (url) => expect(() => openStore(url, {})).toThrow(expect.objectContaining({ code: 'invalid' })))

  it.each([
    ['oss://bucket/a', {}],
    ['oss://bucket/a', { endpoint: 'https://oss-accelerate.aliyuncs.com' }],
    ['oss://bucket.oss-accelerate.aliyuncs.com/a', {}],
  ])('%s without a region, %j, says what is missing', (url, oss) => {
    expect(() => openStore(url, { oss })).toThrow('the region of OSS is not set')
  })

  it('says what an endpoint looks like', () => {
    const s3 = { endpoint: 'minio:9000' }
    expect(() => openStore('s3://bucket/a', { s3 })).toThrow('"minio:9000" is not a web address, as https://host:9000')
  })

  it.each([
    ['oss://b/a', { region: 'cn-x' }, 'b.s3.oss-cn-x.aliyuncs.com'],
    ['oss://b/a', { region: 'cn-x', internal: true }, 'b.s3.oss-cn-x-internal.aliyuncs.com'],
    ['oss://b/a', { endpoint: 'oss-cn-x.aliyuncs.com' }, 'b.s3.oss-cn-x.aliyuncs.com'],
    ['oss://b/a', { endpoint: 'http://oss-cn-x-internal.aliyuncs.com/' }, 'b.s3.oss-cn-x-internal.aliyuncs.com'],
    ['oss://b/a', { endpoint: 'https://s3.oss-cn-x.aliyuncs.com' }, 'b.s3.oss-cn-x.aliyuncs.com'],
    ['oss://b/a', { endpoint: 'https://oss-cn-x.company.example' }, 'b.oss-cn-x.company.example'],
    ['oss://b/a', { region: 'cn-x', endpoint: 'https://oss-accelerate.aliyuncs.com' }, 'b.oss-accelerate.aliyuncs.com'],
    ['oss://b.oss-cn-y.aliyuncs.com/a', { region: 'cn-x', internal: true }, 'b.s3.oss-cn-y.aliyuncs.com'],
    ['oss://b.s3.oss-cn-y-internal.aliyuncs.com/a', {}, 'b.s3.oss-cn-y-internal.aliyuncs.com'],
  ])('%s with %j asks %s', async (url, oss, host) => {
    expect(await hostAsked(url, { oss: { credentials, ...oss } })).toBe(host)
  })

  it.each([
    ['s3://b/a', {}, 'b.s3.eu-west-3.amazonaws.com'],
    ['s3://b.c/a', {}, 's3.eu-west-3.amazonaws.com'],
    ['s3://b/a', { region: 'cn-north-1' }, 'b.s3.cn-north-1.amazonaws.com.cn'],
    [
      's3://b/a',
      { endpoint: 'https://s3.dualstack.eu-west-3.amazonaws.com' },
      'b.s3.dualstack.eu-west-3.amazonaws.com',
    ],
    ['s3://b/a', { endpoint: 'https://cos.ap-shanghai.myqcloud.com' }, 'b.cos.ap-shanghai.myqcloud.com'],
    ['s3://b/a', { endpoint: 'http://minio:9000' }, 'minio'],
    ['s3://b/a', { endpoint: 'https://objects.company.example' }, 'objects.company.example'],
    ['s3://b/a', { endpoint: 'https://objects.company.example', pathStyle: false }, 'b.objects.company.example'],
  ])('%s with %j asks %s', async (url, s3, host) => {
    expect(await hostAsked(url, { s3: { credentials, region: 'eu-west-3', ...s3 } })).toBe(host)
  })

  it.each([
    [{ AWS_ENDPOINT_URL: 'http://all:1' }, 'all'],
    [{ AWS_ENDPOINT_URL: 'http://all:1', AWS_ENDPOINT_URL_S3: 'http://s3:1' }, 's3'],
    [{ AWS_ENDPOINT_URL: 'http://all:1', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, 'b.s3.eu-west-3.amazonaws.com'],
    [{ AWS_ENDPOINT_URL: '', AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-3' }, 'b.s3.eu-west-3.amazonaws.com'],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'b.s3.dualstack.eu-west-3.amazonaws.com'],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_REGION: 'cn-north-1' }, 'b.s3.dualstack.cn-north-1.amazonaws.com.cn'],
    [{ AWS_USE_FIPS_ENDPOINT: 'true', AWS_REGION: 'us-gov-west-1' }, 'b.s3-fips.us-gov-west-1.amazonaws.com'],
    [
      { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_REGION: 'us-east-1' },
      'b.s3-fips.dualstack.us-east-1.amazonaws.com',
    ],
    [{ AWS_USE_FIPS_ENDPOINT: 'false', AWS_USE_DUALSTACK_ENDPOINT: '' }, 'b.s3.eu-west-3.amazonaws.com'],
    [{ AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL: 'http://all:1' }, 'all'],
  ])('s3://b/a in an environment of %j asks %s', async (environment, host) => {
    for (const [name, value] of Object.entries({ AWS_REGION: 'eu-west-3', ...environment })) vi.stubEnv(name, value)
    try {
      expect(await hostAsked('s3://b/a', { s3: { credentials } })).toBe(host)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it.each([
    ['oss://models/a/b', 's3://company/eas', 'a/b', { 'oss://models': 's3://company/eas' }],
    ['oss://models/a/b', 's3://other', 'b', { 'oss://models': 's3://x', 'oss://models/a/': 's3://other' }],
    ['oss://models', 's3://company', 'eas', { 'oss://models': 's3://company/eas/' }],
    ['oss://models/a', 'file:///mnt/models', 'a', { 'oss://models': '/mnt/models' }],
    ['oss://modelsX/a', 'oss://modelsX', 'a', { 'oss://models': 's3://no' }],
  ])('the table: %s is %s', (url, store, key, buckets) => {
    const found = openStore(url, { oss, buckets })
    const path = found.store.url.startsWith('s3') ? `${found.store.url}/${found.key}` : undefined
    expect(path ?? found.store.url).toBe(path ? `${store}/${key}` : store)
    expect(found.key.endsWith(key)).toBe(true)
  })

  it('gives the same store for the same bucket and settings', () => {
    const settings = { oss }
    expect(openStore('oss://b/x', settings).store).toBe(openStore('oss://b/y', settings).store)
    expect(openStore('oss://b/x', settings).store).not.toBe(openStore('oss://b/x', { oss }).store)
  })

  it('localPath() is where a file lies', () => {
    expect(localPath(openStore('/models/x.onnx', {}))).toBe('/models/x.onnx')
    expect(localPath(openStore('s3://b/x.onnx', {}))).toBeUndefined()
  })

  it('lets the AWS SDK say nothing of its own, as about the age of this Node', () => {
    const script = `
      const { openStore } = await import('@eas/storage')
      const s3 = { endpoint: 'http://127.0.0.1:1', credentials: () => ({ accessKeyId: 'i', secretAccessKey: 's' }) }
      const thrown = await openStore('s3://b/x', { s3 }).store.put('x', new Uint8Array()).catch((error) => error)
      console.log(thrown.code)`
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: `${import.meta.dirname}/..`, encoding: 'utf8' })
    expect([stdout, stderr]).toEqual(['unavailable\n', ''])
  })

  it('loads nothing of the AWS SDK before a request needs it', () => {
    const script = `
      const before = new Set()
      const { openStore } = await import('@eas/storage')
      openStore('s3://b/x', {})
      const { createRequire } = await import('node:module')
      const cache = Object.keys(createRequire('file:///').cache)
      console.log(cache.filter((path) => /@aws-sdk|@smithy/.test(path)).length)`
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    expect(execFileSync(process.execPath, args, { cwd: `${import.meta.dirname}/..`, encoding: 'utf8' }).trim()).toBe(
      '0',
    )
  })
})
