import type { IncomingHttpHeaders } from 'node:http'
import type { ObjectInfo } from '../object-store.ts'

/** An ETag without its quotes; `undefined` for none, or for a weak one, which promises no equal bytes. */
export function etagOf(value: string | undefined): string | undefined {
  if (value === undefined || value === '' || value.startsWith('W/')) return undefined
  return value.replace(/^"|"$/g, '')
}

/**
 * The digests that a response vouches for. Those of multipart uploads are of the parts' digests and say nothing about
 * the whole, unless their type is FULL_OBJECT; they carry a `-` and the number of parts.
 * S3 API: HeadObject, `x-amz-checksum-*`; OSS: HeadObject, `x-oss-object-type`.
 */
export function digestsOf(headers: IncomingHttpHeaders, etagIsMd5: boolean): ObjectInfo['digests'] {
  const digests: { -readonly [A in keyof NonNullable<ObjectInfo['digests']>]: string } = {}
  if (headers['x-amz-checksum-type'] !== 'COMPOSITE') {
    for (const [algorithm, bytes] of [
      ['crc32', 4],
      ['crc32c', 4],
      ['sha256', 32],
    ] as const) {
      const hex = hexOf(headers[`x-amz-checksum-${algorithm}`], bytes)
      if (hex !== undefined) digests[algorithm] = hex
    }
  }
  const etag = etagOf(headers.etag)?.toLowerCase()
  const encrypted = /^aws:kms|^aws:fsx/.test(`${headers['x-amz-server-side-encryption'] ?? ''}`)
  const customerKey = headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined
  const ordinary = (headers['x-oss-object-type'] ?? 'Normal') === 'Normal' // an appendable object's ETag is not its MD5
  if (etagIsMd5 && !encrypted && !customerKey && ordinary && etag && /^[0-9a-f]{32}$/.test(etag)) digests.md5 = etag
  return Object.keys(digests).length > 0 ? digests : undefined
}

/** Base64 of exactly so many bytes, as hex. */
export function hexOf(base64: string | string[] | undefined, bytes: number): string | undefined {
  if (typeof base64 !== 'string') return undefined
  const decoded = Buffer.from(base64, 'base64')
  return decoded.length === bytes && !base64.includes('-') ? decoded.toString('hex') : undefined
}
