import { createVerify, generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { scratch } from '../../../../test/support/onnx.ts'
import { openStore } from '../open-store.ts'
import { downloadBytes } from '../transfer/download.ts'

let servers: Server[] = []
const { folder, write, remove } = scratch('gcs')
afterAll(remove)
afterEach(() => {
  vi.unstubAllEnvs()
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

describe('application default credentials', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

  /** The token that a bucket is asked with, and the form that it was got with, where those files are. */
  async function asked(files: (tokenUri: string) => Readonly<Record<string, object>>, environment: object = {}) {
    const forms: URLSearchParams[] = []
    const tokenUri = await serve(async (request, response) => {
      let form = ''
      for await (const chunk of request) form += chunk
      forms.push(new URLSearchParams(form))
      const isGood = !form.includes('over')
      response.writeHead(isGood ? 200 : 400)
      const error = { error: 'invalid_grant', error_description: 'Token has been revoked.' }
      response.end(JSON.stringify(isGood ? { access_token: 'good', expires_in: 3599 } : error))
    })
    for (const [name, file] of Object.entries(files(tokenUri))) write(name, JSON.stringify(file))
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
    vi.stubEnv('CLOUDSDK_CONFIG', join(folder, 'nothing'))
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const tokens: (string | undefined)[] = []
    const endpoint = await serve((request, response) => {
      tokens.push(request.headers.authorization)
      response.end(JSON.stringify({ name: 'k', size: '1', generation: '1' }))
    })
    const { store } = openStore('gs://bucket/k', { gcs: { endpoint } })
    const error = await store.head('k').then(
      () => undefined,
      (thrown: Error) => thrown.message,
    )
    return { token: tokens[0], form: forms[0], error }
  }

  it('are those of a service account, whose key signs for an hour', async () => {
    const account = (token_uri: string) => ({
      'account.json': {
        type: 'service_account',
        client_email: 'eas@project.iam.gserviceaccount.com',
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        private_key_id: 'k1',
        token_uri,
      },
    })
    const { token, form } = await asked(account, { GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'account.json') })
    expect(token).toBe('Bearer good')
    expect(form?.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [head = '', claims = '', signature = ''] = form?.get('assertion')?.split('.') ?? []
    const jsonOf = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect(jsonOf(head)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' })
    const { iss, iat, exp, scope } = jsonOf(claims)
    expect([iss, exp - iat, scope]).toEqual([
      'eas@project.iam.gserviceaccount.com',
      3600,
      'https://www.googleapis.com/auth/devstorage.read_write',
    ])
    const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`)
    expect(verify.verify(publicKey, signature, 'base64url')).toBe(true)
  })

  const login = (refresh_token: string) => (token_uri: string) => ({
    'gcloud/application_default_credentials.json': {
      type: 'authorized_user',
      client_id: 'id',
      client_secret: 'hidden',
      refresh_token,
      token_uri,
    },
  })

  it('are those of who has logged in with gcloud', async () => {
    const { token, form } = await asked(login('r'), { CLOUDSDK_CONFIG: join(folder, 'gcloud') })
    expect(token).toBe('Bearer good')
    const sent = { grant_type: 'refresh_token', client_id: 'id', client_secret: 'hidden', refresh_token: 'r' }
    expect(Object.fromEntries(form ?? [])).toEqual(sent)
  })

  it('are the metadata server’s where there is no file', async () => {
    const metadata = await serve((_, response) => {
      response.end(JSON.stringify({ access_token: 'instance', expires_in: 3600 }))
    })
    const { token } = await asked(() => ({}), { GCE_METADATA_HOST: new URL(metadata).host })
    expect(token).toBe('Bearer instance')
  })

  it.each([
    ['a login that is over', login('over'), '400 invalid_grant, Token has been revoked.'],
    [
      'federated ones',
      () => ({ 'gcloud/application_default_credentials.json': { type: 'external_account' } }),
      'credentials of type external_account cannot be used, only service_account and authorized_user',
    ],
    [
      'an account without its key',
      () => ({ 'gcloud/application_default_credentials.json': { type: 'service_account', private_key: 'hidden' } }),
      expect.not.stringContaining('hidden'),
    ],
  ])('are refused, and said so: %s', async (_, files, said) => {
    const { token, error } = await asked(files, { CLOUDSDK_CONFIG: join(folder, 'gcloud') })
    expect(token).toBeUndefined()
    const path = join(folder, 'gcloud/application_default_credentials.json')
    const prefix = `Cannot get a token by ${path}: `
    expect(error?.slice(0, prefix.length)).toBe(prefix)
    expect(error?.slice(prefix.length)).toEqual(said)
  })

  it('that are named and not there are told by their path', async () => {
    const { error } = await asked(() => ({}), { GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'gone.json') })
    expect(error).toBe(`Cannot read the credentials in ${join(folder, 'gone.json')}: ENOENT`)
  })
})
