import { type ColumnSpec, parseColumnType, type Schema } from '../column-type.ts'
import { badData } from '../feature-store-error.ts'
import type { ItemBatch, ItemSource } from '../source.ts'
import { arrowPairs } from './arrow.ts'
import { decodeValue, type FsType, fsTypes } from './featuredb-value.ts'
import { bodyOf, httpCall, signalInit } from './http.ts'

export interface FeatureDbOptions {
  /** `https://host:port`. */
  readonly address: string
  readonly instanceId: string
  readonly project: string
  readonly view: string
  /** The project's token: header `Authorization`. */
  readonly token: string
  /** `featuredb_username` and `featuredb_password` of a service's configuration. */
  readonly username: string
  readonly password: string
  /** The view's fields but its key, in its order: `{ name: 'price', type: 'DOUBLE' }`. */
  readonly fields: readonly { readonly name: string; readonly type: FsType }[]
  readonly keyType?: Schema['key']
  /** What features call the id. Default `item_id`. */
  readonly key?: string
}

/** Keys of one request, as the SDK sends them at most. */
const maxKeys = 200

/**
 * A feature view in FeatureDB of PAI-FeatureStore: all of it once, then what changed since, or items by id.
 *
 * @see aliyun-pai-featurestore-go-sdk 0706e14, dao/feature_view_featuredb_dao.go
 */
export function featureDbSource(options: FeatureDbOptions): ItemSource {
  const {
    address,
    instanceId,
    project,
    view,
    token,
    username,
    password,
    fields,
    keyType = 'string',
    key = 'item_id',
  } = options
  const path = [instanceId, project, view].map(encodeURIComponent).join('/')
  const base = `${address.replace(/\/$/, '')}/api/v1/tables/${path}`
  const headers = {
    Authorization: token,
    Auth: Buffer.from(`${username}:${password}`).toString('base64'),
    'Content-Type': 'application/json',
  }
  const schema: Schema = {
    key: keyType,
    keyName: key,
    columns: fields.map(({ name, type }): ColumnSpec => ({ name, type: parseColumnType(fsTypes[type].column) })),
  }
  const types = fields.map(({ type }) => type)

  const call = (what: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> =>
    httpCall(`${base}/${what}`, { headers, ...init, ...signalInit(signal) }, `read ${view} from FeatureDB`)

  const batchOf = (keys: readonly string[], values: readonly Uint8Array[]): ItemBatch => {
    const rows = values.map((bytes) => (bytes.length < 2 ? undefined : decodeValue(bytes, types)))
    return {
      keys,
      columns: schema.columns.map((_, column) => rows.map((row) => row?.[column])),
      deleted: rows.map((row) => (row ? 0 : 1)),
    }
  }

  async function* arrowBatches(response: Response): AsyncGenerator<ItemBatch, void, void> {
    for await (const { keys, values } of arrowPairs(response)) yield batchOf(keys, values)
  }

  async function* present(batches: AsyncIterable<ItemBatch>): AsyncGenerator<ItemBatch, void, void> {
    for await (const { keys, columns, deleted = [] } of batches) {
      const kept = Array.from(keys, (_, row) => row).filter((row) => deleted[row] !== 1)
      yield { keys: kept.map((row) => keys[row]), columns: columns.map((column) => kept.map((row) => column[row])) }
    }
  }

  return {
    name: `featuredb ${project}/${view}`,
    async snapshot(known, { signal }) {
      if (known !== undefined) return undefined // what changes from then on are increments
      const answer: unknown = await (await call('snapshots', { method: 'POST' }, signal)).json()
      const { snapshot_id, ts } = (answer as { data?: { snapshot_id?: unknown; ts?: unknown } }).data ?? {} // checked next
      if (typeof snapshot_id !== 'string' || !Number.isSafeInteger(ts)) throw badData('FeatureDB names no snapshot')
      const scan = await call(`snapshots/${encodeURIComponent(snapshot_id)}/scan`, { method: 'GET' }, signal)
      return { version: snapshot_id, schema, position: String(ts), batches: present(arrowBatches(scan)) }
    },
    async *changes(position, _, { signal }) {
      for (let ts = position; ; ) {
        const response = await call(`iterate_get_kv?ts=${encodeURIComponent(ts)}`, { method: 'GET' }, signal)
        const next = response.headers.get('Next-Ts') ?? ts
        let rows = 0
        for await (const batch of arrowBatches(response)) {
          rows += batch.keys.length
          yield batch
        }
        yield { keys: [], columns: fields.map(() => []), position: next }
        if (rows === 0 || next === ts) return
        ts = next
      }
    },
    async fetch(ids, { signal }) {
      const { recordBlocks } = await import('./record-block.ts')
      const keys: string[] = []
      const values: Uint8Array[] = []
      for (let i = 0; i < ids.length; i += maxKeys) {
        const part = ids.slice(i, i + maxKeys)
        const body = JSON.stringify({ keys: part })
        const response = await call(
          `batch_get_kv2?batch_size=${part.length}&encoder=`,
          { method: 'POST', body },
          signal,
        )
        const bytes = await bodyOf(response, 'FeatureDB')
        let at = 0
        for (const value of recordBlocks(bytes)) {
          const key = part[at++]
          if (key === undefined) throw badData('FeatureDB answers with more values than were asked for')
          if (value.length < 2) continue
          keys.push(key)
          values.push(value)
        }
        if (at !== part.length) throw badData(`FeatureDB answers with ${at} values for ${part.length} keys`)
      }
      return { schema, batch: batchOf(keys, values) }
    },
  }
}
