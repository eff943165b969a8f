import { compileFg, type FeatureGenerator, FgConfigError, type FgRequest, type InputColumn } from '@eas/fg'
import type { PBFeature } from '@eas/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** Laws of generated features, over generated documents and requests. A feature's rows are compared as text. */

type Row = { readonly [column: string]: PBFeature | undefined }
type Columns = ReadonlyMap<string, readonly (PBFeature | undefined)[]>

const words = ['a', 'b', 'c', '1', '2', '30', 'ü', '日本', 'x y', '0.5', '-7', '__proto__']
const word = fc.constantFrom(...words)
const number = fc.constantFrom(0, 1, -2.5, 3, 0.1, 1e9, 30)
const separated = (item: fc.Arbitrary<string | number>, separator: string) =>
  fc.array(item, { maxLength: 4 }).map((items) => items.join(separator))
const text = (value: fc.Arbitrary<string>) => value.map((value): PBFeature => ({ kind: 'string_feature', value }))
const missing = fc.constantFrom<PBFeature | undefined>(undefined, { kind: undefined, value: undefined })
const pairs = fc.array(fc.tuple(word, number), { maxLength: 4 })

/** What columns hold, by the letter their names begin with. */
const cells = {
  /** Texts, several to a cell. */
  t: fc.oneof(
    missing,
    text(separated(word, '\u001d')),
    fc.array(word, { maxLength: 3 }).map((value): PBFeature => ({ kind: 'string_list', value })),
    fc.constantFrom(1n, -5n, 2n ** 60n).map((value): PBFeature => ({ kind: 'long_feature', value })),
  ),
  /** Numbers. */
  n: fc.oneof(
    missing,
    text(separated(number, '\u001d')),
    number.map((value): PBFeature => ({ kind: 'double_feature', value })),
    fc.array(number, { maxLength: 3 }).map((v): PBFeature => ({ kind: 'float_list', value: Float32Array.from(v) })),
  ),
  /** Tables. */
  m: fc.oneof(
    missing,
    text(pairs.map((list) => list.map(([k, v]) => `${k}:${v}`).join('\u001d'))),
    pairs.map((list): PBFeature => ({ kind: 'string_double_map', value: new Map(list) })),
  ),
  /** Tables of tables. */
  k: fc.oneof(
    missing,
    text(
      fc
        .array(fc.tuple(word, pairs), { maxLength: 3 })
        .map((list) => list.map(([k, inner]) => `${k}^${inner.map(([s, v]) => `${s}:${v}`).join(',')}`).join('|')),
    ),
  ),
  /** Sequences. */
  s: fc.oneof(
    missing,
    text(separated(fc.oneof(word, fc.constant(''), fc.constant('a\u001db')), ';')),
    fc.array(word, { maxLength: 4 }).map((value): PBFeature => ({ kind: 'string_list', value })),
  ),
} as const

const inputs = ['t1', 't2', 'n1', 'n2', 'm1', 'm2', 'k1', 's1'] as const
const columnNames = [...inputs.map((name) => `u_${name}`), ...inputs.map((name) => `i_${name}`)]
const cellOf = (column: string) => cells[column.charAt(2) as keyof typeof cells] // names are made of these letters
const rowOf = (columns: readonly string[]) => fc.record(Object.fromEntries(columns.map((name) => [name, cellOf(name)])))
const userRow = rowOf(columnNames.filter((name) => name.startsWith('u_')))
const itemRow = rowOf(columnNames.filter((name) => name.startsWith('i_')))

const reference = (name: string) => fc.constantFrom(`user:u_${name}`, `item:i_${name}`)
const idsOfTexts: readonly object[] = [
  { hash_bucket_size: 100 },
  { hash_bucket_size: '9223372036854775807' },
  { vocab_list: ['', '<OOV>', 'a', 'b', 'a'] },
  { vocab_dict: { a: 3, 日本: 4, __proto__: 1 }, default_bucketize_value: 2 },
]
const ids = fc.constantFrom<object>(...idsOfTexts, { num_buckets: 50 })
const bins = fc.constantFrom<object>({}, { boundaries: [-1, 0, 0.1, 5] })
const common = fc.record({
  default_value: fc.constantFrom('', '0', '2'),
  value_dim: fc.constantFrom(0, 1, 2),
})

/** Features of every kind, without their names. */
const feature: fc.Arbitrary<object> = fc
  .oneof(
    fc.record({ feature_type: fc.constant('id_feature'), expression: reference('t1'), need_prefix: fc.boolean(), ids }),
    fc.record({ feature_type: fc.constant('id_feature'), expression: reference('m1'), weighted: fc.boolean(), ids }),
    fc.record({
      feature_type: fc.constant('raw_feature'),
      expression: reference('n1'),
      normalizer: fc.constantFrom('', 'method=log10', 'method=expression,expr=min(x,2)'),
      bins,
    }),
    fc.record({
      feature_type: fc.constant('combo_feature'),
      expression: fc.tuple(reference('t1'), reference('t2')),
      ids: fc.constantFrom(...idsOfTexts),
    }),
    fc.record({
      feature_type: fc.constant('lookup_feature'),
      map: reference('m1'),
      key: reference('t1'),
      combiner: fc.constantFrom('sum', 'mean', 'max', 'count', ''),
      bins,
    }),
    fc.record({
      feature_type: fc.constant('lookup_feature'),
      map: reference('m1'),
      key: reference('t1'),
      needDiscrete: fc.constant(true),
      needKey: fc.boolean(),
      ids,
    }),
    fc.record({
      feature_type: fc.constant('match_feature'),
      user: reference('k1'),
      category: fc.oneof(reference('t1'), fc.constant('ALL')),
      item: reference('t2'),
      matchType: fc.constantFrom('hit', 'multihit'),
      bins,
    }),
    fc.record({
      feature_type: fc.constant('expr_feature'),
      variables: fc.constant(['user:u_n1', 'item:i_n2']),
      expression: fc.constantFrom('u_n1+i_n2', 'u_n1 > i_n2 ? 1 : 0', 'max(u_n1, 1)'),
      bins,
    }),
    fc.record({
      feature_type: fc.constant('overlap_feature'),
      query: reference('t1'),
      title: reference('t2'),
      method: fc.constantFrom(
        'query_common_ratio',
        'is_contain',
        'index_of',
        'proximity_min_cover',
        'proximity_avg_dist',
      ),
      bins,
    }),
    fc.record({ feature_type: fc.constant('kv_dot_product'), query: reference('m1'), document: reference('m2'), bins }),
    fc.record({
      feature_type: fc.constant('bool_mask_feature'),
      expression: fc.tuple(reference('t1'), reference('t2')),
      ids: fc.constantFrom(...idsOfTexts),
    }),
    fc.record({
      feature_type: fc.constant('combine_feature'),
      expression: reference('t1'),
      combiner: fc.constantFrom('sum', 'min', ''),
      value_map: fc.constant({ a: 1, b: 2.5 }),
      bins,
    }),
    fc.record({
      feature_type: fc.constant('sequence_id_feature'),
      expression: reference('s1'),
      sequence_length: fc.nat(3),
      ids,
    }),
    fc.record({
      feature_type: fc.constant('sequence_lookup_feature'),
      map: fc.constant('user:u_m1'),
      key: fc.constant('item:i_s1'),
      bins,
    }),
    fc.record({
      feature_type: fc.constant('custom_feature'),
      operator_name: fc.constant('EditDistance'),
      expression: fc.tuple(reference('t1'), reference('t2')),
      bins,
    }),
  )
  .chain((record) => common.map((extra) => ({ ...extra, ...flattened(record) })))

/** `ids` and `bins` hold keys of the feature. */
function flattened(record: object): object {
  const { ids: idKeys, bins: binKeys, ...rest } = record as { ids?: object; bins?: object } // fields of the records above
  return { ...rest, ...idKeys, ...binKeys }
}

const documents = fc
  .array(feature, { minLength: 1, maxLength: 5 })
  .map((features) => ({
    features: [
      ...features.map((keys, i) => ({ feature_name: `f${i}`, ...keys })),
      // One that reads another, whatever it is.
      {
        feature_name: 'reader',
        feature_type: 'id_feature',
        expression: 'feature:f0',
        value_dim: 0,
        hash_bucket_size: 50,
      },
    ],
  }))
  .map((document) => JSON.stringify(document))

const requestOf = (columns: Columns, rows: number): FgRequest => ({
  rows,
  column({ name }): InputColumn | undefined {
    const values = columns.get(name)
    return values && { form: 'features', values }
  },
})

/** Every column with a row per item; the user's are repeated. */
function columnsOf(user: Row, items: readonly Row[], repeated: boolean): Columns {
  const columns = new Map<string, (PBFeature | undefined)[]>()
  for (const name of columnNames) {
    if (name.startsWith('u_')) columns.set(name, repeated ? items.map(() => user[name]) : [user[name]])
    else
      columns.set(
        name,
        items.map((item) => item[name]),
      )
  }
  return columns
}

function rowsOf(generator: FeatureGenerator, user: Row, items: readonly Row[], repeated = false): string[] {
  return generator.generate(requestOf(columnsOf(user, items, repeated), items.length)).generateFeatures()
}

const cases = fc.record({
  document: documents,
  user: userRow,
  items: fc.array(itemRow, { minLength: 1, maxLength: 5 }),
})
const runs = { numRuns: 60 }

describe('generated features', () => {
  it('keep the order of rows, and no row depends on another', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.infiniteStream(fc.nat()), async ({ document, user, items }, random) => {
        const generator = await compileFg(document)
        const rows = rowsOf(generator, user, items)
        expect(items.map((item) => rowsOf(generator, user, [item])[0])).toEqual(rows)
        const order = items.map((_, i) => [random.next().value as number, i] as const).sort(([a], [b]) => a - b)
        const shuffled = order.map(([, i]) => items[i] ?? {})
        expect(rowsOf(generator, user, shuffled)).toEqual(order.map(([, i]) => rows[i]))
      }),
      runs,
    )
  })

  it('are those of the user repeated for every item', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ document, user, items }) => {
        const generator = await compileFg(document)
        expect(rowsOf(generator, user, items, true)).toEqual(rowsOf(generator, user, items))
        const tensors = generator.generate(requestOf(columnsOf(user, items, false), items.length)).tensors()
        const repeated = generator.generate(requestOf(columnsOf(user, items, true), items.length)).tensors()
        expect(tensors).toEqual(repeated)
      }),
      runs,
    )
  })

  it('have one row of the user when the model tiles its input, and are the same otherwise', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ document, user, items }) => {
        const plain = await compileFg(document)
        const tiled = await compileFg(document, { modelAcc: { INPUT_TILE: '3' } })
        const request = requestOf(columnsOf(user, items, false), items.length)
        const tensors = tiled.generate(request).tensors()
        const one = plain.generate(requestOf(columnsOf(user, items.slice(0, 1), false), 1)).tensors()
        const all = plain.generate(request).tensors()
        expect(tensors.get('batch_size')?.data).toEqual(BigInt64Array.of(BigInt(items.length)))
        for (const { name, feature } of plain.outputs) {
          const isUser = tiled.features.find((f) => f.name === feature)?.user
          expect(tensors.get(name)).toEqual((isUser ? one : all).get(name))
        }
      }),
      runs,
    )
  })

  it('do not depend on the order of the document', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ document, user, items }) => {
        const reversed = JSON.stringify({ features: JSON.parse(document).features.reverse() })
        const request = requestOf(columnsOf(user, items, false), items.length)
        const tensors = (await compileFg(document)).generate(request).tensors()
        const others = (await compileFg(reversed)).generate(request).tensors()
        expect([...others].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(
          [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      }),
      runs,
    )
  })

  it('have as many values as their lengths say, in the types that are announced', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ document, user, items }) => {
        const generator = await compileFg(document, { modelAcc: { SPARSE_INT64: '1' } })
        const tensors = generator.generate(requestOf(columnsOf(user, items, false), items.length)).tensors()
        expect([...tensors].map(([name, { dtype }]) => [name, dtype])).toEqual(
          generator.outputs.map(({ name, dtype }) => [name, dtype]),
        )
        const total = (name: string): number =>
          Array.from((tensors.get(name)?.data ?? []) as ArrayLike<bigint>, Number).reduce((a, b) => a + b, 0)
        for (const { name, kind, sequence, value_dim, weighted } of generator.features) {
          const values = tensors.get(`${name}.values`)
          expect(tensors.get(`${name}.${sequence || kind !== 'dense' ? 'lengths' : 'values'}`)?.shape[0]).toBe(
            items.length,
          )
          if (kind === 'dense' || sequence) continue
          expect(values?.shape).toEqual([total(`${name}.lengths`)])
          if (weighted) expect(tensors.get(`${name}.weights`)?.shape).toEqual(values?.shape)
          expect(value_dim).toBeGreaterThanOrEqual(0)
        }
      }),
      runs,
    )
  })
})

describe('forms of one input', () => {
  const generate = async (keys: object, column: PBFeature) => {
    const generator = await compileFg({ features: [{ feature_name: 'f', ...keys }] })
    const { rows, columns } = {
      rows: 1,
      columns: new Map([
        ['x', [column]],
        ['k', [listOf(['a', 'b'])]],
      ]),
    }
    return generator.generate(requestOf(columns, rows)).tensors()
  }
  const listOf = (value: string[]): PBFeature => ({ kind: 'string_list', value })
  const joined = (values: readonly (string | number)[], separator: string): PBFeature => ({
    kind: 'string_feature',
    value: values.join(separator),
  })
  const plainWord = fc.constantFrom('a', 'b', 'ü', '17')

  it('texts and lists agree', async () => {
    const keys = { feature_type: 'id_feature', expression: 'user:x', hash_bucket_size: 1000, value_dim: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(plainWord, { maxLength: 5 }), async (list) => {
        expect(await generate(keys, joined(list, '\u001d'))).toEqual(await generate(keys, listOf(list)))
      }),
      runs,
    )
  })

  it('texts, lists of numbers and nested lists agree', async () => {
    const keys = { feature_type: 'raw_feature', expression: 'user:x', value_dim: 0, boundaries: [0, 1] }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 5 }), async (list) => {
        const wanted = await generate(keys, joined(list, '\u001d'))
        expect(await generate(keys, { kind: 'int_list', value: Int32Array.from(list) })).toEqual(wanted)
        expect(await generate(keys, { kind: 'long_list', value: BigInt64Array.from(list, BigInt) })).toEqual(wanted)
        expect(await generate(keys, { kind: 'double_lists', value: [Float64Array.from(list)] })).toEqual(wanted)
      }),
      runs,
    )
  })

  it('sequences of texts and of lists agree', async () => {
    const keys = { feature_type: 'sequence_id_feature', expression: 'user:x', hash_bucket_size: 99, sequence_length: 3 }
    await fc.assert(
      fc.asyncProperty(fc.array(plainWord, { maxLength: 5 }), async (list) => {
        const wanted = await generate(keys, joined(list, ';'))
        expect(await generate(keys, listOf(list))).toEqual(wanted)
        expect(await generate(keys, { kind: 'string_lists', value: list.map((item) => [item]) })).toEqual(wanted)
      }),
      runs,
    )
  })

  it.each([
    { feature_type: 'lookup_feature', map: 'user:x', key: 'user:k' },
    { feature_type: 'kv_dot_product', query: 'user:x', document: 'user:k', separator: '\u001d' },
    { feature_type: 'id_feature', expression: 'user:x', weighted: true, hash_bucket_size: 100, value_dim: 0 },
  ])('texts and maps agree in $feature_type', async (keys) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(plainWord, fc.integer({ min: 0, max: 99 })), { maxLength: 5 }),
        async (list) => {
          const map = new Map(list)
          const entries = [...map].map(([k, v]) => `${k}:${v}`)
          const wanted = await generate(keys, joined(entries, '\u001d'))
          expect(await generate(keys, { kind: 'string_int_map', value: map })).toEqual(wanted)
          expect(await generate(keys, listOf(entries))).toEqual(wanted)
        },
      ),
      runs,
    )
  })
})

describe('any document', () => {
  it('compiles or is refused as an FgConfigError', async () => {
    const value = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom<unknown>(
          'id_feature',
          'raw_feature',
          'sequence_id_feature',
          'expr_feature',
          'user:x',
        ),
      },
      fc.jsonValue({ maxDepth: 2 }),
    )
    const keys = [
      'feature_type',
      'feature_name',
      'expression',
      'default_value',
      'value_dim',
      'boundaries',
      'vocab_dict',
    ]
    const anyFeature = fc.dictionary(fc.constantFrom(...keys, 'hash_bucket_size', 'variables', '__proto__'), value)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.jsonValue(),
          fc.array(anyFeature).map((features) => ({ features })),
        ),
        async (json) => {
          try {
            const generator = await compileFg(JSON.stringify(json))
            expect(generator.generate({ rows: 2, column: () => undefined }).tensors().size).toBe(
              generator.outputs.length,
            )
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(FgConfigError)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
