import { compileFg, type FeatureGenerator, type Generated } from '@eas/fg'
import { describe, expect, it } from 'vitest'
import { assets } from './assets.ts'
import { columnOf, type ExpectedFeature, type FgVector, vectors } from './vectors.ts'

const nameOf = (vector: FgVector): string => vector.source.split('::').at(-1) ?? vector.source

async function run(vector: FgVector): Promise<{ generator: FeatureGenerator; generated: Generated }> {
  const generator = await compileFg(vector.feature_config, {
    env: vector.env ?? {},
    asset: (name) => assets(name),
    bucketizeOnly: vector.bucketize_only === true,
  })
  const columns = new Map(Object.entries(vector.inputs ?? {}).map(([name, column]) => [name, columnOf(column)]))
  const rows = Math.max(1, ...Object.values(vector.inputs ?? {}).map(({ data }) => data.length))
  const generated = generator.generate({ rows, column: ({ name }) => columns.get(name) })
  return { generator, generated }
}

/** Ids in a row may come in any order where the record says so. */
function check(generated: Generated, name: string, expected: ExpectedFeature, unordered: boolean): void {
  const tensors = generated.tensors()
  const values = tensors.get(`${name}.values`)
  const lengths = tensors.get(`${name}.lengths`)
  expect(values, `${name} is made`).toBeDefined()
  if (expected.dense) {
    expect(values?.shape).toEqual([expected.dense.length, expected.dense[0]?.length])
    const flat = Array.from(values?.data as Float32Array)
    for (const [i, value] of expected.dense.flat().entries()) {
      expect(Math.abs((flat[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(2 ** -23 * Math.abs(value))
    }
  }
  if (expected.values) {
    const ids = Array.from(values?.data as BigInt64Array, Number)
    const weights = Array.from((tensors.get(`${name}.weights`)?.data ?? []) as Float32Array)
    const pairs = ids.map((id, i) => [id, Math.fround(weights[i] ?? 1)])
    const wanted = expected.values.map((id, i) => [id, Math.fround(expected.weights?.[i] ?? 1)])
    if (unordered) for (const list of [pairs, wanted]) list.sort()
    expect(pairs).toEqual(wanted)
  }
  if (expected.lengths) expect(Array.from(lengths?.data as Int32Array, Number)).toEqual(expected.lengths)
  if (expected.key_lengths) {
    const offsets = generated.value(name)?.after.offsets ?? []
    expect(
      Array.from(offsets)
        .slice(1)
        .map((end, i) => end - (offsets[i] ?? 0)),
    ).toEqual(expected.key_lengths)
  }
}

const ofKind = (kind: string) =>
  vectors.filter((vector) => vector.kind === kind).map((vector) => [nameOf(vector), vector] as const)

describe('generated features', () => {
  it.each(ofKind('fg'))('%s', async (_name, vector) => {
    const { generated } = await run(vector)
    for (const [name, expected] of Object.entries(vector.expected)) {
      check(generated, name, expected, vector.unordered_within_row === true)
    }
  })
})

describe('the value of a missing input', () => {
  it.each(ofKind('fg_default'))('%s', async (_name, vector) => {
    const { generated } = await run(vector)
    for (const [name, { fg_encoded_default: expected }] of Object.entries(vector.expected)) {
      const values = Array.from(generated.tensors().get(`${name}.values`)?.data as ArrayLike<number | bigint>, Number)
      const wanted =
        expected === null || expected === undefined ? [] : typeof expected === 'number' ? [expected] : expected
      expect(values).toEqual(wanted.map(Math.fround))
    }
  })
})
