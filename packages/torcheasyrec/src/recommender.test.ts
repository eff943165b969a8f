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
})
