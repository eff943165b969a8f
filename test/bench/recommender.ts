import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ItemCache, snapshotSource } from '@eas/feature-store'
import type { Processor } from '@eas/processor'
import { type PBFeature, type TorchrecRequest, torchrecPredict } from '@eas/protocol'
import { openRecommender } from '@eas/torcheasyrec'
import { type Graph, type Node, onnxModel, type Value } from '../support/onnx.ts'
import { processorOf } from '../support/processor.ts'
import { ask, recommender as service } from '../support/recommender.ts'
import { type Bench, roundsFromEnv } from './bench.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import { randomFloats, randomNumbers } from './messages.ts'

/** A ranking of 300 items by 100 features: 50 of the user, 40 of the item from the catalogue, 10 of both. */
const counts = { userIds: 30, userRaws: 20, itemIds: 30, itemRaws: 10, combos: 10 }
const dimension = 16
const buckets = 1000
const catalogueItems = 5000
const tiles = [0, 2, 3] as const
type Tile = (typeof tiles)[number]

/** What a request passes in the processor, and where its time goes. */
export const recommender: Bench = {
  name: 'recommender',
  summary:
    '300 items by 100 features from the catalogue: stages, the price of items with each INPUT_TILE, request logs',
  async run(report) {
    const folder = mkdtempSync(join(tmpdir(), 'eas-bench-recommender-'))
    const options = { rounds: roundsFromEnv(21), warmUps: 5 }
    let processor: Processor | undefined
    try {
      writeCatalogue(join(folder, 'items.ndjson'))
      for (const tile of tiles) writeModel(join(folder, `tile-${tile}`), tile)
      processor = await processorOf([
        ...tiles.map((tile) => ({ ...service(join(folder, `tile-${tile}`), {}, folder), name: `tile-${tile}` })),
        {
          ...service(join(folder, 'tile-3'), { request_log_path: join(folder, 'logs') }, folder),
          name: 'logged',
        },
      ])
      const served = processor
      const run = (name: string, items: number, debug_level = 0) => {
        const body = requestOf(items, debug_level)
        return async () => {
          const start = performance.now()
          const { status, text } = await ask(served, body, name)
          if (status !== 200) throw new Error(text)
          return performance.now() - start
        }
      }

      const requests = await interleave(
        {
          ...{ off: run('tile-0', 300), two: run('tile-2', 300), three: run('tile-3', 300) },
          ...{ offOne: run('tile-0', 1), twoOne: run('tile-2', 1), threeOne: run('tile-3', 1) },
        },
        options,
      )
      report.figure({
        figure: '300 items x 100 features, INPUT_TILE 3',
        value: median(requests.three),
        unit: 'ms',
        against: `${(1000 / median(requests.three)).toPrecision(3)} requests a second of one core; 1 item takes ${median(requests.threeOne).toPrecision(3)} ms`,
        goal: { max: 20 },
      })
      for (const [figure, many, one] of [
        ['INPUT_TILE off', requests.off, requests.offOne],
        ['INPUT_TILE 2', requests.two, requests.twoOne],
        ['INPUT_TILE 3', requests.three, requests.threeOne],
      ] as const) {
        const against = `1 item, ${median(one).toPrecision(3)} ms`
        const value = medianRatio(many, one)
        report.figure({ figure: `300 items with ${figure}`, value, unit: 'x', against, goal: { max: 60 } })
      }

      const stages = Object.entries(await stagesOf(join(folder, 'tile-3'), folder, options)).map(
        ([stage, samples]) => [stage, median(samples)] as const,
      )
      const around = stages.reduce((sum, [, ms]) => sum + ms, 0)
      for (const [stage, value] of [...stages, ['the model', median(requests.three) - around] as const]) {
        const against = 'the whole request, INPUT_TILE 3'
        report.figure({ figure: `of it ${stage}`, value, unit: 'ms', against, goal: { max: 10 } })
      }

      const burst = run('logged', 300, 100)
      // What is saved up for bursts is spent first: the price at full rate is what is asked for.
      for (let spent = 0; spent < 2000; ) spent += await burst()
      const logs = await interleave({ logged: burst, plain: run('logged', 300) }, options)
      report.figure({
        figure: 'debug_level 100 at full rate',
        value: medianRatio(logs.logged, logs.plain),
        unit: 'x',
        against: 'debug_level 0',
        goal: { max: 1.03 },
      })
    } finally {
      await processor?.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Milliseconds of what is done around the model. */
async function stagesOf(folder: string, items: string, options: { rounds: number; warmUps: number }) {
  const cache = new ItemCache(snapshotSource(items))
  await cache.refresh()
  const config = { outputs: [], item_empty_score: 0, faiss_neigh_num: 1, faiss_nprobe: 800, itemIdsMax: 10_000 }
  const { inputs, outputs } = graphOf(3)
  const model = {
    inputs: inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    outputs: outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
  }
  const opened = await openRecommender({ folder, model, config, env: {}, passThrough: new Map() })
  const body = requestOf(300, 0)
  const scores = new Map([['probs', { dtype: 'float32', shape: [300], data: new Float32Array(300) } as const]])
  const timed = (work: () => void) => {
    const start = performance.now()
    work()
    return performance.now() - start
  }
  const decode = () => torchrecPredict.decodeRequest(body)
  return interleave(
    {
      'decoding the message': () => timed(decode),
      'generating features': () => {
        const request = decode()
        return timed(() => opened.begin(request, model, cache.current()))
      },
      'writing the answer': () => {
        const recommendation = opened.begin(decode(), model, cache.current())
        return timed(() => torchrecPredict.encodeResponse(recommendation.finish(scores)))
      },
    },
    options,
  )
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const features = {
  userIds: names('user_id_', counts.userIds),
  userRaws: names('user_raw_', counts.userRaws),
  itemIds: names('item_id_', counts.itemIds),
  itemRaws: names('item_raw_', counts.itemRaws),
  combos: names('combo_', counts.combos),
}

function writeModel(folder: string, tile: Tile): void {
  const id = (side: string) => (name: string) => ({
    ...{ feature_type: 'id_feature', feature_name: name, expression: `${side}:${name}` },
    ...{ hash_bucket_size: buckets, default_value: '0', value_dim: 1 },
  })
  const raw = (side: string) => (name: string) => ({
    ...{ feature_type: 'raw_feature', feature_name: name, expression: `${side}:${name}`, default_value: '0' },
    normalizer: 'method=zscore,mean=0.5,standard_deviation=0.3',
  })
  const combo = (name: string, i: number) => ({
    ...{
      feature_type: 'combo_feature',
      feature_name: name,
      hash_bucket_size: buckets,
      default_value: '0',
      value_dim: 1,
    },
    expression: [`user:${features.userIds[i]}`, `item:${features.itemIds[i]}`],
  })
  const document = {
    features: [
      ...features.userIds.map(id('user')),
      ...features.userRaws.map(raw('user')),
      ...features.itemIds.map(id('item')),
      ...features.itemRaws.map(raw('item')),
      ...features.combos.map(combo),
    ],
  }
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content)
  mkdirSync(folder)
  write('fg.json', JSON.stringify(document))
  write('model_acc.json', JSON.stringify({ SPARSE_INT64: '1', ...(tile > 0 && { INPUT_TILE: String(tile) }) }))
  write('model.onnx', onnxModel(graphOf(tile)))
}

/** Embeddings of single ids and numbers side by side, and two layers. */
function graphOf(tile: Tile): Graph {
  const random = randomNumbers(3)
  const nodes: Node[] = []
  const inputs: Value[] = []
  const constants: NonNullable<Graph['constants']>[number][] = []
  const parts: string[] = []
  const isUser = (name: string) => name.startsWith('user_')
  if (tile > 0) {
    inputs.push({ name: 'batch_size', dtype: 'int64', shape: [] })
    constants.push({ name: 'one', dtype: 'int64', shape: [1], data: BigInt64Array.of(1n) })
    nodes.push({ op: 'Reshape', inputs: ['batch_size', 'one'], outputs: ['n'] })
    nodes.push({ op: 'Concat', inputs: ['n', 'one'], outputs: ['n_by_1'], attributes: { axis: { int: 0 } } })
  }
  const expand = (from: string, to: string) => {
    const out = `${from}_tiled`
    nodes.push({ op: 'Expand', inputs: [from, to], outputs: [out] })
    return out
  }
  for (const name of [...features.userIds, ...features.itemIds, ...features.combos]) {
    const rows = `rows_${tile > 0 && isUser(name)}`
    inputs.push({ name: `${name}.values`, dtype: 'int64', shape: [rows] })
    constants.push({
      ...{ name: `table_${name}`, dtype: 'float32', shape: [buckets, dimension] },
      data: randomFloats(buckets * dimension, random),
    })
    const ids = tile === 2 && isUser(name) ? expand(`${name}.values`, 'n') : `${name}.values`
    nodes.push({ op: 'Gather', inputs: [`table_${name}`, ids], outputs: [`embedded_${name}`] })
    parts.push(tile === 3 && isUser(name) ? expand(`embedded_${name}`, 'n_by_1') : `embedded_${name}`)
  }
  for (const name of [...features.userRaws, ...features.itemRaws]) {
    inputs.push({ name: `${name}.values`, dtype: 'float32', shape: [`rows_${tile > 0 && isUser(name)}`, 1] })
    parts.push(tile > 0 && isUser(name) ? expand(`${name}.values`, 'n_by_1') : `${name}.values`)
  }
  const width = (counts.userIds + counts.itemIds + counts.combos) * dimension + counts.userRaws + counts.itemRaws
  const layer = (from: string, rows: number, columns: number, to: string) => {
    const data = randomFloats(rows * columns, random).map((value) => value / rows)
    constants.push({ name: `weights_${to}`, dtype: 'float32', shape: [rows, columns], data })
    nodes.push({ op: 'MatMul', inputs: [from, `weights_${to}`], outputs: [to] })
  }
  nodes.push({ op: 'Concat', inputs: parts, outputs: ['wide'], attributes: { axis: { int: 1 } } })
  layer('wide', width, 128, 'first')
  nodes.push({ op: 'Relu', inputs: ['first'], outputs: ['hidden'] })
  layer('hidden', 128, 1, 'logits')
  nodes.push({ op: 'Sigmoid', inputs: ['logits'], outputs: ['probs'] })
  return { nodes, inputs, outputs: [{ name: 'probs', dtype: 'float32', shape: ['items', 1] }], constants }
}

function writeCatalogue(path: string): void {
  const random = randomNumbers(5)
  const lines = Array.from({ length: catalogueItems }, (_, i) => {
    const ids = features.itemIds.map((name) => [name, `value_${Math.floor(random() * 5000)}`])
    const raws = features.itemRaws.map((name) => [name, Math.round(random() * 1e4) / 1e4])
    return JSON.stringify({ item_id: `item_${i}`, ...Object.fromEntries([...ids, ...raws]) })
  })
  writeFileSync(path, `${lines.join('\n')}\n`)
}

function requestOf(items: number, debug_level: number): Uint8Array {
  const random = randomNumbers(7)
  const request: TorchrecRequest = {
    debug_level,
    user_features: new Map<string, PBFeature>([
      ...features.userIds.map((name): [string, PBFeature] => [name, { kind: 'string_feature', value: `v${random()}` }]),
      ...features.userRaws.map((name): [string, PBFeature] => [name, { kind: 'double_feature', value: random() }]),
    ]),
    item_ids: Array.from({ length: items }, () => `item_${Math.floor(random() * catalogueItems)}`),
    context_features: new Map(),
    faiss_neigh_num: 0,
    item_features: new Map(),
    meta_data: new Map([['request_id', 'bench']]),
  }
  return torchrecPredict.encodeRequest(request)
}
