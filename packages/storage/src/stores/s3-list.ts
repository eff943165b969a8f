import { compareKeys } from '../key.ts'
import type { ObjectInfo } from '../object-store.ts'
import { StoreError } from '../store-error.ts'
import { etagOf } from './s3-headers.ts'

/** Bytes of one page: 1,000 keys of 1,024 bytes, escaped, with room to spare. */
export const listPageBytes = 16 * 2 ** 20

export interface ListPage {
  readonly objects: readonly ObjectInfo[]
  /** Where the next page goes on; `undefined` for the last one. */
  readonly next: string | undefined
}

/**
 * One page of a listing.
 * @param after The last key before this page: keys come in order, and none twice.
 * @throws {StoreError} `corrupt` for an answer that is not one.
 * @see S3 API, ListObjectsV2
 */
export function parseListPage(xml: string, prefix: string, after: string | undefined, doing: string): ListPage {
  const wrong = (what: string) => new StoreError('corrupt', `Cannot ${doing}: ${what}`)
  if (!/<ListBucketResult[\s>]/.test(xml) || !xml.includes('</ListBucketResult>')) {
    throw wrong('the answer is not a list of objects')
  }
  let last = after
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry = '']) => {
    const [key, size, etag] = [textOf(entry, 'Key'), textOf(entry, 'Size'), etagOf(textOf(entry, 'ETag'))]
    const modified = textOf(entry, 'LastModified')
    if (!key?.startsWith(prefix) || size === undefined || !/^\d{1,15}$/.test(size) || etag === undefined) {
      throw wrong('an entry has no key, size or ETag')
    }
    if (last !== undefined && compareKeys(key, last) <= 0) throw wrong('the keys are not in order')
    last = key
    return { key, size: Number(size), version: etag, ...(modified && { modified: new Date(modified) }) }
  })
  const head = xml.replace(/<Contents>.*?<\/Contents>/gs, '')
  const isTruncated = textOf(head, 'IsTruncated') === 'true'
  const next = textOf(head, 'NextContinuationToken')
  if (isTruncated && (next === undefined || objects.length === 0)) throw wrong('it does not say where it goes on')
  return { objects, next: isTruncated ? next : undefined }
}

function textOf(xml: string, element: string): string | undefined {
  const [, text] = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml) ?? []
  return text?.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (_, decimal, hex, name) =>
    name ? (entities[name.toLowerCase()] ?? '') : character(Number.parseInt(decimal ?? hex, decimal ? 10 : 16)),
  )
}

const entities: { readonly [name: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const character = (code: number) => (code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd')
