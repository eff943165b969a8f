import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFg, fgRequest, type InputColumn } from '@eas/fg'
import type { PBFeature } from '@eas/protocol'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { assets } from './assets.ts'
import { columnOf, vectors } from './vectors.ts'

const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8')

it('writes features as TorchEasyRec dumps them', async () => {
  const [vector] = vectors.filter(({ kind }) => kind === 'dump_format')
  const generator = await compileFg(vector?.feature_config)
  const inputs = Object.entries(vector?.inputs ?? {}).map(([name, column]) => [name, columnOf(column)] as const)
  const columns = new Map<string, InputColumn>(inputs)
  const generated = generator.generate({ rows: 3, column: ({ name }) => columns.get(name) })
  expect(generated.generateFeatures()).toEqual(vector?.expected)
})

describe('the side of features', () => {
  const layouts = vectors.filter(({ kind }) => kind === 'batch_layout')

  it.each(layouts)('is what TorchEasyRec tiles: $source', async (vector) => {
    const generator = await compileFg(vector.feature_config, { env: vector.env ?? {} })
    const user = generator.features.filter((feature) => feature.user).map(({ name }) => name)
    expect(user).toEqual(['f_tag_b', 'f_int_a', 'click_seq__f_cat_a', 'click_seq__f_int_a', 'click_seq__f_tag_b'])
    expect(generator.outputs.at(-1)).toEqual({ name: 'batch_size', dtype: 'int64', feature: undefined })
  })
})

describe('the demo export', async () => {
  const expected = JSON.parse(read('demo-export/expected.json'))
  type Cache = { readonly [id: string]: { readonly [field: string]: string | number | null } }
  const cache: Cache = expected.item_cache
  const entries = Object.values(cache)
  const ids = Object.keys(cache)
  const feature = (value: string | number | null | undefined): PBFeature | undefined => {
    if (typeof value === 'string') return { kind: 'string_feature', value }
    return typeof value === 'number' ? { kind: 'double_feature', value } : undefined
  }
  const request = fgRequest(
    {
      user_features: new Map([['user_id', { kind: 'string_feature', value: expected.user_features.user_id }]]),
      item_ids: expected.item_ids,
      context_features: new Map(),
    },
    {
      entriesOf: (wanted) => Int32Array.from(wanted, (id) => ids.indexOf(id)),
      column: (name) => ({ form: 'features', values: entries.map((entry) => feature(entry[name])) }),
    },
  )
  // The file's own inputs, since lengths are int32 there.
  const tensorTypes = new Map(['uid', 'iid', 'tags', 'uid_x_iid'].map((name) => [`${name}.lengths`, 'int32'] as const))
  const modelAcc = JSON.parse(read('demo-export/model_acc.json'))
  const generator = await compileFg(read('demo-export/fg.json'), { modelAcc, tensorTypes })
  const tensors = generator.generate(request).tensors()

  it('gives the tensors that the model was fed', () => {
    const inputs: { readonly [name: string]: { dtype: string; shape: number[]; data: unknown[] } } =
      expected.model_inputs
    expect([...tensors.keys()].sort()).toEqual(Object.keys(inputs).sort())
    for (const [name, { dtype, shape, data }] of Object.entries(inputs)) {
      const tensor = tensors.get(name)
      expect([name, tensor?.dtype, tensor?.shape]).toEqual([name, dtype, shape])
      const values = Array.from(tensor?.data as ArrayLike<number | bigint>, Number) // none of them is of texts
      expect(values).toEqual((data.flat() as number[]).map(Math.fround))
    }
  })

  it('goes to the session as it is', async () => {
    const session = await InferenceSession.create(join(import.meta.dirname, 'demo-export/model.onnx'))
    const feeds = [...tensors].map(([name, { dtype, data, shape }]) => [
      name,
      new Tensor(dtype as 'int64', data as BigInt64Array, shape), // names and arrays of dtypes are alike in both
    ])
    const fetches = await session.run(Object.fromEntries(feeds))
    for (const name of ['logits', 'probs']) {
      for (const [i, value] of Array.from(fetches[name]?.data as Float32Array).entries()) {
        expect(value).toBeCloseTo(expected.outputs[name][i], 6)
      }
    }
  })
})

describe('a document that TorchEasyRec wrote', () => {
  it.each(vectors.filter(({ kind }) => kind === 'fg_json'))('compiles: $source', async ({ expected }) => {
    const { features } = expected as unknown as { features: { features?: unknown[] }[] } // of this kind of record
    const words = new TextEncoder().encode('a\nb\n')
    // Names of files are those that an export gives them.
    const asset = (name: string) => (name.includes('tokenizer') ? assets('data/test/tokenizer.json') : words)
    const generator = await compileFg({ features }, { asset })
    const count = features.reduce((sum, feature) => sum + (feature.features?.length ?? 1), 0)
    expect(generator.features).toHaveLength(count)
  })
})
