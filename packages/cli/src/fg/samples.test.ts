import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PBFeature, pbLogData, torchrecPredict } from '@eas/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import { openGenerator } from './open-generator.ts'
import { type Sample, toFeature } from './sample.ts'
import { readSamples, type SampleOptions } from './samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'eas-fg-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, content)
  return file
}

const fgJson = write(
  'fg.json',
  JSON.stringify({
    features: [
      { feature_type: 'id_feature', feature_name: 'city', expression: 'user:city', hash_bucket_size: 100 },
      { feature_type: 'lookup_feature', feature_name: 'clicks', map: 'user:clicks', key: 'item:tags' },
      { feature_type: 'raw_feature', feature_name: 'price', expression: 'item:price' },
      {
        sequence_name: 'seen',
        features: [{ feature_type: 'raw_feature', feature_name: 'price', expression: 'item:price' }],
      },
    ],
  }),
)
const options: SampleOptions = {
  key: 'item_id',
  items: () => undefined,
  candidateSequence: undefined,
  limit: Number.POSITIVE_INFINITY,
}

/** Name and features of every row. */
async function featuresOf(place: string, given: Partial<SampleOptions> = {}): Promise<(readonly [string, string])[]> {
  const { generator } = await openGenerator(fgJson, false)
  const rows: (readonly [string, string])[] = []
  for await (const { names, request } of readSamples(place, { ...options, ...given })) {
    const lines = generator.generate(request).generateFeatures()
    rows.push(...names.map((name, i) => [name, lines[i] ?? ''] as const))
  }
  return rows
}

describe('toFeature()', () => {
  it.each<[unknown, PBFeature | undefined]>([
    [null, undefined],
    ['a', { kind: 'string_feature', value: 'a' }],
    [3, { kind: 'long_feature', value: 3n }],
    [2.5, { kind: 'double_feature', value: 2.5 }],
    [true, { kind: 'long_feature', value: 1n }],
    [{ '\0': '9223372036854775807' }, { kind: 'long_feature', value: 9223372036854775807n }],
    [[1, { '\0': '9007199254740993' }], { kind: 'long_list', value: BigInt64Array.of(1n, 9007199254740993n) }],
    [[1, 2.5, null], { kind: 'double_list', value: Float64Array.of(1, 2.5, Number.NaN) }],
    [['a', null, 1], { kind: 'string_list', value: ['a', '', '1'] }],
    [[true, false], { kind: 'long_list', value: BigInt64Array.of(1n, 0n) }],
    [[], { kind: 'string_list', value: [] }],
    [[['a'], []], { kind: 'string_lists', value: [['a'], []] }],
    [[[1], [2, 3]], { kind: 'long_lists', value: [BigInt64Array.of(1n), BigInt64Array.of(2n, 3n)] }],
    [[['a', 1]], { kind: 'string_long_map', value: new Map([['a', 1n]]) }],
    [{ a: 1 }, { kind: 'string_long_map', value: new Map([['a', 1n]]) }],
    [{ a: 1, b: 0.5 }, { kind: 'string_double_map', value: new Map([['a', 1], ['b', 0.5]]) }], // biome-ignore format: a row
    [{ a: { '\0': '9007199254740993' } }, { kind: 'string_long_map', value: new Map([['a', 9007199254740993n]]) }],
    [{ a: 'x' }, { kind: 'string_string_map', value: new Map([['a', 'x']]) }],
  ])('%j', (json, feature) => {
    expect(toFeature(json)).toEqual(feature)
  })
})

describe('readSamples()', () => {
  it('reads rows and requests of JSON lines in their order', async () => {
    const file = write(
      'rows.ndjson',
      [
        '{"item_id":"a","city":"abc","clicks":{"shoes":3},"tags":"shoes","price":1.5}',
        '{"item_id":9007199254740993,"city":["abc","efg"],"tags":"x","price":1}',
        '',
        '{"user_features":{"city":"abc","clicks":{"shoes":3}},"item_ids":["i1","i2"],"item_features":{"tags":["shoes",null]}}',
        '{"city":"hij"}',
      ].join('\n'),
    )
    expect(await featuresOf(file)).toEqual([
      ['a', 'city:33 | clicks:3.0 | price:1.5 | seen__price:0.0'],
      ['9007199254740993', 'city:33,44 | clicks:0.0 | price:1.0 | seen__price:0.0'],
      ['i1', 'city:33 | clicks:3.0 | price:0.0 | seen__price:0.0'],
      ['i2', 'city:33 | clicks:0.0 | price:0.0 | seen__price:0.0'],
      ['3', 'city:66 | clicks:0.0 | price:0.0 | seen__price:0.0'],
    ])
    expect((await featuresOf(file, { limit: 1 })).map(([name]) => name)).toEqual(['a'])
  })

  it('reads the same from Parquet as from CSV', async () => {
    const catalogue = join(import.meta.dirname, '../../../../test/golden/feature-store')
    const rows = await featuresOf(join(catalogue, 'catalogue-gzip-groups.parquet'), { key: 'item_id' })
    const csv = await featuresOf(join(catalogue, 'catalogue.csv'), { key: 'item_id' })
    expect(rows.length).toBeGreaterThan(10)
    expect(rows.map(([name]) => name)).toContain(csv[0]?.[0])
    expect(Object.fromEntries(rows)).toMatchObject(Object.fromEntries(csv))
  })

  const request = {
    debug_level: 100,
    user_features: new Map<string, PBFeature>([
      ['city', { kind: 'string_feature', value: 'abc' }],
      ['clicks', { kind: 'string_int_map', value: new Map([['shoes', 3]]) }],
    ]),
    item_ids: ['i1', 'i2'],
    context_features: new Map(),
    faiss_neigh_num: 0,
    item_features: new Map(),
    meta_data: new Map(),
  }
  const generate_features = new Map([
    ['i1', 'city:33 | clicks:3.0 | price:1.5 | seen__price:5.0;6.0'],
    ['i2', 'city:33 | clicks:6.0 | price:2.0 | seen__price:5.0;6.0'],
  ])
  const raw_features = new Map([
    ['i1', 'tags:shoes | price:1.5 | seen__price:5;6'],
    ['i2', 'tags:shoes,shoes | price:2 | seen__price:5;6'],
  ])

  it('reads logs in a folder, with what their items had', async () => {
    write('logs/2026/1.pb', pbLogData.encode({ request, raw_features, generate_features }))
    const logged: Sample[] = []
    for await (const sample of readSamples(join(folder, 'logs'), options)) logged.push(sample)
    expect(logged.map((sample) => sample.logged)).toEqual([[...generate_features.values()]])
    expect(await featuresOf(join(folder, 'logs'))).toEqual([...generate_features])
  })

  it('reads requests, whose items come from a cache', async () => {
    const file = write('request.pb', torchrecPredict.encodeRequest({ ...request, debug_level: 0 }))
    const items = () => ({
      entriesOf: (ids: readonly string[]) => Int32Array.from(ids, (id) => ['i2', 'i1'].indexOf(id)),
      column: (name: string) =>
        name === 'price' ? ({ form: 'numbers', data: Float32Array.of(2, 1.5) } as const) : undefined,
    })
    expect(await featuresOf(file, { items })).toEqual([
      ['i1', 'city:33 | clicks:0.0 | price:1.5 | seen__price:0.0'],
      ['i2', 'city:33 | clicks:0.0 | price:2.0 | seen__price:0.0'],
    ])
  })

  it.each([
    ['no.pb', undefined, /^Cannot read \S+no\.pb: no such file$/],
    ['list.ndjson', '[1]', /^Cannot read line 1 of \S+: it is no JSON object$/],
    ['bad.ndjson', '{"a":', /^Cannot read line 1 of \S+ as JSON: line 1 column 6 has the end$/],
    ['junk.pb', '\n\uffff', /^Cannot read \S+junk\.pb as PBLogData or PBRequest: /],
  ])('says what is wrong with %s', async (name, content, message) => {
    const file = content === undefined ? join(folder, name) : write(name, content)
    await expect(featuresOf(file)).rejects.toThrow(message)
  })
})

describe('eas fg', () => {
  const args = ['--import', 'tsx', join(import.meta.dirname, '../main.ts'), 'fg']
  const rows = write(
    'logged.ndjson',
    [
      '{"city":"abc","price":1.5,"generate_features":"city:33 | clicks:0.0 | price:1.50000001 | seen__price:0"}',
      '{"city":"abc","price":1.5,"generate_features":"city:34 | clicks:0 | price:1.5 | seen__price:0.0"}',
    ].join('\n'),
  )

  it('prints features', () => {
    const out = execFileSync(process.execPath, [...args, fgJson, rows, '--json'], { encoding: 'utf8' })
    expect(out.split('\n')[0]).toBe(
      '{"row":"1","features":{"city":"33","clicks":"0.0","price":"1.5","seen__price":"0.0"}}',
    )
  })

  it('diff takes items from a snapshot', () => {
    write('items/a.ndjson', '{"id":"i1","price":2.5,"tags":"shoes"}')
    const line = { user_features: { clicks: { shoes: 3 } }, item_ids: ['i1'] }
    const log = { generate_features: { i1: 'city: | clicks:3.0 | price:2.5 | seen__price:0.0' } }
    const request = write('request.ndjson', JSON.stringify({ ...line, ...log }))
    const more = ['--items', join(folder, 'items'), '--key', 'id', '--tolerance', '0']
    const { stdout, status } = spawnSync(process.execPath, [...args, 'diff', fgJson, request, ...more], {
      encoding: 'utf8',
    })
    expect([stdout, status]).toEqual(['1 rows of 4 features: 4 are the same\n', 0])
  })

  it('diff says which are not as they were logged, and fails', () => {
    const { stdout, status } = spawnSync(process.execPath, [...args, 'diff', fgJson, rows, '--limit', '2'], {
      encoding: 'utf8',
    })
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['2 rows of 4 features: 3 are the same'],
      [''],
      ['feature', 'same', 'reordered', 'different', 'not logged', 'first row', 'ours', 'logged'],
      ['city', '1', '0', '1', '0', '2', '33', '34'],
      [''],
    ])
    expect(status).toBe(1)
  })
})
