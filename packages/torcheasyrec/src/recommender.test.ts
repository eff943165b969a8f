import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { torchrecPredict } from '@eas/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import { openRecommender, type RecommenderOptions } from './recommender.ts'

const root = join(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'eas-export-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A copy of an export with one file changed. */
function exportWith(name: string, content: string, from = 'packages/cli/examples/recommender/model'): string {
  const path = mkdtempSync(join(folder, 'model-'))
  cpSync(join(root, from), path, { recursive: true })
  writeFileSync(join(path, name), content)
  return path
}

const options = (path: string): RecommenderOptions => ({
  folder: path,
  model: { inputs: [], outputs: [] },
  config: { outputs: [], item_empty_score: 0, faiss_neigh_num: 1, faiss_nprobe: 800, itemIdsMax: 100 },
  env: {},
  passThrough: new Map(),
})
const fg = (feature: object) => JSON.stringify({ features: [{ feature_name: 'f', expression: 'user:f', ...feature }] })
const noRequest = torchrecPredict.decodeRequest(new Uint8Array())
const distributed = 'test/golden/recommender/distributed'

describe('openRecommender()', () => {
  it.each([
    ['fg.json', '{', /fg\.json/],
    ['fg.json', '{"features": 3}', /Cannot load the model: Cannot compile fg\.json/],
    ['fg.json', fg({ feature_type: 'bm25_feature' }), /bm25_feature/],
    [
      'fg.json',
      fg({ feature_type: 'id_feature', vocab_file: '../../secret' }),
      /secret is outside of the model's folder/,
    ],
    [
      'fg.json',
      fg({ feature_type: 'id_feature', vocab_file: '/etc/passwd' }),
      /passwd is outside of the model's folder/,
    ],
    ['model_acc.json', '[]', 'Cannot load the model: model_acc.json is not an object'],
    ['model_acc.json', '{"INPUT', 'Cannot load the model: model_acc.json is not JSON'],
  ])('says what is wrong with %s %s', async (name, content, message) => {
    await expect(openRecommender(options(exportWith(name, content)))).rejects.toThrow(message)
    await expect(openRecommender(options(exportWith(name, content)))).rejects.toMatchObject({ code: 'not_ready' })
  })

  it.each([
    ['id_mapping', 'i0\ni1\n', 'id_mapping has 2 lines for the'],
    ['faiss_index', 'IxSQ'.padEnd(100), 'it is IndexScalarQuantizer (IxSQ)'],
    ['faiss_index', 'IxFI', 'Cannot read FAISS index: '],
  ])('says what is wrong with %s of a match model: %j', async (name, content, message) => {
    const path = join(exportWith(name, content, 'test/golden/recommender/recall'), 'user')
    await expect(openRecommender(options(path))).rejects.toThrow('Cannot load the model: ')
    await expect(openRecommender(options(path))).rejects.toThrow(message)
  })

  it.each([
    ['dense_meta.json', '3', 'dense_meta.json is not an object'],
    ['dense_meta.json', '{"x": 3}', 'x of dense_meta.json is no list of names'],
    ['sparse/sparse_features.json', '{"a__ebc": {"embedding_name": "t"}}', 'a__ebc is of table t, which is not there'],
    ['sparse/sparse_embedding.json', '{"t": {"dimension": 0}}', 'table t has no dimension'],
    ['sparse/sparse_embedding.json', '{"t": {"dimension": 8}}', 'no .npz file of sparse/ has t'],
    ['sparse/sparse_embedding.json', '{"t": {"dimension": 8, "quant": "INT2"}}', 'table t is quantized as INT2'],
    ['sparse/sparse_embeddings-00-of-01.npz', 'PK', 'is not a .npz file'],
  ])('says what is wrong with %s %s', async (name, content, message) => {
    const path = exportWith(name, content, distributed)
    await expect(openRecommender(options(path))).rejects.toThrow(`Cannot load the model: `)
    await expect(openRecommender(options(path))).rejects.toThrow(message)
  })

  it.each([
    ['packages/cli/examples/recommender/model', ['probs_ctr']],
    ['test/golden/recommender/recall/user', []],
  ])('makes the tensors of a request to %s while nothing is known of the model', async (path, outputs) => {
    const { config, ...rest } = options(join(root, path))
    const recommender = await openRecommender({ ...rest, config: { ...config, outputs } })
    const request = { ...noRequest, item_ids: ['a', 'b'] }
    const begun = recommender.begin(request, undefined, undefined)
    expect(begun.allInputs().size).toBe(recommender.generator.outputs.length)
    expect(begun.fetches).toEqual([])
  })

  it('says that there is no fg.json', async () => {
    await expect(openRecommender(options(folder))).rejects.toThrow(
      'Cannot load the model: there is no fg.json beside it; with fg_mode bypass it needs none',
    )
  })

  it('takes INPUT_TILE from the environment only where there is no model_acc.json and the model takes batch_size', async () => {
    const env = { INPUT_TILE: '3' }
    const tiles = async (path: string, ...inputs: string[]) => {
      const model = { inputs: inputs.map((name) => ({ name, dtype: undefined, shape: undefined })), outputs: [] }
      return (await openRecommender({ ...options(path), env, model })).generator.inputTile
    }
    const without = exportWith('model_acc.json', '')
    rmSync(join(without, 'model_acc.json'))
    expect(await tiles(without, 'batch_size', 'age.values')).toBe(3)
    expect(await tiles(without, 'age.values')).toBe(0)
    expect(await tiles(exportWith('model_acc.json', '{}'), 'batch_size')).toBe(0)
    expect(await tiles(exportWith('model_acc.json', '{"INPUT_TILE": "2"}'), 'age.values')).toBe(2)
  })

  it('says which inputs of the model no feature is for', async () => {
    const model = { inputs: ['age.values', 'nobody.values'].map(input), outputs: [] }
    const path = join(root, 'packages/cli/examples/recommender/model')
    await expect(openRecommender({ ...options(path), model })).rejects.toThrow(
      'Cannot load the model: it takes nobody.values, and fg.json has no feature for that',
    )
  })
})

const input = (name: string) => ({ name, dtype: undefined, shape: undefined })
const text = (value: string) => ({ kind: 'string_feature', value }) as const
const raw = (name: string, expression: string) => ({ feature_type: 'raw_feature', feature_name: name, expression })
const group = (sequence_name: string, sequence_length: number, ...features: object[]) => ({
  sequence_name,
  sequence_length,
  sequence_delim: ';',
  features,
})

describe('a model of the user alone', () => {
  const document = { features: [raw('age', 'user:age'), group('click', 2, raw('price', 'item:price'))] }
  const open = () => openRecommender(options(exportWith('fg.json', JSON.stringify(document))))

  it.each([[[]], [['a', 'b', 'c']]])(
    'computes one row for items %j, sequences of items among its features',
    async (item_ids) => {
      const recommender = await open()
      expect(recommender.needsItems).toBe(false)
      const user_features = new Map([['click', text('x;y')]])
      const io = { inputs: ['age.values', 'click__price.values'].map(input), outputs: [input('user_tower_emb')] }
      const begun = recommender.begin({ ...noRequest, item_ids, user_features }, io, undefined)
      expect(begun.fetches).toEqual(['user_tower_emb'])
      expect(begun.feeds.get('age.values')?.shape).toEqual([1, 1])
      expect(begun.feeds.get('click__price.values')?.shape).toEqual([2, 1])
      const embedding = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) } as const
      const answer = begun.finish(new Map([['user_tower_emb', embedding]]))
      const rows = Math.max(1, item_ids.length)
      expect(answer.map_outputs.get('user_tower_emb')?.shape).toEqual([rows, 2])
    },
  )

  it('misses a field that no item of the sequence has', async () => {
    const user_features = new Map([['click', text('x;y')]])
    const begun = (await open()).begin({ ...noRequest, user_features }, undefined, undefined)
    expect(begun.missing()).toEqual(['user:age', 'item:click__price'])
  })

  it('asks for the items of those steps that it keeps', async () => {
    const user_features = new Map([['click', text('x;;y;z')]])
    expect((await open()).itemIds({ ...noRequest, item_ids: ['a'], user_features })).toEqual(['a', 'x'])
  })
})

// As TorchEasyRec exports dlrm_hstu and ultra_hstu: cand_seq_pk in model_acc.json.
describe('a model whose candidates are a sequence', () => {
  const document = {
    features: [
      raw('age', 'user:age'),
      group('cand', 8000, raw('price', 'item:price'), raw('time', 'context:time')),
      group('click', 100, raw('price', 'item:price')),
    ],
  }
  const outputs = ['probs_is_click', '__TARGET_REPEAT_INTERLEAVE_KEY__'].map(input)
  const times = (...values: number[]) =>
    new Map([['time', values.map((value) => ({ kind: 'float_feature', value }) as const)]])
  const open = async () => {
    const path = exportWith('model_acc.json', '{"cand_seq_pk": "cand", "SPARSE_INT64": "1"}')
    writeFileSync(join(path, 'fg.json'), JSON.stringify(document))
    return openRecommender(options(path))
  }

  it('is given one user with all candidates, and answers with a score of each', async () => {
    const recommender = await open()
    expect(recommender.needsItems).toBe(true)
    const names = ['age.values', 'cand__time.values', 'cand__price.lengths', 'click__price.lengths']
    const user_features = new Map([['click', text('x;y')]])
    const request = { ...noRequest, item_ids: ['a', 'b', 'c'], user_features, context_features: times(7, 8, 9) }
    const begun = recommender.begin(request, { inputs: names.map(input), outputs }, undefined)
    const feeds = names.map((name) => Array.from(begun.feeds.get(name)?.data as ArrayLike<number>))
    expect(feeds).toEqual([[0], [7, 8, 9], [3], [2]])
    expect(begun.fetches).toEqual(['probs_is_click'])
    const scores = { dtype: 'float32', shape: [3], data: Float32Array.of(0.1, 0.2, 0.3) } as const
    expect(begun.finish(new Map([['probs_is_click', scores]])).map_outputs.get('probs_is_click')).toEqual(scores)
  })

  it('names a list of another length than item_ids', async () => {
    const request = { ...noRequest, item_ids: ['a', 'b', 'c'], context_features: times(7, 8) }
    const recommender = await open()
    expect(() => recommender.begin(request, { inputs: [], outputs }, undefined)).toThrow(
      'Cannot use context_features["time"]: it has 2 values for 3 item_ids',
    )
  })
})
