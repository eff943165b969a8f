import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import sdk from 'tablestore'
import protocol from 'tablestore/lib/protocol/tablestore_compiled_proto.js'

/**
 * What Tablestore answers to GetRange and BatchGetRow: an emulator of ours, for there is no Tablestore to be had. Requests
 * are read, signatures checked and answers written by the official Node.js SDK's own code, so that what is ours is only
 * which rows go into an answer.
 */
export interface TablestoreEmulator {
  readonly port: number
  /** Attribute columns by item id; a bigint is an INTEGER, a number a DOUBLE. */
  readonly items: Map<string, Readonly<Record<string, string | number | bigint | boolean>>>
  close(): Promise<void>
}

export const tablestoreKeys = { accessKeyId: 'emulator-id', accessKeySecret: 'emulator-secret' }
export const [tablestoreInstance, tablestoreTable, keyColumn] = ['emulated', 'items_online', 'item_id']

/** Rows of one answer; the real service stops at 4 MB or 5000. */
const pageRows = 20

const { GetRangeRequest, GetRangeResponse, BatchGetRowRequest, BatchGetRowResponse } = protocol.main.proto
const keyOf = (id: string) => [{ [keyColumn]: id }]
const encodedKey = (id: string) => Buffer.from(sdk.PlainBufferBuilder.serializePrimaryKey(keyOf(id)))
const headerBytes = 4

export async function startTablestore(): Promise<TablestoreEmulator> {
  const items: TablestoreEmulator['items'] = new Map()

  /** A row, of the columns asked for; all of them if none are. */
  const encodedRow = (id: string, columnsToGet: readonly string[]): Buffer => {
    const wanted = Object.entries(items.get(id) ?? {}).filter(
      ([name]) => columnsToGet.length === 0 || columnsToGet.includes(name),
    )
    const columns = wanted.map(([name, value]) => ({
      [name]: typeof value === 'bigint' ? sdk.Long.fromString(String(value)) : value,
    }))
    return Buffer.from(sdk.PlainBufferBuilder.serializeForPutRow(keyOf(id), columns))
  }

  function getRange(body: Buffer): Uint8Array {
    const request = GetRangeRequest.decode(body)
    const ids = [...items.keys()].sort()
    const isFirst = isBound(request.inclusiveStartPrimaryKey, sdk.INF_MIN)
    const first = isFirst ? 0 : ids.findIndex((id) => encodedKey(id).equals(request.inclusiveStartPrimaryKey))
    const isToEnd = isBound(request.exclusiveEndPrimaryKey, sdk.INF_MAX)
    if (first < 0 || !isToEnd || request.tableName !== tablestoreTable || request.maxVersions !== 1)
      throw new Error('bad')
    const page = ids.slice(first, first + pageRows)
    const rows = page.map((id, i) => encodedRow(id, request.columnsToGet).subarray(i === 0 ? 0 : headerBytes))
    const next = ids[first + pageRows]
    return GetRangeResponse.encode({
      consumed: { capacityUnit: { read: 1, write: 0 } },
      rows: Buffer.concat(rows),
      ...(next === undefined ? {} : { nextStartPrimaryKey: encodedKey(next) }),
    }).finish()
  }

  function batchGetRow(body: Buffer): Uint8Array {
    const [table, ...others] = BatchGetRowRequest.decode(body).tables
    if (!table || others.length > 0 || table.tableName !== tablestoreTable) throw new Error('bad')
    const known = new Map([...items.keys()].map((id) => [encodedKey(id).toString('hex'), id]))
    const rows = table.primaryKey.map((key) => {
      const id = known.get(Buffer.from(key).toString('hex'))
      return { isOk: true, row: id === undefined ? Buffer.alloc(0) : encodedRow(id, table.columnsToGet) }
    })
    return BatchGetRowResponse.encode({ tables: [{ tableName: table.tableName, rows }] }).finish()
  }

  const operations: { readonly [path: string]: (body: Buffer) => Uint8Array } = {
    '/GetRange': getRange,
    '/BatchGetRow': batchGetRow,
  }
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    const operation = operations[request.url ?? '']
    const refuse = (status: number, code: string) => void response.writeHead(status).end(code)
    if (!isSigned(request, body)) return refuse(403, 'OTSAuthFailed')
    try {
      response.end(operation?.(body))
    } catch {
      refuse(400, 'OTSParameterInvalid')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    items,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Whether a key is one of the two bounds, for which the SDK allocates a byte more than it writes. */
function isBound(key: Uint8Array, bound: typeof sdk.INF_MIN): boolean {
  const encoded = Buffer.from(sdk.PlainBufferBuilder.serializePrimaryKey([{ [keyColumn]: bound }]))
  return encoded.subarray(0, -1).equals(key)
}

function isSigned({ url = '', headers }: IncomingMessage, body: Buffer): boolean {
  const { 'x-ots-signature': signature, ...signed } = headers
  const signer = new sdk.Signer({ path: url, method: 'POST', headers: signed })
  return (
    signature === signer.sign(tablestoreKeys.accessKeySecret, signer.stringToSign()) &&
    headers['x-ots-accesskeyid'] === tablestoreKeys.accessKeyId &&
    headers['x-ots-instancename'] === tablestoreInstance &&
    headers['x-ots-apiversion'] === '2015-12-31' &&
    headers['x-ots-contentmd5'] === createHash('md5').update(body).digest('base64')
  )
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}
