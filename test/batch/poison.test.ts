import { gzipSync } from 'node:zlib'
import { type BatchOptions, createBatch, defaultOptions } from '@eas/batch'
import { torchPredict } from '@eas/protocol'
import { memoryStore } from '@eas/storage'
import { Field, FixedSizeList, Float32, List, Table, tableToIPC, vectorFromArray } from 'apache-arrow'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Digits, farthest, heldOut, startDigits } from './support/digits.ts'
import { linesOf, resultOf } from './support/results.ts'

/** One row in a hundred is poison, in every format and compression: exactly those fail. */

const count = 600
const isPoison = (row: number) => row % 100 === 37
const imageOf = (row: number) => heldOut[row % 12]?.input ?? []
const signal = new AbortController().signal

/** A frame of stored blocks, as long as a block may be. @see RFC 8878, 3.1.1 */
function zstdFrame(bytes: Uint8Array): Uint8Array {
  const size = 100_000
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])
  const blocks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => {
    const block = bytes.subarray(i * size, (i + 1) * size)
    const isLast = (i + 1) * size >= bytes.length
    const header = Buffer.alloc(3)
    header.writeUIntLE((block.length << 3) | (isLast ? 1 : 0), 0, 3)
    return Buffer.concat([header, block])
  })
  return Buffer.concat([head, ...blocks])
}

let digits: Digits
beforeAll(async () => {
  digits = await startDigits('service.json')
})
afterAll(() => digits.processor.close())

async function score(name: string, bytes: Uint8Array, options: Partial<BatchOptions> = {}) {
  const input = memoryStore('memory://in')
  const output = memoryStore('memory://out')
  await input.put(name, bytes)
  const batch = createBatch(
    digits.scorer,
    { store: output, key: '' },
    { ...defaultOptions, chunk: { rows: 130, bytes: 1e9 }, ...options },
  )
  const outcome = await batch.score({ store: input, key: name }, { signal })
  expect(outcome.status).toBe('done')
  return await resultOf(output, '', name)
}

type Image = readonly (number | null)[] | null
/** What tables may hold where an image should be, and what is said of it. */
const images: readonly (readonly [Image, RegExp])[] = [
  [[1, 2, 3], /image takes \[64\] in each row, got \[3\]/],
  [null, /image is (?:null|missing)/],
  [[...Array<number>(63).fill(0), null], /image is null/],
  [[], /image takes \[64\] in each row, got \[0\]/],
  [Array<number>(65).fill(0), /image takes \[64\] in each row, got \[65\]/],
]
const wrongImage = (row: number) => images[Math.floor(row / 100) % images.length] as (typeof images)[number] // one of them
const tableImages = Array.from({ length: count }, (_, row) => (isPoison(row) ? wrongImage(row)[0] : imageOf(row)))
const reasons = (row: number) => wrongImage(row)[1]

interface Case {
  readonly name: string
  readonly bytes: () => Uint8Array
  readonly reason: (row: number) => RegExp
}

const column = (wide: boolean) => () => {
  const rows = tableImages.map((image) => image?.map((value) => value) ?? null)
  return Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'id', data: Array.from({ length: count }, (_, row) => row) },
        { name: 'image', data: rows },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
        { name: 'image', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: wide ? 'DOUBLE' : 'FLOAT', repetition_type: 'OPTIONAL' },
      ],
      rowGroupSize: 170,
      pageSize: 4096,
    }),
  )
}

const arrowTable = () =>
  new Table({
    id: vectorFromArray(Int32Array.from({ length: count }, (_, row) => row)),
    image: vectorFromArray(tableImages as (number[] | null)[], new List(new Field('item', new Float32(), true))), // not changed
  })

const ndjson = () => Buffer.from(tableImages.map((image, id) => JSON.stringify({ id, image })).join('\n'))

const csvPoison: readonly (readonly [string, RegExp])[] = [
  ['1 2 3', /image takes \[64\] in each row, got \[3\]/],
  ['', /image: it is empty|image is (?:missing|null)/],
  [Array(64).fill('x').join(' '), /"x" is no number/],
  ['"[1,2"', /image/],
  ['1,2,3', /fields/],
]
const csv = (delimiter: string) => () => {
  const lines = Array.from({ length: count }, (_, row) => {
    const poison = csvPoison[Math.floor(row / 100) % csvPoison.length]?.[0] ?? ''
    return `${row}${delimiter}${isPoison(row) ? poison.replaceAll(',', poison.startsWith('"') ? ';' : delimiter) : imageOf(row).join(' ')}`
  })
  return Buffer.from([`id${delimiter}image`, ...lines].join('\r\n'))
}
const csvReason = (row: number) => csvPoison[Math.floor(row / 100) % csvPoison.length]?.[1] ?? /none/

const tables: readonly Case[] = [
  { name: 'rows.ndjson', bytes: ndjson, reason: reasons },
  { name: 'rows.csv', bytes: csv(','), reason: csvReason },
  { name: 'rows.tsv', bytes: csv('\t'), reason: csvReason },
  { name: 'floats.parquet', bytes: column(false), reason: reasons },
  { name: 'doubles.parquet', bytes: column(true), reason: reasons },
  { name: 'rows.arrow', bytes: () => tableToIPC(arrowTable(), 'file'), reason: reasons },
  { name: 'rows.arrows', bytes: () => tableToIPC(arrowTable(), 'stream'), reason: reasons },
]
const compressions: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
  ['', (bytes) => bytes],
  ['.gz', (bytes) => gzipSync(bytes)],
  ['.zst', zstdFrame],
]
/** Parquet is compressed within; whole it could not be read by ranges. */
const cases = tables.flatMap((table) =>
  compressions
    .filter(([ending]) => ending === '' || !table.name.endsWith('.parquet'))
    .map(([ending, compress]) => ({ ...table, name: `${table.name}${ending}`, bytes: () => compress(table.bytes()) })),
)

describe('one poison row in a hundred', () => {
  it.each(cases)('of $name: exactly those fail, each with its reason', async ({ name, bytes, reason }) => {
    const { manifest, text, errors } = await score(name, bytes())
    expect(manifest.error).toBeUndefined()
    expect(manifest).toMatchObject({ status: 'scored', rows: count, failures: count / 100, chunks: 5 })
    const expected = Array.from({ length: count }, (_, row) => row).filter(isPoison)
    expect(errors.map(({ row }) => row)).toEqual(expected)
    for (const { row, error } of errors) expect(error).toMatch(reason(Number(row)))
    const written = linesOf(text)
    expect(written.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: count }, (_, row) => row).filter((row) => !isPoison(row)),
    )
    for (const { id, scores } of written) {
      expect(farthest(scores as number[], heldOut[Number(id) % 12]?.torchScores ?? [])).toBeLessThan(1e-5)
    }
  })

  const request = (row: number) =>
    torchPredict.encodeRequest({
      inputs: [{ dtype: 'float32', shape: [1, 64], data: Float32Array.from(imageOf(row)) }],
      output_filter: [],
      map_inputs: new Map(),
      debug_level: 0,
    })
  const poisonRequests = [Buffer.from('no message'), request(0).subarray(0, 100), Buffer.from([0xff])]
  const delimited = (bodies: readonly Uint8Array[]) =>
    Buffer.concat(
      bodies.flatMap((body) => [
        Buffer.from(body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7]),
        body,
      ]),
    )
  it.each(compressions)('of recorded requests%s: the others are answered at their places', async (ending, compress) => {
    const bodies = Array.from({ length: 300 }, (_, row) =>
      isPoison(row) ? (poisonRequests[Math.floor(row / 100)] ?? Buffer.of()) : request(row),
    )
    const { manifest, parts, errors } = await score(`log.pbs${ending}`, compress(delimited(bodies)))
    expect(manifest).toMatchObject({ status: 'scored', rows: 300, failures: 3 })
    expect(errors.map(({ row }) => row)).toEqual([37, 137, 237])
    const all = Buffer.concat(parts)
    let at = 0
    for (let row = 0; row < 300; row++) {
      const long = (all[at] ?? 0) >= 128
      const length = long ? ((all[at] ?? 0) & 127) | ((all[at + 1] ?? 0) << 7) : (all[at] ?? 0)
      at += long ? 2 : 1
      const body = all.subarray(at, at + length)
      at += length
      expect(length === 0).toBe(isPoison(row))
      if (length === 0) continue
      const [tensor] = torchPredict.decodeResponse(body).outputs
      expect(farthest([...((tensor?.data ?? []) as Float32Array)], heldOut[row % 12]?.torchScores ?? [])).toBeLessThan(
        1e-5,
      )
    }
    expect(at).toBe(all.length)
  })
})

describe('a poison object is dealt with, and says why', () => {
  const fixed = () => {
    const type = new FixedSizeList(3, new Field('item', new Float32(), false))
    return tableToIPC(
      new Table({
        id: vectorFromArray([1, 2]),
        image: vectorFromArray(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          type,
        ),
      }),
      'file',
    )
  }
  const garbage = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251))
  const objects: readonly { what: string; name: string; bytes: () => Uint8Array; error: RegExp }[] = [
    {
      what: 'Parquet without its last byte',
      name: 'a.parquet',
      bytes: () => column(false)().subarray(0, -1),
      error: /no sound Parquet/,
    },
    {
      what: 'Parquet with its middle missing',
      name: 'a.parquet',
      bytes: () => {
        const all = column(false)()
        return Buffer.concat([all.subarray(0, 3000), all.subarray(9000)])
      },
      error: /no sound Parquet/,
    },
    {
      what: 'Parquet whose first page is overwritten',
      name: 'a.parquet',
      bytes: () => {
        const all = Buffer.from(column(false)())
        all.fill(0xff, 4, 3000)
        return all
      },
      error: /no sound Parquet/,
    },
    {
      what: 'Parquet compressed as a whole',
      name: 'a.parquet.gz',
      bytes: () => gzipSync(column(false)()),
      error: /compressed as a whole/,
    },
    { what: 'an empty Parquet file', name: 'a.parquet', bytes: () => Buffer.of(), error: /no sound Parquet/ },
    { what: 'garbage called Parquet', name: 'a.parquet', bytes: () => garbage, error: /no sound Parquet/ },
    { what: 'garbage called Arrow', name: 'a.arrow', bytes: () => garbage, error: /no sound Arrow/ },
    {
      what: 'an Arrow stream cut in a batch',
      name: 'a.arrows',
      bytes: () => tableToIPC(arrowTable(), 'stream').subarray(0, 4000),
      error: /no sound Arrow/,
    },
    {
      what: 'Arrow lists of another length',
      name: 'a.arrow',
      bytes: fixed,
      error: /All 2 rows failed: row 0: image takes \[64\] in each row, got \[3\]/,
    },
    {
      what: 'gzip cut short',
      name: 'a.csv.gz',
      bytes: () => gzipSync(csv(',')()).subarray(0, -20),
      error: /no sound gzip/,
    },
    {
      what: 'gzip with a wrong byte',
      name: 'a.ndjson.gz',
      bytes: () => {
        const all = gzipSync(ndjson())
        all[all.length >> 1] = (all[all.length >> 1] ?? 0) ^ 0xff
        return all
      },
      error: /no sound gzip|Cannot read|failed/,
    },
    {
      what: 'zstd cut short',
      name: 'a.ndjson.zst',
      bytes: () => zstdFrame(ndjson()).subarray(0, -50),
      error: /no sound zstd/,
    },
    {
      what: 'NDJSON in Latin 1',
      name: 'a.ndjson',
      bytes: () =>
        Buffer.from(
          Array.from({ length: 20 }, (_, id) => JSON.stringify({ id, name: 'é', image: imageOf(id) })).join('\n'),
          'latin1',
        ),
      error: /20 of 20 rows failed: row 0: It is not UTF-8/,
    },
    {
      what: 'CSV in UTF-16',
      name: 'a.csv',
      bytes: () => Buffer.from('\ufeffid,image\r\n1,2\r\n', 'utf16le'),
      error: /not UTF-8/,
    },
    {
      what: 'NDJSON of another schema',
      name: 'a.ndjson',
      bytes: () => Buffer.from('{"pixels":[1]}\n'.repeat(10)),
      error: /All 10 rows failed: row 0: image is missing/,
    },
    {
      what: 'a JSON array',
      name: 'a.json',
      bytes: () => Buffer.from('[{"image":[1]}]'),
      error: /All 1 rows failed: row 0: It is a JSON list; each line/,
    },
    { what: 'requests that are none', name: 'a.pbs', bytes: () => garbage, error: /Cannot read|failed/ },
  ]
  it.each(objects)('$what', async ({ name, bytes, error }) => {
    const { manifest } = await score(name, bytes())
    expect(['failed', 'stopped']).toContain(manifest.status)
    expect(manifest.error).toMatch(error)
    expect(manifest.error).not.toMatch(/\n/)
  })
})
