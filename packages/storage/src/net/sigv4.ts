import { createHash, createHmac } from 'node:crypto'
import { once } from '@eas/base'

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
  readonly headers?: { readonly [name: string]: string }
}

const signers = once(() => import('@smithy/signature-v4'))

/** The headers of a request without a body, with its AWS Signature Version 4. Service `s3`, as S3, OSS and GCS expect. */
export async function signV4(
  request: ToSign,
  credentials: Credentials,
  region: string,
): Promise<Record<string, string>> {
  const { SignatureV4 } = await signers()
  // S3 signs the path as it is sent; other services escape it a second time.
  const signer = new SignatureV4({
    credentials: keysOf(credentials),
    region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  })
  const { origin, method, path, query, headers } = request
  const signed = await signer.sign({
    method,
    protocol: origin.protocol,
    hostname: origin.hostname,
    path,
    query: { ...query },
    headers: { ...headers, host: origin.host },
  })
  return signed.headers
}

/** The face that the signer wants of a hash, over Node's. */
class Sha256 {
  private hash

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined || typeof secret === 'string' ? secret : bytesOf(secret)
    this.hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(typeof data === 'string' ? data : bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest()
  }

  reset(): void {
    throw new Error('A hash is used once')
  }
}

const bytesOf = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
