import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import {
  dynamoDbSource,
  type FsType,
  featureDbSource,
  fsTypes,
  snapshotSource,
  tablestoreSource,
} from '@eas/feature-store'
import dynalite from 'dynalite'
import { type ColumnName, catalogue, catalogueTypes, type Item, toJson } from '../support/databases/catalogue.ts'
import {
  emulatorPassword,
  emulatorToken,
  emulatorUser,
  startFeatureDb,
} from '../support/databases/featuredb-emulator.ts'
import {
  keyColumn,
  startTablestore,
  tablestoreInstance,
  tablestoreKeys,
  tablestoreTable,
} from '../support/databases/tablestore-emulator.ts'
import { startFileServer } from '../support/storage/file-server.ts'
import { itemSourceContract } from './feature-store-suite.ts'

// Against emulators, named as such; PostgreSQL and Redis themselves are asked in test/support/databases.

const items = catalogue()

itemSourceContract(
  'snapshot, from a web server',
  items,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'items-'))
    const server = await startFileServer(folder)
    let version = 0
    const write = async (lines: readonly string[]) => {
      await writeFile(join(folder, 'items.ndjson'), lines.join('\n'))
      const columns = Object.entries({ item_id: 'string', ...catalogueTypes }).map(([name, type]) => ({ name, type }))
      const manifest = { version: ++version, columns, files: ['items.ndjson'] }
      await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
    }
    return {
      port: Number(new URL(server.url).port),
      source: (host, port) => snapshotSource(`http://${host}:${port}/`),
      fill: (all) => write(all.map(toJson)),
      async spoil(item) {
        const text = await readFile(join(folder, 'items.ndjson'), 'utf8')
        await write(text.split('\n').map((line) => (line === toJson(item) ? toJson({ ...item, age: 'old' }) : line)))
      },
      async close() {
        await server.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
  { reloads: true },
)

type Attribute = { S: string } | { N: string } | { NULL: true } | { L: Attribute[] } | { M: Record<string, Attribute> }

function attribute(value: unknown): Attribute {
  if (value === null) return { NULL: true }
  if (typeof value === 'string') return { S: value }
  if (typeof value !== 'object') return { N: String(value) }
  return Array.isArray(value) ? { L: value.map(attribute) } : { M: attributes(value as object) } // nothing else is there
}
const attributes = (item: object): Record<string, Attribute> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attribute(value)]))

itemSourceContract(
  'dynamodb, from dynalite',
  items,
  async () => {
    const server = dynalite({ createTableMs: 0, deleteTableMs: 0 })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // it listens on TCP
    const configOf = (host: string, at: number) => ({
      region: 'local',
      endpoint: `http://${host}:${at}`,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      maxAttempts: 1,
    })
    const client = new DynamoDBClient({ ...configOf('127.0.0.1', port), maxAttempts: 10 })
    const table = { TableName: 'items' }
    let isThere = false
    return {
      port,
      source: (host, at) =>
        dynamoDbSource({ table: 'items', key: 'item_id', types: catalogueTypes, client: configOf(host, at) }),
      async fill(all) {
        if (isThere) await client.send(new DeleteTableCommand(table))
        await client.send(
          new CreateTableCommand({
            ...table,
            KeySchema: [{ AttributeName: 'item_id', KeyType: 'HASH' }],
            AttributeDefinitions: [{ AttributeName: 'item_id', AttributeType: 'S' }],
            BillingMode: 'PAY_PER_REQUEST',
          }),
        )
        isThere = true
        for (let i = 0; i < all.length; i += 25) {
          const puts = all.slice(i, i + 25).map((item) => ({ PutRequest: { Item: attributes(item) } }))
          await client.send(new BatchWriteItemCommand({ RequestItems: { items: puts } }))
        }
      },
      async spoil(item) {
        await client.send(new PutItemCommand({ ...table, Item: attributes({ ...item, age: 'old' }) }))
      },
      async close() {
        client.destroy()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  },
  { reloads: true },
)

itemSourceContract(
  'tablestore, from our emulator',
  items,
  async () => {
    const emulator = await startTablestore()
    const put = ({ item_id, ...columns }: Item) => {
      const there = Object.entries(columns).filter(([, value]) => value !== null)
      emulator.items.set(
        item_id,
        Object.fromEntries(there.map(([name, value]) => [name, cellOf(value, catalogueTypes[name as ColumnName])])),
      )
    }
    return {
      port: emulator.port,
      source: (host, port) =>
        tablestoreSource({
          ...tablestoreKeys,
          ...{ endpoint: `http://${host}:${port}`, instance: tablestoreInstance, table: tablestoreTable },
          ...{ key: keyColumn, types: catalogueTypes },
        }),
      async fill(all) {
        emulator.items.clear()
        for (const item of all) put(item)
      },
      async spoil(item) {
        emulator.items.set(item.item_id, { age: 'old' })
      },
      close: () => emulator.close(),
    }
  },
  { reloads: true },
)

/** Lists and maps are JSON in a table of texts and numbers. */
function cellOf(value: unknown, type: string): string | number | bigint {
  if (type === 'int32' || type === 'int64') return BigInt(value as number | bigint) // what such columns hold
  return typeof value === 'object' ? toJson(value) : (value as string | number)
}

/** The field type whose column has the catalogue's type. */
const fsTypeOf = (column: string) =>
  Object.entries(fsTypes).find(([name, type]) => type.column === column && name !== 'BOOLEAN')?.[0] as FsType // all are there
const names = Object.keys(catalogueTypes) as ColumnName[]
const fields = names.map((name) => ({ name, type: fsTypeOf(catalogueTypes[name]) }))

itemSourceContract(
  'featuredb, from our emulator',
  items,
  async () => {
    const emulator = await startFeatureDb(fields.map(({ type }) => type))
    return {
      port: Number(new URL(emulator.address).port),
      source: (host, port) =>
        featureDbSource({
          ...{ address: `http://${host}:${port}`, instanceId: 'i-1', project: 'p r', view: 'view', fields },
          ...{ token: emulatorToken, username: emulatorUser, password: emulatorPassword },
        }),
      async fill(all) {
        emulator.items.clear()
        for (const item of all) {
          emulator.items.set(
            item.item_id,
            names.map((name) => item[name]),
          )
        }
      },
      close: () => emulator.close(),
    }
  },
  { reloads: false },
)
