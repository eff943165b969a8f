import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type BatchOptions, createBatch, defaultOptions, type Mapping, serviceOf, serviceScorer } from '@eas/batch'
import { tfPredict, torchPredict, torchrecPredict } from '@eas/protocol'
import { memoryStore } from '@eas/storage'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processorOf } from '../support/processor.ts'
import { type Expected, example, readJson, recommender, requestOf } from '../support/recommender.ts'
import { type Digits, farthest, heldOut, startDigits } from './support/digits.ts'
import { bytesOf, linesOf, resultOf } from './support/results.ts'

const golden = (name: string) => readFileSync(join(import.meta.dirname, '../golden/batch', name))
const { ids, names } = JSON.parse(golden('manifest.json').toString()) as { ids: string[]; names: string[] }
const signal = new AbortController().signal
/** Two correct engines differ by less. */
const tolerance = 1e-5

let digits: Digits
let tf: Digits
beforeAll(async () => {
  digits = await startDigits('service.json')
  tf = await startDigits('service-tf.json')
})
afterAll(async () => {
  await digits.processor.close()
  await tf.processor.close()
})

async function score(
  name: string,
  bytes: Uint8Array,
  options: Partial<BatchOptions> = {},
  of: Pick<Digits, 'scorer'> = digits,
) {
  const input = memoryStore('memory://in')
  const output = memoryStore('memory://out')
  await input.put(name, bytes)
  const batch = createBatch(of.scorer, { store: output, key: 'results' }, { ...defaultOptions, ...options })
  await batch.score({ store: input, key: name }, { signal })
  return { output, ...(await resultOf(output, 'results', name)) }
}

/** Ids are beyond what a double holds; as text they are compared exactly. */
const idsOf = (text: string) => [...text.matchAll(/"id":"?(\d+)/g)].map(([, id]) => id)

const pixels = Array.from({ length: 64 }, (_, i) => `pixel_${i}`)
/** Files that other tools have written, how their columns become the model's input, and what is kept of them. */
const inputs: readonly { name: string; mapping?: Mapping; kept: readonly string[] }[] = [
  { name: 'snappy.parquet', kept: ['id', 'name', 'score'] },
  { name: 'zstd-v2.parquet', kept: ['id', 'name', 'score'] },
  { name: 'gzip.parquet', kept: ['id', 'name', 'score'] },
  { name: 'fixed-lists.parquet', kept: ['id', 'name', 'score'] },
  { name: 'file.arrow', kept: ['id', 'name', 'score'] },
  { name: 'stream.arrows', kept: ['id', 'name', 'score'] },
  { name: 'lz4.feather', kept: ['id', 'name', 'score'] },
  { name: 'zstd.feather', kept: ['id', 'name', 'score'] },
  { name: 'plain.ndjson', kept: ['id', 'name'] },
  { name: 'members.ndjson.gz', kept: ['id', 'name'] },
  { name: 'frames.ndjson.zst', kept: ['id', 'name'] },
  { name: 'quoted.csv', kept: ['id', 'name'] },
  { name: 'pixels.tsv', mapping: { inputs: { image: pixels } }, kept: ['id'] },
]

describe('rows of files that other tools have written are scored as the framework scores them', () => {
  it.each(inputs)('$name', async ({ name, mapping = {}, kept }) => {
    for (const chunkRows of [5, 100]) {
      const chunk = { rows: chunkRows, bytes: 1e9 }
      const { manifest, text } = await score(name, golden(name), { mapping, chunk })
      expect(manifest).toMatchObject({ status: 'scored', rows: 12, failures: 0, chunks: Math.ceil(12 / chunkRows) })
      expect(idsOf(text)).toEqual(ids)
      for (const [i, row] of linesOf(text).entries()) {
        expect(Object.keys(row).sort()).toEqual([...kept, 'scores'].sort())
        expect(farthest(row.scores as number[], heldOut[i]?.torchScores ?? [])).toBeLessThan(tolerance)
        if (kept.includes('name')) expect(String(row.name).replace('\nof two lines', '')).toBe(names[i])
        if (kept.includes('score')) expect(row.score).toBe(i % 5 === 4 ? null : i / 4)
      }
    }
  })

  it('by a TensorFlow service too', async () => {
    const mapping = { inputs: { images: 'image' }, keep: ['id'] }
    const { text } = await score('snappy.parquet', golden('snappy.parquet'), { mapping }, tf)
    for (const [i, row] of linesOf(text).entries()) {
      expect(farthest(row.scores as number[], heldOut[i]?.tfScores ?? [])).toBeLessThan(tolerance)
    }
  })
})

describe('tables of text by other tools', () => {
  const image = (i: number) => heldOut[i]?.input.join(' ')
  it.each([
    [';', 'id;image\n'],
    ['|', 'id|image\r\n'],
    [';', '\ufeff"a, b";image\r\n'],
    ['\t', 'id\timage\n'],
  ])('with %j between values, under the header %j', async (delimiter, header) => {
    const rows = ids.map((id, i) => `${id}${delimiter}${image(i)}`)
    const { manifest, text } = await score('rows.csv', Buffer.from(header + rows.join('\n')))
    expect(manifest).toMatchObject({ status: 'scored', rows: 12, failures: 0 })
    for (const [i, row] of linesOf(text).entries()) {
      expect(row.id ?? row['a, b']).toBe(ids[i])
      expect(farthest(row.scores as number[], heldOut[i]?.torchScores ?? [])).toBeLessThan(tolerance)
    }
  })

  it('a mark in the midst of a value, or one that is never closed, costs its row alone', async () => {
    const rows = ids.map((id, i) => `${i === 3 ? '5" disk' : i === 8 ? '"open' : id},${image(i)}`)
    const { manifest, text, errors } = await score('rows.csv', Buffer.from(`id,image\n${rows.join('\n')}`))
    expect(manifest).toMatchObject({ status: 'scored', rows: 12, failures: 2 })
    expect(errors).toEqual([
      { row: 3, error: 'A quotation mark stands amid a field' },
      { row: 8, error: 'A quotation mark is not closed' },
    ])
    expect(linesOf(text).map(({ id }) => id)).toEqual(ids.filter((_, i) => i !== 3 && i !== 8))
  })

  it('may begin with the name of a column that another format begins with', async () => {
    for (const name of ['PARENT', 'PAR1', 'ORC', 'ARROW1', 'BZh9']) {
      const { manifest } = await score('rows.csv', Buffer.from(`${name},image\n1,${image(0)}\n`))
      expect([name, manifest.status, manifest.error]).toEqual([name, 'scored', undefined])
    }
  })

  it('frames of zstd may begin with one to be skipped', async () => {
    const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4])
    const { manifest } = await score('rows.ndjson.zst', Buffer.concat([skipped, golden('frames.ndjson.zst'), skipped]))
    expect(manifest).toMatchObject({ status: 'scored', rows: 12, failures: 0 })
  })
})

describe('results in each format say the same when they are read again', () => {
  it.each(['ndjson', 'csv', 'parquet', 'arrow'] as const)('%s', async (outputFormat) => {
    const { parts, manifest } = await score('file.arrow', golden('file.arrow'), { outputFormat })
    expect(manifest.parts[0]?.key).toMatch(new RegExp(`\\.${outputFormat}$`))
    // Read by scoring them once more, with the scores among what is kept, in place of an image that is made of them.
    const mapping = {
      inputs: { image: Array.from({ length: 64 }, () => 'id') },
      keep: ['name', 'score', 'scores'],
      outputs: { scores: 'again' },
    }
    const again = await score(`back.${outputFormat}`, parts[0] ?? Buffer.of(), { mapping })
    for (const [i, row] of linesOf(again.text).entries()) {
      const scores = typeof row.scores === 'string' ? JSON.parse(row.scores) : row.scores
      expect(farthest(scores, heldOut[i]?.torchScores ?? [])).toBeLessThan(tolerance)
      expect(row.name).toBe(names[i])
    }
  })
})

describe('columns that are kept', () => {
  const row = (id: number, more: string) => `{"id":${id},"image":${JSON.stringify(heldOut[id % 12]?.input)}${more}}\n`

  it.each([
    { name: 'rows.ndjson', bytes: Buffer.from(row(0, ',"scores":[1]').repeat(3)), status: 'stopped' },
    { name: 'rows.csv', bytes: Buffer.from('image,scores\n1,2\n'), status: 'failed' },
  ])('and are called as an output is, are an error that says what to do: $name', async ({ name, bytes, status }) => {
    const { manifest } = await score(name, bytes)
    expect(manifest).toMatchObject({ status, parts: [] })
    expect(manifest.error).toMatch(
      /column scores is kept, and an output has its name; write .*"outputs": \{"scores": "new_scores"\}/,
    )
    const mapping = { keep: ['scores'], outputs: { scores: 'scores' } }
    const asked = await score(name, bytes, { mapping })
    expect(asked.manifest).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^Cannot use the mapping: column scores/),
    })
  })

  it('both go out where the output has another name, or only it where no column is kept', async () => {
    const bytes = Buffer.from(row(0, ',"scores":[1]') + row(1, ''))
    const both = await score('rows.ndjson', bytes, { mapping: { outputs: { scores: 'new_scores' } } })
    expect(linesOf(both.text).map((line) => Object.keys(line))).toEqual([
      ['id', 'scores', 'new_scores'],
      ['id', 'new_scores'],
    ])
    const one = await score('rows.ndjson', bytes, { mapping: { keep: ['id'] } })
    expect(linesOf(one.text).map(({ scores }) => (scores as number[]).length)).toEqual([10, 10])
    // One of two rows: its neighbour is scored.
    const some = await score('rows.ndjson', bytes)
    expect(some.manifest).toMatchObject({ status: 'scored', rows: 2, failures: 1 })
    expect(some.errors).toMatchObject([{ row: 0, error: expect.stringMatching(/column scores is kept/) }])
  })

  it.each(['parquet', 'arrow'] as const)(
    'have one type in all parts of %s, whatever values a part has',
    async (outputFormat) => {
      // Whole numbers and nothing in the first chunk; an unsigned one that is small.
      const { Float64, Table, Uint64, vectorFromArray, tableToIPC, List, Field, Float32 } = await import('apache-arrow')
      const image = [0, 1].map((i) => heldOut[i]?.input ?? [])
      const table = new Table({
        image: vectorFromArray(image, new List(new Field('item', new Float32(), true))),
        price: vectorFromArray([1, 1.5], new Float64()),
        count: vectorFromArray([null, 7], new Float64()),
        hash: vectorFromArray([1n, 2n ** 64n - 1n], new Uint64()),
      })
      const chunk = { rows: 1, bytes: 1e9 }
      const { parts, manifest } = await score('rows.arrow', tableToIPC(table, 'file'), { outputFormat, chunk })
      expect(manifest).toMatchObject({ status: 'scored', chunks: 2 })
      const forms = await Promise.all(
        parts.map((part) => (outputFormat === 'arrow' ? arrowForm(part) : parquetForm(part))),
      )
      expect(forms[0]?.types).toEqual(forms[1]?.types)
      expect(forms.map(({ rows }) => rows)).toEqual([
        [{ price: 1, count: null, hash: 1n }],
        [{ price: 1.5, count: 7, hash: 2n ** 64n - 1n }],
      ])
    },
  )

  it.each(['csv', 'parquet', 'arrow'] as const)(
    'of NDJSON are the same in all parts of %s, where a part has no value of one or has the first',
    async (outputFormat) => {
      const rows = ['', ',"late":null,"n":7,"t":"a"', ',"late":9007199254740993', ',"t":null', ',"last":true,"n":null']
      const bytes = Buffer.from(rows.map((more, i) => row(i, more)).join(''))
      const chunk = { rows: 1, bytes: 1e9 }
      const { parts, manifest, output } = await score('rows.ndjson', bytes, { outputFormat, chunk })
      expect(manifest).toMatchObject({ status: 'scored', chunks: 5 })
      const names = ['id', 'late', 'n', 't', 'last']
      const forms: { types: unknown; rows: Record<string, unknown>[] }[] = []
      for (const part of parts) {
        if (outputFormat === 'csv') forms.push({ types: part.toString().split('\r\n')[0], rows: [] })
        else forms.push(await (outputFormat === 'arrow' ? arrowForm(part, names) : parquetForm(part)))
      }
      // A column is in all parts from the one on in which it is met.
      if (outputFormat === 'csv') {
        const from = (columns: string) => `${columns},scores`
        const late = from('id,late,n,t')
        expect(forms.map(({ types }) => types)).toEqual([from('id'), late, late, late, from('id,late,n,t,last')])
      } else {
        expect(forms[2]?.types).toEqual(forms[1]?.types)
        expect(forms[3]?.types).toEqual(forms[1]?.types)
        expect(forms[2]?.rows).toMatchObject([{ id: 2n, late: '9007199254740993', n: null, t: null }])
        expect(forms[4]?.rows).toMatchObject([{ id: 4n, late: null, n: null, t: null, last: true }])
      }

      // Another attempt goes on with the columns that the chunks before have had.
      const { job } = manifest
      const root = `results/rows.ndjson`
      for (const name of ['manifest-000001.json', `${job}/chunk-00004.json`, `${job}/chunk-00003.json`]) {
        await output.delete(`${root}/${name}`)
      }
      const input = memoryStore('memory://in')
      await input.put('rows.ndjson', bytes)
      const options = { ...defaultOptions, outputFormat, chunk }
      const batch = createBatch(digits.scorer, { store: output, key: 'results' }, options)
      await batch.score({ store: input, key: 'rows.ndjson' }, { signal })
      const again = await resultOf(output, 'results', 'rows.ndjson')
      expect(again.manifest.parts).toEqual(manifest.parts)
    },
  )

  it('do not pile up where rows have keys of their own', async () => {
    const keys = (i: number) => Array.from({ length: 900 }, (_, k) => `,"k${i}_${k}":1`).join('')
    const bytes = Buffer.from([0, 1, 2, 3, 4].map((i) => row(i, keys(i))).join(''))
    const { parts } = await score('rows.ndjson', bytes, { outputFormat: 'csv', chunk: { rows: 1, bytes: 1e9 } })
    const counts = parts.map((part) => part.toString().split('\r\n')[0]?.split(',').length)
    expect(counts).toEqual([902, 1802, 2702, 902, 1802])
  })

  async function arrowForm(part: Uint8Array, names = ['price', 'count', 'hash']) {
    const { tableFromIPC } = await import('apache-arrow')
    const table = tableFromIPC(part)
    const rows = table
      .toArray()
      .map((row) => Object.fromEntries(names.filter((name) => name in row).map((name) => [name, row[name]])))
    return { types: table.schema.fields.map(String), rows }
  }
  async function parquetForm(part: Uint8Array) {
    const { parquetMetadata, parquetReadObjects } = await import('hyparquet')
    const file = new Uint8Array(part).buffer
    const { schema } = parquetMetadata(file)
    const rows = await parquetReadObjects({ file })
    for (const row of rows) delete row.scores
    return { types: schema, rows }
  }
})

describe('numbers that JSON has no text for, as Python writes them', () => {
  it('are what they are for the model, and null in results', async () => {
    const [first = [], second = []] = heldOut.map(({ input }) => input)
    const text = (image: readonly unknown[]) => `[${image.join(', ')}]`
    const lines = [
      `{"id": NaN, "image": ${text(['NaN', ...first.slice(1)])}, "more": {"a": [Infinity, "NaN"], "b": -Infinity}}`,
      `{"id": 1, "image": ${text(second)}}`,
      `{"id": 2, "image": ${text([...first.slice(1), 'NaN0'])}}`,
      `{"id": 3, "image": ${text([...first.slice(1), '-NaN'])}}`,
      `{"id": nan, "image": ${text(first)}}`,
    ]
    const { text: results, manifest, errors } = await score('rows.ndjson', Buffer.from(lines.join('\n')))
    expect(manifest).toMatchObject({ status: 'scored', rows: 5, failures: 3 })
    expect(errors.map(({ row }) => row)).toEqual([2, 3, 4])
    for (const { error } of errors) expect(error).toMatch(/^(?:image: )?It is not JSON/)
    const [nan, good] = linesOf(results)
    expect(nan).toEqual({ id: null, more: { a: [null, 'NaN'], b: null }, scores: Array(10).fill(null) })
    expect(farthest(good?.scores as number[], heldOut[1]?.torchScores ?? [])).toBeLessThan(tolerance)
    const tables = await score('rows.ndjson', Buffer.from(`${lines[0]}\n${lines[1]}`), { outputFormat: 'csv' })
    expect(tables.text).toMatch(/\r\n1,,"\[/)
  })
})

describe('recorded requests', () => {
  const image = (i: number) => ({
    dtype: 'float32' as const,
    shape: [1, 64],
    data: Float32Array.from(heldOut[i]?.input ?? []),
  })
  const torch = (i: number) =>
    torchPredict.encodeRequest({ inputs: [image(i)], output_filter: [], map_inputs: new Map(), debug_level: 0 })

  it('one per object are answered as the service answers them, compressed or not', async () => {
    for (const [name, bytes] of [
      ['a.pb', torch(3)],
      ['b.pb.gz', gzipSync(torch(3))],
    ] as const) {
      const { parts, manifest } = await score(name, bytes)
      expect(manifest).toMatchObject({ status: 'scored', rows: 1, format: 'request' })
      const [scores] = torchPredict.decodeResponse(parts[0] ?? Buffer.of()).outputs
      expect(farthest(Array.from(scores?.data as Float32Array), heldOut[3]?.torchScores ?? [])).toBeLessThan(tolerance)
    }
  })

  it('behind their lengths keep their places, with an empty response for one that fails', async () => {
    const bodies = [torch(0), Buffer.from('nothing'), torch(2), torch(3)]
    const object = Buffer.concat(bodies.flatMap((body) => [varint(body.length), body]))
    const { text, parts, errors, manifest } = await score('log.pbs', object, { chunk: { rows: 3, bytes: 1e9 } })
    expect(text).not.toBe('')
    expect(manifest).toMatchObject({ status: 'scored', rows: 4, failures: 1, chunks: 2 })
    expect(errors).toEqual([{ row: 1, error: expect.stringMatching(/PredictRequest/) }])
    const responses = split(Buffer.concat(parts))
    expect(responses.map((response) => response.length > 0)).toEqual([true, false, true, true])
    for (const i of [0, 2, 3]) {
      const [scores] = torchPredict.decodeResponse(responses[i] ?? Buffer.of()).outputs
      expect(farthest(Array.from(scores?.data as Float32Array), heldOut[i]?.torchScores ?? [])).toBeLessThan(tolerance)
    }
  })

  it('of TorchEasyRec, behind their lengths', async () => {
    const processor = await processorOf([recommender()])
    try {
      const cases: readonly Expected[] = readJson(join(example, 'expected.json')).requests
      const bodies = cases.map((expected) => requestOf(expected))
      const object = Buffer.concat(bodies.flatMap((body) => [varint(body.length), body]))
      const service = { name: recommender().name, token: '', workersMax: 1, model: { pipeline: { kind: 'torchrec' } } }
      const { parts, manifest } = await score(
        'log.pbs',
        object,
        {},
        { scorer: serviceScorer(serviceOf({ processor, service })) },
      )
      expect(manifest).toMatchObject({ status: 'scored', rows: cases.length, failures: 0 })
      for (const [i, response] of split(Buffer.concat(parts)).entries()) {
        const { item_ids, map_outputs } = torchrecPredict.decodeResponse(response)
        expect(item_ids).toEqual(cases[i]?.item_ids)
        for (const [name, values] of Object.entries(cases[i]?.outputs ?? {})) {
          expect(farthest(Array.from(map_outputs.get(name)?.data as Float32Array), values)).toBeLessThan(2e-5)
        }
      }
    } finally {
      await processor.close()
    }
  })

  it('of TensorFlow', async () => {
    const body = tfPredict.encodeRequest({
      signature_name: '',
      inputs: new Map([['images', image(5)]]),
      output_filter: [],
    })
    const { parts } = await score('tf.pb', body, {}, tf)
    const scores = tfPredict.decodeResponse(parts[0] ?? Buffer.of()).outputs.get('scores')
    expect(farthest(Array.from(scores?.data as Float32Array), heldOut[5]?.tfScores ?? [])).toBeLessThan(tolerance)
  })

  const varint = (value: number): Buffer =>
    value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value & 127) | 128), varint(value >> 7)])
  function split(bytes: Buffer): Buffer[] {
    const responses: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      let length = 0
      for (let shift = 0, more = true; more; shift += 7) {
        const byte = bytes[at++] ?? 0
        length += (byte & 127) << shift
        more = byte >= 128
      }
      responses.push(bytes.subarray(at, at + length))
      at += length
    }
    return responses
  }
})

describe('a poison object fails alone, and its manifest says why', () => {
  const cut = (name: string, share: number) => golden(name).subarray(0, Math.floor(golden(name).length * share))
  const cases: readonly { what: string; name: string; bytes: Uint8Array; error: RegExp }[] = [
    { what: 'truncated Parquet', name: 'a.parquet', bytes: cut('snappy.parquet', 0.7), error: /no sound Parquet file/ },
    {
      what: 'Parquet without the column',
      name: 'a.parquet',
      bytes: golden('no-image.parquet'),
      error: /no column image; the file has id, name, score/,
    },
    {
      what: 'NDJSON that says it is Parquet',
      name: 'a.parquet',
      bytes: golden('plain.ndjson'),
      error: /no sound Parquet file/,
    },
    { what: 'truncated Arrow', name: 'a.arrow', bytes: cut('file.arrow', 0.6), error: /Arrow IPC: it is cut short/ },
    {
      what: 'a truncated Arrow stream',
      name: 'a.arrows',
      bytes: cut('stream.arrows', 0.4),
      error: /no sound Arrow IPC/,
    },
    { what: 'truncated gzip', name: 'a.ndjson.gz', bytes: cut('members.ndjson.gz', 0.8), error: /no sound gzip/ },
    { what: 'truncated zstd', name: 'a.ndjson.zst', bytes: cut('frames.ndjson.zst', 0.8), error: /no sound zstd/ },
    {
      what: 'CSV without the column',
      name: 'a.csv',
      bytes: Buffer.from('id,pixels\n1,2\n'),
      error: /no column image; the header has id, pixels/,
    },
    { what: 'an empty CSV file', name: 'a.csv', bytes: Buffer.of(), error: /empty, without even a header/ },
    { what: 'UTF-16', name: 'a.ndjson', bytes: Buffer.from('\ufeff{"image":[]}\n', 'utf16le'), error: /not UTF-8/ },
    { what: 'a truncated log of requests', name: 'a.pbs', bytes: Buffer.of(200, 1, 2, 3), error: /cut short/ },
    {
      what: 'encrypted Parquet',
      name: 'a.parquet',
      bytes: Buffer.from('PARE\u001f\0\0\0PARE'),
      error: /it is encrypted Parquet/,
    },
    {
      what: 'Avro called CSV',
      name: 'a.csv',
      bytes: Buffer.from('Obj\u0001\u0002'),
      error: /it is Avro, which is not supported/,
    },
    {
      what: 'ORC called CSV',
      name: 'a.csv',
      bytes: Buffer.from('ORC\n\u0007\u0012'),
      error: /it is ORC, which is not/,
    },
    { what: 'Parquet called CSV', name: 'a.csv', bytes: golden('snappy.parquet'), error: /as csv: it is parquet/ },
    { what: 'bzip2', name: 'a.csv', bytes: Buffer.from('BZh91AY&SY'), error: /it is bzip2, which is not supported/ },
    { what: 'a name that says nothing', name: 'a.dat', bytes: Buffer.of(1), error: /Cannot tell the format of a\.dat/ },
  ]
  it.each(cases)('$what', async ({ name, bytes, error }) => {
    const { manifest } = await score(name, bytes)
    expect(manifest).toMatchObject({ status: 'failed', error: expect.stringMatching(error), parts: [] })
    expect(manifest.error).not.toMatch(/\n/)
  })

  it('a mapping that does not fit the model is said so', async () => {
    const { manifest } = await score('plain.ndjson', golden('plain.ndjson'), {
      mapping: { outputs: ['scores', 'label'] },
    })
    expect(manifest).toMatchObject({
      status: 'failed',
      error: 'Cannot use the mapping: the model has no output label; it has scores',
    })
  })
})

describe('poison rows', () => {
  const line = (i: number, image: unknown = heldOut[i % 12]?.input) => JSON.stringify({ id: i, image })

  it('one in a hundred: exactly those are in the error file, and the others are scored', async () => {
    const poison: readonly (readonly [string, RegExp])[] = [
      ['{"id":1,"image":[1,2,3]}', /image takes \[64\] in each row, got \[3\]/],
      ['{"id":1}', /image is missing/],
      ['{"id":1,"image":null}', /image is null/],
      ['not json', /not a JSON object/],
      ['{"id":1,"image":[', /not JSON/],
      [line(1, Array(64).fill('x')), /"x" is no number/],
      [`${line(1)} x`, /something follows/],
      [line(1, [...Array(63).fill(0), [0]]), /lists beside values/],
    ]
    const rows: string[] = []
    const expected: { row: number; error: RegExp }[] = []
    for (let i = 0; i < 3000; i++) {
      const wrong = i % 100 === 42 ? poison[((i / 100) % poison.length) | 0] : undefined
      rows.push(wrong ? wrong[0] : line(i))
      if (wrong) expected.push({ row: i, error: wrong[1] })
    }
    const { manifest, text, errors } = await score('rows.ndjson', Buffer.from(rows.join('\n')), {
      chunk: { rows: 700, bytes: 1e9 },
    })
    expect(manifest).toMatchObject({ status: 'scored', rows: 3000, failures: 30, chunks: 5 })
    expect(errors.map(({ row }) => row)).toEqual(expected.map(({ row }) => row))
    for (const [i, { error }] of expected.entries()) expect(errors[i]?.error).toMatch(error)
    const good = Array.from({ length: 3000 }, (_, i) => i).filter((i) => i % 100 !== 42)
    expect(linesOf(text).map(({ id }) => id)).toEqual(good)
    for (const { id, scores } of linesOf(text)) {
      expect(farthest(scores as number[], heldOut[Number(id) % 12]?.torchScores ?? [])).toBeLessThan(tolerance)
    }
  })

  it('too many stop the object, once and for all', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => line(i, i % 2 ? undefined : [1]))
    const { manifest, output } = await score('rows.ndjson', Buffer.from(rows.join('\n')), {
      chunk: { rows: 50, bytes: 1e9 },
    })
    expect(manifest).toMatchObject({ status: 'stopped', rows: 50, failures: 25, parts: [] })
    expect(manifest.error).toMatch(/^25 of 50 rows failed: row 0: image takes \[64\]/)
    expect(linesOf((await bytesOf(output, manifest.errors ?? '')).toString())).toHaveLength(25)
  })
})

it('gzip of the golden files is what it says', () => {
  expect(gunzipSync(golden('members.ndjson.gz')).equals(golden('plain.ndjson'))).toBe(true)
})
