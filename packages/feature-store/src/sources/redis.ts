import type { Redis } from 'ioredis'
import { inferSchema, parseColumnType, type Schema } from '../column-type.ts'
import { badData, FeatureStoreError } from '../feature-store-error.ts'
import { parseJson } from '../json.ts'
import { batchOfRows, type Row } from '../rows.ts'
import type { ItemBatch, ItemSource } from '../source.ts'

export interface RedisOptions {
  /** `redis://user:password@host:port/db`, or `rediss://`. */
  readonly url: string
  /** Keys of items: their ids with `*` in their place, as `item:*`. */
  readonly pattern: string
  /** Whether a key holds a hash of fields or the JSON text of an object. Default `hash`. */
  readonly value?: 'hash' | 'json'
  /** Types by field. Default, for JSON only: inferred from the first items. Hashes are texts and do not tell. */
  readonly types?: Readonly<Record<string, string>>
  readonly keyType?: Schema['key']
  /** What features call the id. Default `item_id`. */
  readonly key?: string
  /** A key whose value changes with the catalogue. Default: a refresh loads all again, unless `changes` is given. */
  readonly versionKey?: string
  /** A stream whose entries have a field `id` for every item that was changed or removed. */
  readonly changes?: string
}

/** Keys that are asked for at once. */
const pageKeys = 1000

/** Items of a Redis database, as hashes or JSON. */
export function redisSource(options: RedisOptions): ItemSource {
  const { pattern, value = 'hash', types, keyType = 'string', key = 'item_id', versionKey, changes: stream } = options
  const [before = '', after = '', ...others] = pattern.split('*')
  if (!pattern.includes('*') || others.length > 0) {
    throw new FeatureStoreError('bad_config', `Cannot read Redis keys ${pattern}: it has not one * for the id`)
  }
  if (value === 'hash' && !types)
    throw new FeatureStoreError('bad_config', 'Cannot read Redis hashes without types: fields are texts')
  const declared: Schema | undefined = types && {
    key: keyType,
    keyName: key,
    columns: Object.entries(types).map(([name, type]) => ({ name, type: parseColumnType(type) })),
  }
  let opened: Promise<Opened> | undefined
  let loads = 0

  /** The connection, or a new one if that has ended. A call that is given up ends it: nobody knows what it still answers. */
  async function connect(signal: AbortSignal | undefined): Promise<Redis> {
    const last = opened
    const isEnded = (await last)?.redis.status === 'end'
    if (opened === last && (!last || isEnded)) opened = openClient(options.url)
    const { redis, connected } = await (opened as Promise<Opened>) // has just been made, by this call or another
    signal?.addEventListener('abort', () => redis.disconnect(), { once: true })
    await connected
    return redis
  }

  const keyOf = (id: string) => `${before}${id}${after}`
  const idOf = (key: string) => key.slice(before.length, key.length - after.length)

  async function readRows(redis: Redis, ids: readonly string[]): Promise<readonly Row[]> {
    const pipeline = redis.pipeline()
    for (const id of ids) value === 'hash' ? pipeline.hgetall(keyOf(id)) : pipeline.get(keyOf(id))
    const replies = (await pipeline.exec()) ?? []
    return replies.flatMap(([error, reply], i): Row[] => {
      if (error) throw badData(`key ${keyOf(ids[i] ?? '')}: ${error.message}`)
      const fields = value === 'hash' ? (reply as Row) : parseObject(reply, keyOf(ids[i] ?? ''))
      const isThere = fields && Object.keys(fields).length > 0 // a key that is not there is a hash of nothing
      return isThere ? [{ ...fields, [idColumn]: ids[i] }] : []
    })
  }

  async function* allRows(redis: Redis): AsyncGenerator<readonly Row[], void, void> {
    let cursor = '0'
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${escaped(before)}*${escaped(after)}`, 'COUNT', pageKeys)
      cursor = next
      for (let i = 0; i < keys.length; i += pageKeys) yield await readRows(redis, keys.slice(i, i + pageKeys).map(idOf))
    } while (cursor !== '0')
  }

  async function* batches(first: readonly Row[], rest: AsyncGenerator<readonly Row[], void, void>, schema: Schema) {
    if (first.length > 0) yield batchOfRows(first, schema, idColumn)
    for await (const rows of rest) yield batchOfRows(rows, schema, idColumn)
  }

  return {
    name: `redis ${pattern}`,
    async snapshot(known, { signal }) {
      const redis = await connect(signal)
      let version = String(loads + 1)
      if (versionKey) {
        version = (await redis.get(versionKey)) ?? ''
        if (version === known) return undefined
      } else if (stream && known !== undefined) return undefined
      // Before the items: what changes meanwhile is read twice rather than never.
      const [last] = stream ? await redis.xrevrange(stream, '+', '-', 'COUNT', 1) : []
      const rows = allRows(redis)
      const first = await firstRows(rows)
      loads++
      const schema = declared ?? { ...inferSchema(first, idColumn), key: keyType, keyName: key }
      const position = stream ? { position: last?.[0] ?? '0-0' } : {}
      return { version, schema, batches: batches(first, rows, schema), ...position }
    },
    async *changes(position, schema, { signal }): AsyncGenerator<ItemBatch, void, void> {
      if (!stream) return
      const redis = await connect(signal)
      for (let at = position; ; ) {
        const entries = await redis.xrange(stream, `(${at}`, '+', 'COUNT', pageKeys)
        const last = entries.at(-1)
        if (!last) return
        at = last[0]
        const ids = [
          ...new Set(
            entries.flatMap(([, fields]) => fields.filter((_, i) => i > 0 && fields[i - 1] === 'id' && i % 2 === 1)),
          ),
        ]
        const rows = await readRows(redis, ids)
        const present = new Set(rows.map((row) => row[idColumn]))
        const gone = ids.filter((id) => !present.has(id)).map((id): Row => ({ [idColumn]: id }))
        const batch = batchOfRows([...rows, ...gone], schema, idColumn)
        const deleted = [...rows.map(() => 0), ...gone.map(() => 1)]
        yield { ...batch, deleted, position: at }
      }
    },
    async fetch(ids, { signal }) {
      // The signal of one call, which fires some time in any case.
      const call = new AbortController()
      const giveUp = () => call.abort()
      signal?.addEventListener('abort', giveUp)
      try {
        const rows = await readRows(await connect(call.signal), ids)
        const schema = declared ?? { ...inferSchema(rows, idColumn), key: keyType, keyName: key }
        return { schema, batch: batchOfRows(rows, schema, idColumn) }
      } finally {
        signal?.removeEventListener('abort', giveUp)
      }
    },
    async close() {
      const last = opened
      opened = undefined
      ;(await last)?.redis.disconnect()
    },
  }
}

/** A name that no field has: where a row keeps its id. */
const idColumn = '\u0000id'

interface Opened {
  readonly redis: Redis
  /** Rejects with the reason when it never was. */
  readonly connected: Promise<void>
}

/** A connection that ends is not made again by itself: whoever needs one asks for it. */
async function openClient(url: string): Promise<Opened> {
  // Bundled as CommonJS it has no named exports.
  const { default: ioredis } = await import('ioredis')
  const redis = new ioredis.Redis(url, { lazyConnect: true, connectTimeout: 10_000, retryStrategy: () => null })
  let reason: Error | undefined
  redis.on('error', (error) => {
    reason = error
  })
  const connected = redis.connect().catch((error) => {
    throw reason ?? error // which says no more than that the connection is closed
  })
  connected.catch(() => {}) // told by whoever waits for it
  return { redis, connected }
}

/** What SCAN's patterns take for themselves. */
const escaped = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&')

function parseObject(reply: unknown, key: string): Row | undefined {
  if (reply === null) return undefined
  try {
    const object = parseJson(String(reply))
    if (typeof object === 'object' && object !== null && !Array.isArray(object)) return object as Row // just checked
  } catch {}
  throw badData(`key ${key} holds no JSON object`)
}

/** The first page that is not empty: SCAN gives empty ones. */
async function firstRows(pages: AsyncGenerator<readonly Row[], void, void>): Promise<readonly Row[]> {
  for (;;) {
    const { value, done } = await pages.next()
    if (done) return []
    if (value.length > 0) return value
  }
}
