import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type FsType, fsTypes } from '@eas/feature-store'
import {
  Binary,
  Field,
  makeData,
  makeVector,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { Builder } from 'flatbuffers'

/**
 * What FeatureDB of PAI-FeatureStore does, as far as its Go SDK (0706e14) shows it: an emulator of ours, for there is no
 * FeatureDB to be had. It was written from the reader's side of the protocol, so the two agree by construction where the
 * SDK does not say.
 */
export interface FeatureDbEmulator {
  readonly address: string
  /** Items by key: values in the order of the fields; null for missing ones. */
  readonly items: Map<string, readonly unknown[]>
  /** Changes an item, or removes it, so that `iterate_get_kv` tells of it. */
  change(key: string, values: readonly unknown[] | undefined): void
  /** The status of all answers from now on, instead of answering. */
  failWith(status: number | undefined): void
  close(): Promise<void>
}

export const emulatorToken = 'emulator-token'
export const [emulatorUser, emulatorPassword] = ['emulator-user', 'emulator-password']

export async function startFeatureDb(types: readonly FsType[]): Promise<FeatureDbEmulator> {
  const items = new Map<string, readonly unknown[]>()
  const log: { readonly ts: number; readonly key: string }[] = []
  let failure: number | undefined
  const encode = (key: string) => {
    const values = items.get(key)
    return values ? encodeValue(values, types) : new Uint8Array(0)
  }

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    const auth = Buffer.from(`${emulatorUser}:${emulatorPassword}`).toString('base64')
    const isKnown = request.headers.authorization === emulatorToken && request.headers.auth === auth
    const url = new URL(request.url ?? '', 'http://emulator')
    const what = url.pathname.replace(/^\/api\/v1\/tables\/i-1\/p%20r\/view\//, '')
    if (failure !== undefined || !isKnown) return void response.writeHead(failure ?? 401).end('{"message":"no"}')
    if (what === 'snapshots') {
      return void response.end(JSON.stringify({ code: 'OK', data: { snapshot_id: 's 1', ts: log.length } }))
    }
    if (what === 'snapshots/s%201/scan') return void response.end(arrowStream([...items.keys()], encode, 20))
    if (what === 'iterate_get_kv') {
      const from = Number(url.searchParams.get('ts'))
      const keys = log.filter(({ ts }) => ts > from).map(({ key }) => key)
      return void response.setHeader('Next-Ts', log.length).end(arrowStream(keys, encode, 20))
    }
    if (what === 'batch_get_kv2') return void response.end(blocks(JSON.parse(body.toString()).keys.map(encode)))
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    items,
    change(key, values) {
      if (values) items.set(key, values)
      else items.delete(key)
      log.push({ ts: log.length + 1, key })
    },
    failWith(status) {
      failure = status
    },
    close: () => closeServer(server),
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Record batches of keys and values, as an Arrow IPC stream. */
function arrowStream(keys: readonly string[], encode: (key: string) => Uint8Array, batchRows: number): Uint8Array {
  const schema = new Schema([new Field('key', new Utf8()), new Field('value', new Binary(), true)])
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  for (let i = 0; i === 0 || i < keys.length; i += batchRows) {
    const part = keys.slice(i, i + batchRows)
    const children = [vectorFromArray(part, new Utf8()), vectorFromArray(part.map(encode), new Binary())]
    const data = makeData({
      type: new Struct(schema.fields),
      length: part.length,
      children: children.map((v) => v.data[0] ?? makeVector([]).data[0]) as never,
    })
    writer.write(new RecordBatch(schema, data as never))
  }
  writer.finish()
  return writer.toUint8Array(true)
}

/** Values as FlatBuffers of up to three, each behind its length. */
function blocks(values: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (let i = 0; i < values.length; i += 3) {
    const builder = new Builder()
    const columns = values.slice(i, i + 3).map((value) => {
      const bytes = builder.createByteVector(value)
      builder.startObject(1)
      builder.addFieldOffset(0, bytes, 0)
      return builder.endObject()
    })
    builder.startVector(4, columns.length, 4)
    for (const column of columns.toReversed()) builder.addOffset(column)
    const vector = builder.endVector()
    builder.startObject(2)
    builder.addFieldInt32(0, i, 0)
    builder.addFieldOffset(1, vector, 0)
    builder.finish(builder.endObject())
    const block = builder.asUint8Array()
    const length = Buffer.alloc(4)
    length.writeUInt32LE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

const numbers: { readonly [type: string]: (value: never) => Uint8Array } = {
  int32: (value: number) => new Uint8Array(Int32Array.of(value).buffer),
  int64: (value: bigint) => new Uint8Array(BigInt64Array.of(value).buffer),
  float: (value: number) => new Uint8Array(Float32Array.of(value).buffer),
  double: (value: number) => new Uint8Array(Float64Array.of(value).buffer),
}
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer)

function encodeValue(values: readonly unknown[], types: readonly FsType[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('F1')]
  types.forEach((type, i) => {
    const value = values[i]
    parts.push(Uint8Array.of(value === null || value === undefined ? 1 : 0))
    if (value !== null && value !== undefined) parts.push(encodeField(fsTypes[type].column, type, value))
  })
  return Buffer.concat(parts)
}

function encodeField(column: string, type: FsType, value: unknown): Uint8Array {
  if (type === 'BOOLEAN') return Uint8Array.of(Number(value))
  const [, form, key = '', of = ''] = /^(?:(list|lists|map)<(?:(\w+),)?)?(\w+)>?$/.exec(column) ?? []
  if (!form)
    return of === 'string'
      ? Buffer.concat([u32(Buffer.byteLength(String(value))), Buffer.from(String(value))])
      : scalars(of, [value])
  if (form === 'map') {
    const entries = Object.entries(value as object)
    const keys = entries.map(([name]) => (key === 'string' ? name : key === 'int64' ? BigInt(name) : Number(name)))
    return Buffer.concat([
      u32(entries.length),
      scalars(key, keys),
      scalars(
        of,
        entries.map(([, each]) => each),
      ),
    ])
  }
  const list = value as readonly unknown[]
  if (form === 'list') return Buffer.concat([u32(list.length), scalars(of, list)])
  const lists = list as readonly (readonly number[])[]
  const total = lists.flat().length
  if (lists.length === 0) return u32(0)
  if (total === 0) return Buffer.concat([u32(lists.length), u32(0)])
  return Buffer.concat([
    u32(lists.length),
    u32(total),
    ...lists.map((inner) => u32(inner.length)),
    scalars(of, lists.flat()),
  ])
}

/** Values of one type in a row; texts with the offsets before them. */
function scalars(of: string, values: readonly unknown[]): Uint8Array {
  if (of !== 'string') return Buffer.concat(values.map((value) => numbers[of]?.(value as never) ?? new Uint8Array(0)))
  if (values.length === 0) return new Uint8Array(0)
  const texts = values.map((value) => Buffer.from(String(value)))
  const ends = texts.map((_, i) => texts.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0))
  return Buffer.concat([u32(0), ...ends.map(u32), ...texts])
}
