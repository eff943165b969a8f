import type { AddressInfo } from 'node:net'
import { BatchWriteItemCommand, CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { catalogue, catalogueTypes, expectItems, type Item } from '../../../../test/support/databases/catalogue.ts'
import { ByIdCache } from '../by-id-cache.ts'
import { ItemCache } from '../item-cache.ts'
import { dynamoDbSource } from './dynamodb.ts'

// dynalite is an emulator of DynamoDB by others, tested by its authors against the service.
const server = dynalite({ createTableMs: 0 })
let config: { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } }
const items = catalogue()

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  config = {
    region: 'local',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  }
  const client = new DynamoDBClient(config)
  await client.send(
    new CreateTableCommand({
      TableName: 'items',
      KeySchema: [{ AttributeName: 'item_id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'item_id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  const puts = items.map((item) => ({ PutRequest: { Item: attributes(item) } }))
  for (let i = 0; i < puts.length; i += 25) {
    await client.send(new BatchWriteItemCommand({ RequestItems: { items: puts.slice(i, i + 25) } }))
  }
  client.destroy()
})
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

type Attribute = { S: string } | { N: string } | { NULL: true } | { L: Attribute[] } | { M: Record<string, Attribute> }

function attribute(value: unknown): Attribute {
  if (value === null) return { NULL: true }
  if (typeof value === 'string') return { S: value }
  if (typeof value !== 'object') return { N: String(value) }
  return Array.isArray(value) ? { L: value.map(attribute) } : { M: attributes(value as object) } // nothing else is there
}
const attributes = (item: object): Record<string, Attribute> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attribute(value)]))

const options = () => ({ table: 'items', key: 'item_id', types: catalogueTypes, client: config })

it('dynamoDbSource() loads a table', async () => {
  const cache = new ItemCache(dynamoDbSource(options()))
  await cache.refresh()
  expect(cache.status().failure).toBeUndefined()
  expectItems(cache.current(), items)
  await cache.close()
})

it('dynamoDbSource() notices a new version by an item of the table', async () => {
  const client = new DynamoDBClient(config)
  const say = (version: string) =>
    client.send(new PutItemCommand({ TableName: 'items', Item: { item_id: { S: '_version' }, value: { S: version } } }))
  await say('one')
  const cache = new ItemCache(dynamoDbSource({ ...options(), version: { id: '_version', attribute: 'value' } }))
  await cache.refresh()
  const first = cache.current()
  expectItems(first, items)
  await cache.refresh()
  expect(cache.current()).toBe(first)
  await say('two')
  await cache.refresh()
  expect(cache.current()).not.toBe(first)
  expect(cache.status().version).toBe('two')
  client.destroy()
  await cache.close()
})

it('dynamoDbSource() fetches items by id', async () => {
  const cache = new ByIdCache(dynamoDbSource(options()))
  expectItems(await cache.view([...items.map(({ item_id }: Item) => item_id), 'nobody']), items)
  expect(cache.status().failure).toBeUndefined()
  await cache.close()
})

it('dynamoDbSource() of a table that is not there says so', async () => {
  const cache = new ItemCache(dynamoDbSource({ ...options(), table: 'nothing' }))
  expect(await cache.refresh()).toBe(false)
  expect(cache.status().failure).toMatchObject({ code: 'source_down' })
  await cache.close()
})
