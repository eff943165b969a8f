import { checkKey, compareKeys, encodeSegment } from '../key.ts'
import { sizeOfBody } from '../net/body.ts'
import { refused } from '../net/status.ts'
import { discard, makeWire, readSmall, type Wire, type WireResponse } from '../net/wire.ts'
import type { Body, ObjectInfo, ObjectStore, PutOptions, ReadOptions } from '../object-store.ts'
import { StoreError } from '../store-error.ts'
import type { TokenOptions } from './gcs-token.ts'
import { type GetOptions, rangedReads } from './ranged.ts'
import { hexOf } from './s3-headers.ts'

export interface GcsSettings {
  readonly bucket: string
  /** `https://storage.googleapis.com`, or an emulator. */
  readonly endpoint: URL
  /** An OAuth 2.0 access token; `undefined` for public buckets and emulators. */
  readonly token: ((options: TokenOptions) => Promise<string>) | undefined
}

/** Answers of the JSON API that are read whole: a page of at most 1,000 objects, about 1 kB each. */
const maxJsonBytes = 8 * 1024 * 1024

/**
 * Objects of one bucket of Google Cloud Storage, over its JSON API. Versions are generations.
 * @see https://cloud.google.com/storage/docs/json_api/v1/objects
 */
export function gcsStore({ bucket, endpoint, token }: GcsSettings, wire: Wire = makeWire()): ObjectStore {
  const url = `gs://${bucket}`
  const base = endpoint.pathname.replace(/\/$/, '')
  const objects = `${base}/storage/v1/b/${encodeSegment(bucket)}/o`
  const pathOf = (key: string) => `${objects}/${encodeSegment(key)}`
  const reading = (key: string) => `read ${url}/${key}`

  let refusedToken: string | undefined

  async function send(
    request: { method: string; path: string; headers?: Record<string, string>; body?: Body },
    options: GetOptions,
    doing: string,
  ): Promise<WireResponse> {
    const bearer = await token?.({ ...options, refused: refusedToken })
    const headers = { ...request.headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) }
    const { signal, isLarge } = options
    const response = await wire.send({ ...request, headers, origin: endpoint, signal, isLarge, doing })
    refusedToken = response.status === 401 ? bearer : undefined
    return response
  }

  async function refusal(response: WireResponse, doing: string): Promise<StoreError> {
    const text = `${await readSmall(response.body, 64 * 1024, doing)}`
    const message = /"message": ?"([^"]{1,300})"/.exec(text)?.[1]
    // A token is at most an hour old; 401 means that it is over, or was never good.
    return refused({ ...response, name: response.status === 401 ? 'ExpiredToken' : undefined, message }, doing)
  }

  async function json(response: WireResponse, doing: string): Promise<unknown> {
    if (response.status !== 200) throw await refusal(response, doing)
    try {
      return JSON.parse(`${await readSmall(response.body, maxJsonBytes, doing)}`)
    } catch (error) {
      throw StoreError.from(error, doing, 'corrupt')
    }
  }

  /** `objects.get`: what is there, or with `version` that generation of it. */
  async function head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key, url)
    const doing = reading(key)
    const query = options.version === undefined ? '' : `?ifGenerationMatch=${encodeSegment(options.version)}`
    const response = await send({ method: 'GET', path: `${pathOf(key)}${query}` }, options, doing)
    if (response.status === 404) {
      discard(response)
      return undefined
    }
    return infoOfResource(await json(response, doing), doing)
  }

  /**
   * `alt=media`. With `ifGenerationMatch` a replaced object is answered 412 and not, as with `generation`, 404 or, where the
   * bucket keeps old versions, the old bytes. `Accept-Encoding: gzip` keeps objects stored as gzip from being inflated.
   */
  async function get(key: string, range: string | undefined, options: GetOptions): Promise<WireResponse> {
    checkKey(key, url)
    const pin = options.version === undefined ? '' : `&ifGenerationMatch=${encodeSegment(options.version)}`
    const headers = { 'accept-encoding': 'gzip', ...(range !== undefined && { range }) }
    const response = await send(
      { method: 'GET', path: `${pathOf(key)}?alt=media${pin}`, headers },
      options,
      reading(key),
    )
    if (response.status === 200 || response.status === 206 || response.status === 416) return response
    throw await refusal(response, reading(key))
  }

  function infoOf(key: string, headers: WireResponse['headers'], size: number): ObjectInfo {
    const version = headers['x-goog-generation']
    if (typeof version !== 'string') throw new StoreError('corrupt', `Cannot ${reading(key)}: no generation came`)
    return { key, size, version }
  }

  async function insert(key: string, body: Body, options: PutOptions, condition: string): Promise<ObjectInfo> {
    checkKey(key, url)
    const doing = `write ${url}/${key}`
    const path = `${base}/upload${objects.slice(base.length)}?uploadType=media&name=${encodeSegment(key)}${condition}`
    const headers = { 'content-type': options.contentType ?? 'application/octet-stream' }
    const info = infoOfResource(
      await json(await send({ method: 'POST', path, headers, body }, options, doing), doing),
      doing,
    )
    if (info.size !== sizeOfBody(body))
      throw new StoreError('corrupt', `Cannot ${doing}: ${info.size} bytes were stored`)
    return info
  }

  return {
    url,
    head,
    ...rangedReads({ doing: reading, get, head, infoOf }),

    async *list(prefix, options = {}) {
      const doing = `list ${url}/${prefix}`
      let page: string | undefined
      do {
        const query = new URLSearchParams({
          prefix,
          fields: 'nextPageToken,items(name,size,generation,updated,md5Hash,crc32c)',
        })
        if (options.after !== undefined) query.set('startOffset', options.after)
        if (page !== undefined) query.set('pageToken', page)
        const answer = await json(await send({ method: 'GET', path: `${objects}?${query}` }, options, doing), doing)
        const { items = [], nextPageToken } = answer as { items?: unknown[]; nextPageToken?: string } // checked item by item
        for (const item of items) {
          const info = infoOfResource(item, doing)
          // `startOffset` includes its own key, `after` does not.
          if (options.after === undefined || compareKeys(info.key, options.after) > 0) yield info
        }
        page = nextPageToken
      } while (page !== undefined)
    },

    put: (key, body, options = {}) => insert(key, body, options, ''),

    async create(key, body, options = {}) {
      try {
        await insert(key, body, options, '&ifGenerationMatch=0')
        return true
      } catch (error) {
        if (error instanceof StoreError && error.code === 'changed') return false
        throw error
      }
    },

    async delete(key, options = {}) {
      checkKey(key, url)
      const doing = `delete ${url}/${key}`
      const response = await send({ method: 'DELETE', path: pathOf(key) }, options, doing)
      if (response.status !== 404 && response.status >= 300) throw await refusal(response, doing)
      discard(response)
    },
  }
}

/** An object resource of the JSON API: numbers come as text, digests as base64, crc32c big-endian. */
function infoOfResource(resource: unknown, doing: string): ObjectInfo {
  const { name, size, generation, updated, md5Hash, crc32c } = (resource ?? {}) as { [field: string]: unknown } // each is checked
  if (typeof name !== 'string' || !/^\d{1,15}$/.test(`${size}`) || !/^\d{1,20}$/.test(`${generation}`)) {
    throw new StoreError('corrupt', `Cannot ${doing}: the answer has no name, size or generation`)
  }
  const md5 = typeof md5Hash === 'string' ? hexOf(md5Hash, 16) : undefined
  const crc = typeof crc32c === 'string' ? hexOf(crc32c, 4) : undefined
  return {
    key: name,
    size: Number(size),
    version: `${generation}`,
    ...(typeof updated === 'string' && { modified: new Date(updated) }),
    ...((md5 || crc) && { digests: { ...(md5 && { md5 }), ...(crc && { crc32c: crc }) } }),
  }
}
