import { createHash, createHmac } from 'node:crypto'
import { inferSchema, parseColumnType, type Schema } from '../column-type.ts'
import { badData, FeatureStoreError } from '../feature-store-error.ts'
import { batchOfRows, type Row } from '../rows.ts'
import type { ItemBatch, ItemSource } from '../source.ts'
import { bodyOf, httpCall, signalInit } from './http.ts'
import { decodeMessage, encodeMessage, type Message } from './tablestore-message.ts'
import { decodeRows, encodeKey } from './tablestore-row.ts'

export interface TablestoreOptions {
  /** `https://instance.region.ots.aliyuncs.com`, or the address within the VPC. */
  readonly endpoint: string
  readonly instance: string
  readonly table: string
  /** The only column of the primary key, which is the item id. */
  readonly key: string
  readonly keyType?: Schema['key']
  /** Columns to load and their types. Default: all of the first page, with the types that it suggests. */
  readonly types?: Readonly<Record<string, string>>
  readonly accessKeyId: string
  readonly accessKeySecret: string
  /** Of temporary credentials. */
  readonly securityToken?: string
}

/** Rows of one BatchGetRow, by its documentation. */
const maxIds = 100

/** Numbers of `message GetRangeRequest` … in tablestore.proto of the Node.js SDK 5.6.5. */
const getRange = { table: 1, direction: 2, columns: 3, maxVersions: 5, start: 7, end: 8 } as const
const getRangeAnswer = { rows: 2, next: 3 } as const
const batchGetRow = { tables: 1, table: { name: 1, keys: 2, columns: 4, maxVersions: 6 } } as const
const batchGetRowAnswer = { tables: 1, rows: 2, row: { isOk: 1, error: 2, row: 4 } } as const
const errorCode = 1
const forward = 0

/**
 * A table of Tablestore (OTS) whose primary key is the item id alone. A refresh loads all of it again: Tablestore cannot
 * tell what has changed.
 *
 * @see https://www.alibabacloud.com/help/en/tablestore/developer-reference/api-reference
 */
export function tablestoreSource(options: TablestoreOptions): ItemSource {
  const { table, key, keyType = 'string', types } = options
  const declared: Schema | undefined = types && {
    key: keyType,
    keyName: key,
    columns: Object.entries(types).map(([name, type]) => ({ name, type: parseColumnType(type) })),
  }
  // The key too: a row that has none of the columns asked for is left out.
  const columns = declared ? [key, ...declared.columns.map(({ name }) => name)] : []
  let loads = 0

  const call = async (operation: string, body: Buffer, signal: AbortSignal | undefined): Promise<Message> => {
    const headers = signedHeaders(operation, body, options)
    const init = { method: 'POST', headers, body, ...signalInit(signal) }
    const url = `${options.endpoint.replace(/\/$/, '')}/${operation}`
    const response = await httpCall(url, init, `read ${table} from Tablestore`)
    return decodeMessage(await bodyOf(response, 'Tablestore'))
  }

  async function* pages(signal: AbortSignal | undefined): AsyncGenerator<readonly Row[], void, void> {
    for (let start: Uint8Array | undefined = encodeKey(key, 'min'); start; ) {
      const request = encodeMessage([
        [getRange.table, table],
        [getRange.direction, forward],
        ...columns.map((name) => [getRange.columns, name] as const),
        [getRange.maxVersions, 1],
        [getRange.start, start],
        [getRange.end, encodeKey(key, 'max')],
      ])
      const answer = await call('GetRange', request, signal)
      yield decodeRows(answer.bytes(getRangeAnswer.rows)[0] ?? Buffer.alloc(0))
      const [next]: readonly Buffer[] = answer.bytes(getRangeAnswer.next)
      start = next && next.length > 0 ? next : undefined
    }
  }

  /** The answer has a row per key, empty where there is none. */
  async function readRows(ids: readonly string[], signal: AbortSignal | undefined): Promise<readonly Row[]> {
    const keys = ids.map((id) => encodeKey(key, { id: keyType === 'int64' ? BigInt(id) : id }))
    const wanted = encodeMessage([
      [batchGetRow.table.name, table],
      ...keys.map((bytes) => [batchGetRow.table.keys, bytes] as const),
      ...columns.map((name) => [batchGetRow.table.columns, name] as const),
      [batchGetRow.table.maxVersions, 1],
    ])
    const answer = await call('BatchGetRow', encodeMessage([[batchGetRow.tables, wanted]]), signal)
    const [rows] = answer
      .bytes(batchGetRowAnswer.tables)
      .map((bytes) => decodeMessage(bytes).bytes(batchGetRowAnswer.rows))
    if (rows?.length !== ids.length)
      throw badData(`Tablestore answers with ${rows?.length} rows for ${ids.length} keys`)
    return rows.flatMap((bytes) => {
      const row = decodeMessage(bytes)
      if (row.number(batchGetRowAnswer.row.isOk) === 1)
        return decodeRows(row.bytes(batchGetRowAnswer.row.row)[0] ?? bytes.subarray(0, 0))
      const [error] = row.bytes(batchGetRowAnswer.row.error)
      const code = error && decodeMessage(error).bytes(errorCode)[0]?.toString()
      throw new FeatureStoreError('source_down', `Cannot read ${table} from Tablestore: it answers ${code ?? 'no row'}`)
    })
  }

  async function* batches(
    first: readonly Row[],
    rest: AsyncGenerator<readonly Row[], void, void>,
    schema: Schema,
  ): AsyncGenerator<ItemBatch, void, void> {
    if (first.length > 0) yield batchOfRows(first, schema, key)
    for await (const rows of rest) if (rows.length > 0) yield batchOfRows(rows, schema, key)
  }

  const schemaOf = (rows: readonly Row[]): Schema => declared ?? { ...inferSchema(rows, key), key: keyType }

  return {
    name: `tablestore ${table}`,
    async snapshot(_, { signal }) {
      const rest = pages(signal)
      const { value } = await rest.next()
      const first = value ?? []
      const schema = schemaOf(first)
      return { version: String(++loads), schema, batches: batches(first, rest, schema) }
    },
    async fetch(ids, { signal }) {
      const wanted = keyType === 'int64' ? ids.filter(isInt64) : ids
      const rows: Row[] = []
      for (let i = 0; i < wanted.length; i += maxIds) {
        rows.push(...(await readRows(wanted.slice(i, i + maxIds), signal)))
      }
      const schema = schemaOf(rows)
      return { schema, batch: batchOfRows(rows, schema, key) }
    },
  }
}

const isInt64 = (id: string): boolean => /^-?\d{1,19}$/.test(id) && BigInt.asIntN(64, BigInt(id)) === BigInt(id)

/** @see https://www.alibabacloud.com/help/en/tablestore/developer-reference/signature-mechanism */
function signedHeaders(operation: string, body: Buffer, options: TablestoreOptions): Record<string, string> {
  const { instance, accessKeyId, accessKeySecret, securityToken } = options
  const headers: Record<string, string> = {
    'x-ots-accesskeyid': accessKeyId,
    'x-ots-apiversion': '2015-12-31',
    'x-ots-contentmd5': createHash('md5').update(body).digest('base64'),
    'x-ots-date': new Date().toISOString(),
    'x-ots-instancename': instance,
    ...(securityToken ? { 'x-ots-ststoken': securityToken } : {}),
  }
  // By name, which is how they stand above.
  const signed = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
  const text = `/${operation}\nPOST\n\n${signed.join('')}`
  return { ...headers, 'x-ots-signature': createHmac('sha1', accessKeySecret).update(text).digest('base64') }
}
