import type { IncomingHttpHeaders } from 'node:http'
import { DirectBody } from '../net/direct.ts'
import type { WireResponse } from '../net/wire.ts'
import type { ByteRange, ObjectInfo, ObjectStore, ReadOptions, StreamOptions } from '../object-store.ts'
import { pourStream } from '../pour-stream.ts'
import { StoreError } from '../store-error.ts'

export interface GetOptions extends ReadOptions {
  /** As `WireRequest.isLarge`. */
  readonly isLarge?: boolean
}

/** A store whose objects are read with HTTP's GET. */
export interface RangedSource {
  /** `read s3://bucket/key`, for messages. */
  doing(key: string): string
  /**
   * One GET, with `If-Match` or its like when a version is asked for.
   * @returns A response with status 200, 206 or 416. @throws {StoreError} for any other.
   */
  get(key: string, range: string | undefined, options: GetOptions): Promise<WireResponse>
  /** What the headers of a response to a GET or HEAD say, given the size of the whole object. */
  infoOf(key: string, headers: IncomingHttpHeaders, size: number): ObjectInfo
  head: ObjectStore['head']
}

/** `read`, `stream` and `pour` of such a store. What comes is checked against what was asked for: version, range and length. */
export function rangedReads(source: RangedSource): Required<Pick<ObjectStore, 'read' | 'stream' | 'pour'>> {
  async function open(key: string, start: number, end: number | undefined, options: GetOptions) {
    const doing = source.doing(key)
    const whole = start === 0 && end === undefined
    const range = whole ? undefined : `bytes=${start}-${end === undefined ? '' : end - 1}`
    const response = await source.get(key, range, options)
    if (response.status === 416) {
      response.body.destroy()
      return { doing, info: undefined, response: undefined, bytes: 0, skip: 0 }
    }
    const length = lengthOf(response.headers)
    const got = response.status === 206 ? contentRange(response.headers['content-range']) : undefined
    try {
      if (
        response.status === 206 &&
        (got === undefined || got.start !== start || (end !== undefined && got.end > end))
      ) {
        throw new StoreError('corrupt', `Cannot ${doing}: asked for ${range}, got ${response.headers['content-range']}`)
      }
      const size = got?.size ?? length
      if (size === undefined) throw new StoreError('unsupported', `Cannot ${doing}: the answer has no length`)
      const bytes = got ? got.end - got.start : size
      if (length !== undefined && length !== bytes) {
        throw new StoreError('corrupt', `Cannot ${doing}: ${bytes} bytes are promised as ${length}`, {
          retryable: true,
        })
      }
      const info = source.infoOf(key, response.headers, size)
      if (options.version !== undefined && info.version !== options.version) {
        throw new StoreError('changed', `Cannot ${doing}: it is not version ${options.version} any more`)
      }
      // A server that ignores Range sends everything: what was not asked for is dropped.
      return { doing, info, response, bytes, skip: got ? 0 : start }
    } catch (error) {
      response.body.destroy()
      throw error
    }
  }

  /** At or behind the object's end there is nothing to send; that is right for an empty object and for its exact end. */
  async function atEnd(key: string, start: number, options: ReadOptions) {
    const info = await source.head(key, options)
    const doing = source.doing(key)
    if (info === undefined) throw new StoreError('not-found', `Cannot ${doing}: it does not exist`)
    if (options.version !== undefined && info.version !== options.version) {
      throw new StoreError('changed', `Cannot ${doing}: it is not version ${options.version} any more`)
    }
    if (start > info.size) throw new StoreError('invalid', `Cannot ${doing}: ${start} is behind its ${info.size} bytes`)
    return info
  }

  async function stream(key: string, options: StreamOptions & GetOptions = {}) {
    const { start = 0, end } = options
    if (end !== undefined) checkRange({ start, end }, source.doing(key))
    if (end === start) return { info: await atEnd(key, start, options), body: nothing() }
    const { doing, info, response, bytes, skip } = await open(key, start, end, options)
    if (!response || !info) return { info: await atEnd(key, start, options), body: nothing() }
    const wanted = (end ?? info.size) - start
    const isExact = skip === 0 && wanted >= bytes
    if (isExact && response.body instanceof DirectBody) return { info, body: response.body }
    const all = exactly(response.body, bytes, doing)
    return { info, body: isExact ? all : slice(all, skip, wanted) }
  }

  return {
    async read(key, range, options = {}) {
      const wanted = checkRange(range, source.doing(key))
      if (wanted === 0) {
        await atEnd(key, range.start, options)
        return new Uint8Array(0)
      }
      const { doing, response, bytes, skip } = await open(key, range.start, range.end, options)
      if (!response || bytes - skip < wanted) {
        response?.body.destroy()
        throw new StoreError('invalid', `Cannot ${doing}: it ends before ${range.end}`)
      }
      // Allocated by what was asked for, and only once the server has answered with as much.
      const all = Buffer.allocUnsafeSlow(wanted)
      const body = exactly(response.body, bytes, doing)
      let at = 0
      for await (const chunk of skip === 0 && bytes === wanted ? body : slice(body, skip, wanted)) {
        all.set(chunk, at)
        at += chunk.length
      }
      return all
    },

    stream: (key, options) => stream(key, options),

    async pour(key, sink, options = {}) {
      const { info, body } = await stream(key, { ...options, isLarge: true })
      if (body instanceof DirectBody) await body.pour(sink)
      else await pourStream(body, sink, source.doing(key))
      return info
    },
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The chunks of `body`, or an error if they are more or fewer bytes than promised. */
async function* exactly(body: AsyncIterable<Uint8Array>, bytes: number, doing: string): AsyncGenerator<Uint8Array> {
  let left = bytes
  try {
    for await (const chunk of body) {
      left -= chunk.length
      if (left < 0)
        throw new StoreError('corrupt', `Cannot ${doing}: more than ${bytes} bytes came`, { retryable: true })
      yield chunk
    }
  } catch (error) {
    throw StoreError.from(error, doing)
  }
  if (left > 0) throw new StoreError('unavailable', `Cannot ${doing}: it ended ${left} of ${bytes} bytes early`)
}

async function* slice(body: AsyncIterable<Uint8Array>, skip: number, bytes: number): AsyncGenerator<Uint8Array> {
  let at = -skip
  for await (const chunk of body) {
    const end = at + chunk.length
    if (end > 0) yield chunk.subarray(Math.max(0, -at), Math.min(chunk.length, bytes - at))
    at = end
    if (at >= bytes) return
  }
}

/** The number of bytes of a range. @throws {StoreError} `invalid`. */
export function checkRange({ start, end }: ByteRange, doing: string): number {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new StoreError('invalid', `Cannot ${doing}: bytes ${start} to ${end} are not a range`)
  }
  return end - start
}

/** `Content-Range: bytes 0-9/100`, with an exclusive end. */
export function contentRange(value: string | undefined): (ByteRange & { readonly size: number }) | undefined {
  const [, first, last, all] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(value ?? '') ?? []
  if (first === undefined) return undefined
  const range = { start: Number(first), end: Number(last) + 1, size: Number(all) }
  return range.start < range.end && range.end <= range.size ? range : undefined
}

export function lengthOf(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['content-length']
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
