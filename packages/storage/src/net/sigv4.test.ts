import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { describe, expect, it } from 'vitest'
import { type Credentials, keysOf, signV4, type ToSign } from './sigv4.ts'

const now = new Date('2013-05-24T00:00:00Z')
/** Of AWS's own examples. */
const example: Credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

describe('signV4()', () => {
  /** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
  it.each<[string, Omit<ToSign, 'origin'>, string]>([
    [
      'GET Object',
      { method: 'GET', path: '/test.txt', headers: { range: 'bytes=0-9' } },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'GET Bucket Lifecycle',
      { method: 'GET', path: '/', query: { lifecycle: '' } },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'Get Bucket (List Objects)',
      { method: 'GET', path: '/', query: { 'max-keys': '2', prefix: 'J' } },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])("signs AWS's example %s", (_, request, signature) => {
    const origin = new URL('https://examplebucket.s3.amazonaws.com')
    const { authorization } = signV4({ ...request, origin }, example, 'us-east-1', now)
    expect(authorization?.slice(-64)).toBe(signature)
  })

  it.each<ToSign & { readonly credentials?: Credentials }>([
    { method: 'HEAD', origin: new URL('http://127.0.0.1:8080'), path: '/bucket/a%20b/%E6%A8%A1%E5%9E%8B' },
    {
      method: 'GET',
      origin: new URL('https://oss-cn-hangzhou.aliyuncs.com'),
      path: '/',
      query: { 'list-type': '2', prefix: 'a b/+&=*~(é)', 'continuation-token': 'x/y==', delimiter: '' },
    },
    {
      method: 'GET',
      origin: new URL('https://bucket.example:9000'),
      path: '/k',
      headers: { range: 'bytes=0-1', 'if-match': '"a  b"', 'x-amz-checksum-mode': 'ENABLED' },
      credentials: { ...example, sessionToken: 'token/with+signs==', expiration: now },
    },
  ])('says what the signer of the SDK says: $method $origin$path $query', async (request) => {
    const { credentials = example, origin, method, path, query, headers } = request
    const signer = new SignatureV4({
      credentials: keysOf(credentials),
      region: 'eu-west-1',
      service: 's3',
      sha256: Sha256,
      uriEscapePath: false,
    })
    const { hostname, host, protocol } = origin
    const expected = await signer.sign(
      { method, protocol, hostname, path, query: { ...query }, headers: { ...headers, host } },
      { signingDate: now },
    )
    expect(signV4(request, credentials, 'eu-west-1', now)).toEqual(expected.headers)
  })
})

/** The face that the SDK's signer wants of a hash, over Node's. */
class Sha256 {
  private readonly hash

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'object' ? new Uint8Array(secret as Uint8Array) : secret // the signer gives no other
    this.hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }

  update(data: string | Uint8Array) {
    this.hash.update(data)
  }

  async digest() {
    return this.hash.digest()
  }

  reset() {}
}
