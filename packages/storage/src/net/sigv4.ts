import { createHash, createHmac } from 'node:crypto'
import { encodeSegment } from '../key.ts'

/** Keys to sign with. With an `expiration` they may be kept until then, without one they are asked for every time. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

/** Called for every request: Function Compute rotates its keys between invocations. */
export type CredentialSource = () => Credentials | Promise<Credentials>

/** Only what signs, without members that are `undefined`, which the SDK's types do not allow. */
export const keysOf = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials) => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken !== undefined && { sessionToken }),
})

export interface ToSign {
  readonly method: string
  readonly origin: URL
  /** Escaped as it is sent. */
  readonly path: string
  readonly query?: { readonly [name: string]: string }
  /** Their names in lower case. */
  readonly headers?: { readonly [name: string]: string }
}

const algorithm = 'AWS4-HMAC-SHA256'

/**
 * The headers of a request without a body, with its AWS Signature Version 4. Service `s3`, as S3, OSS and GCS expect: the path
 * is signed as it is sent, where other services escape it a second time.
 *
 * The SDK's signer says the same, which a test compares; to load it takes 15 ms of a cold start, and this none.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signV4(
  { method, origin, path, query = {}, headers = {} }: ToSign,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  region: string,
  now = new Date(),
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '') // 20130524T000000Z
  const day = time.slice(0, 8)
  const signed: Record<string, string> = {
    ...headers,
    host: origin.host,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
    'x-amz-content-sha256': emptySha256,
  }
  const names = Object.keys(signed).sort()
  const pairs = Object.entries(query).map(([name, value]) => `${encodeSegment(name)}=${encodeSegment(value)}`)
  const request = [
    method,
    path,
    pairs.sort().join('&'),
    ...names.map((name) => `${name}:${signed[name]?.trim().replace(/\s+/g, ' ')}`),
    '',
    names.join(';'),
    emptySha256,
  ].join('\n')
  const scope = [day, region, 's3', 'aws4_request']
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part).digest(), `AWS4${secretAccessKey}`)
  const signature = hmac(key, [algorithm, time, scope.join('/'), sha256(request)].join('\n')).digest('hex')
  return {
    ...signed,
    authorization: `${algorithm} Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text)
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
