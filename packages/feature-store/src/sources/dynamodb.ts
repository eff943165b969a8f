import type { AttributeValue, DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { inferSchema, parseColumnType, type Schema } from '../column-type.ts'
import { FeatureStoreError } from '../feature-store-error.ts'
import { batchOfRows, type Row } from '../rows.ts'
import type { ItemSource } from '../source.ts'

export interface DynamoDbOptions {
  readonly table: string
  /** The partition key, which is the item id. */
  readonly key: string
  /** Types by attribute. Default: inferred from the first page. */
  readonly types?: Readonly<Record<string, string>>
  readonly keyType?: Schema['key']
  /** Region, endpoint and credentials, as the SDK takes them. Default: the environment's. */
  readonly client?: DynamoDBClientConfig
  /** Changes with the catalogue: an item of the table, by its id, and the attribute to look at. Default: always loads again. */
  readonly version?: { readonly id: string; readonly attribute: string }
}

/** Ids of one BatchGetItem, by its documentation. */
const maxIds = 100

/** A table of DynamoDB whose partition key is the item id. */
export function dynamoDbSource(options: DynamoDbOptions): ItemSource {
  const { table, key, types, keyType = 'string' } = options
  const declared: Schema | undefined = types && {
    key: keyType,
    keyName: key,
    columns: Object.entries(types).map(([name, type]) => ({ name, type: parseColumnType(type) })),
  }
  let opened: Promise<Opened> | undefined
  let loads = 0
  const open = () => {
    opened ??= openClient(options.client)
    return opened
  }
  const keyValue = (id: string): AttributeValue => (keyType === 'int64' ? { N: id } : { S: id })

  async function* pages(signal: AbortSignal | undefined): AsyncGenerator<readonly Row[], void, void> {
    const { client, sdk } = await open()
    let from: Record<string, AttributeValue> | undefined
    do {
      const command = new sdk.ScanCommand({ TableName: table, ...(from ? { ExclusiveStartKey: from } : {}) })
      const { Items = [], LastEvaluatedKey } = await client.send(command, signal ? { abortSignal: signal } : {})
      from = LastEvaluatedKey
      yield Items.map(rowOf).filter((row) => row[key] !== options.version?.id)
    } while (from)
  }

  async function* batches(first: readonly Row[], rest: AsyncGenerator<readonly Row[], void, void>, schema: Schema) {
    if (first.length > 0) yield batchOfRows(first, schema, key)
    for await (const rows of rest) if (rows.length > 0) yield batchOfRows(rows, schema, key)
  }

  const schemaOf = (rows: readonly Row[]): Schema => declared ?? { ...inferSchema(rows, key), key: keyType }

  return {
    name: `dynamodb ${table}`,
    async snapshot(known, { signal }) {
      let version = String(loads + 1)
      if (options.version) {
        const { client, sdk } = await open()
        const { id, attribute } = options.version
        const { Item } = await client.send(
          new sdk.GetItemCommand({ TableName: table, Key: { [key]: keyValue(id) } }),
          signal ? { abortSignal: signal } : {},
        )
        version = String(Item && rowOf(Item)[attribute])
        if (version === known) return undefined
      }
      const rest = pages(signal)
      const { value: first = [] } = await rest.next()
      loads++
      const schema = schemaOf(first as readonly Row[]) // a page, or nothing at all
      return { version, schema, batches: batches(first as readonly Row[], rest, schema) }
    },
    async fetch(ids, { signal }) {
      const { client, sdk } = await open()
      const rows: Row[] = []
      const wanted = [...new Set(ids)].filter((id) => keyType === 'string' || /^-?\d{1,38}$/.test(id))
      for (let i = 0; i < wanted.length; i += maxIds) {
        let keys: Record<string, AttributeValue>[] = wanted.slice(i, i + maxIds).map((id) => ({ [key]: keyValue(id) }))
        for (let attempt = 0; keys.length > 0; attempt++) {
          if (attempt === 10)
            throw new FeatureStoreError('source_slow', `Cannot fetch items: ${table} leaves keys unprocessed`)
          const command = new sdk.BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys } } })
          const { Responses, UnprocessedKeys } = await client.send(command, signal ? { abortSignal: signal } : {})
          rows.push(...(Responses?.[table] ?? []).map(rowOf))
          keys = UnprocessedKeys?.[table]?.Keys ?? []
        }
      }
      const schema = schemaOf(rows)
      return { schema, batch: batchOfRows(rows, schema, key) }
    },
    async close() {
      const known = await opened
      opened = undefined
      known?.client.destroy()
    },
  }
}

interface Opened {
  readonly client: DynamoDBClient
  readonly sdk: typeof import('@aws-sdk/client-dynamodb')
}

async function openClient(config: DynamoDBClientConfig = {}): Promise<Opened> {
  const sdk = await import('@aws-sdk/client-dynamodb')
  return { sdk, client: new sdk.DynamoDBClient(config) }
}

const rowOf = (item: Readonly<Record<string, AttributeValue>>): Row =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]))

/** Whole numbers that a double cannot hold stay text, which columns parse. */
function plain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S
  if (value.N !== undefined) return numberOf(value.N)
  if (value.BOOL !== undefined) return value.BOOL
  if (value.L) return value.L.map(plain)
  if (value.M) return Object.fromEntries(Object.entries(value.M).map(([name, each]) => [name, plain(each)]))
  if (value.SS) return value.SS
  if (value.NS) return value.NS.map(numberOf)
  if (value.B) return value.B
  return undefined
}

function numberOf(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) || !/^-?\d{1,19}$/.test(text) ? number : BigInt(text)
}
