import { join } from 'node:path'
import { EasError, type Tensor } from '@eas/base'
import { importFrozenGraph, importSavedModel, type ModelDirectory, runPrologue } from '@eas/import-savedmodel'
import { encodeMessage, ImportRefusal, joinChunks, sourceOf } from '@eas/onnx'
import { describe, expect, it } from 'vitest'
import { crc32c, masked } from '../../packages/import-savedmodel/src/crc32c.ts'
import {
  bundleEntryType,
  bundleHeaderType,
  graphType,
  savedModelType,
} from '../../packages/import-savedmodel/src/messages.ts'
import { goldenModel } from '../differential/tensorflow/golden-cases.ts'
import { directoryOf } from '../differential/tensorflow/lower-case.ts'

/**
 * Damaged and hostile models give a model or an ImportRefusal, in bounded time and memory. Everything is drawn from a seed;
 * `EAS_FULL=1` takes ten times as many, and graphs of a million nodes instead of twenty thousand.
 */
const full = process.env.EAS_FULL === '1'
const zoo = join(import.meta.dirname, '../differential/tensorflow/golden/zoo')
/** What one small model may take on a busy machine; sound ones take a few milliseconds. */
const msMax = 20_000

/** @see https://prng.di.unimi.it/splitmix64.c, 32 bits of it */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return Math.floor((((z ^ (z >>> 15)) >>> 0) / 2 ** 32) * below)
  }
}

/** @throws Whatever is neither a model nor a refusal. */
async function outcome(attempt: Promise<unknown>): Promise<'lowered' | 'refused'> {
  const start = performance.now()
  try {
    await attempt
    return 'lowered'
  } catch (error) {
    if (!(error instanceof ImportRefusal)) throw error
    expect(error.message.length).toBeLessThan(20_000)
    return 'refused'
  } finally {
    expect(performance.now() - start).toBeLessThan(msMax)
  }
}

const models = ['dense', 'k2_columns', 'v1_tables', 'v1_dynamic_rnn', 'deepfm', 'tf2_control'].map((name) => ({
  name,
  model: goldenModel(join(zoo, `${name}.json.gz`)),
}))

function damaged(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const kind = random(4)
  if (kind === 0) return bytes.slice(0, random(bytes.length))
  const copy = bytes.slice()
  if (kind === 3) {
    const from = random(copy.length)
    copy.copyWithin(random(copy.length), from, from + random(64))
    return copy
  }
  for (let i = random(kind === 1 ? 1 : 32); i >= 0; i--) copy[random(copy.length)] = random(256)
  return copy
}

describe.each(models)('a damaged $name', ({ name, model }) => {
  it.each(['saved_model.pb', 'variables/variables.index'])('%s gives a model or a refusal', async (file) => {
    const bytes = model.files.get(file) ?? new Uint8Array()
    const random = generator(name.length * 131 + file.length)
    const seen = { lowered: 0, refused: 0 }
    for (let i = full ? 2000 : 60; i > 0; i--) {
      const files = new Map(model.files).set(file, damaged(bytes, random))
      seen[await outcome(importSavedModel(directoryOf(files)))]++
    }
    expect(seen.refused).toBeGreaterThan(5)
  })

  it('with files missing or cut off is refused', async () => {
    for (const file of model.files.keys()) {
      if (file.startsWith('assets/')) continue
      const without = new Map([...model.files].filter(([other]) => other !== file))
      expect(await outcome(importSavedModel(directoryOf(without))), file).toBe('refused')
      const cut = new Map(model.files).set(file, (model.files.get(file) ?? new Uint8Array()).subarray(0, 40))
      expect(await outcome(importSavedModel(directoryOf(cut))), file).toBe('refused')
    }
  })
})

it('A damaged frozen graph, binary or text, gives a model or a refusal', async () => {
  const model = goldenModel(join(zoo, 'frozen_cnn.json.gz'))
  const [binary = new Uint8Array()] = model.files.values()
  const text = new TextEncoder().encode(
    'node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: -1 } } } } }\n' +
      'node { name: "y" op: "Neg" input: "x" attr { key: "T" value { type: DT_FLOAT } } }\n',
  )
  expect(await outcome(importFrozenGraph(sourceOf(text), { outputs: ['y'] }))).toBe('lowered')
  const random = generator(77)
  for (const bytes of [binary, text]) {
    for (let i = full ? 3000 : 300; i > 0; i--) await outcome(importFrozenGraph(sourceOf(damaged(bytes, random)), {}))
  }
})

describe('lying checkpoints', () => {
  const { model } = models[0] as (typeof models)[number] // there are six
  const directory = (index: Uint8Array): ModelDirectory =>
    directoryOf(new Map(model.files).set('variables/variables.index', index))
  const entry = (fields: object): Uint8Array => joinChunks(encodeMessage(bundleEntryType, { slices: [], ...fields }))
  const header = joinChunks(encodeMessage(bundleHeaderType, { num_shards: 1 }))
  const shape = { dim: [{ size: 4 }] }
  const key = 'a/.ATTRIBUTES/VARIABLE_VALUE'

  it.each([
    ['an offset beyond the shard', { dtype: 1, shape, shard_id: 0, offset: 2 ** 50, size: 16 }],
    ['a negative offset', { dtype: 1, shape, shard_id: 0, offset: -16, size: 16 }],
    ['a shard there is not', { dtype: 1, shape, shard_id: 7, offset: 0, size: 16 }],
    ['a size that does not fit the shape', { dtype: 1, shape, shard_id: 0, offset: 0, size: 12 }],
    [
      'a shape beyond all numbers',
      { dtype: 1, shape: { dim: [{ size: 2 ** 52 }, { size: 2 ** 52 }] }, shard_id: 0, offset: 0, size: 16 },
    ],
    [
      'a negative dimension',
      { dtype: 1, shape: { dim: [{ size: -4 }, { size: -1 }] }, shard_id: 0, offset: 0, size: 16 },
    ],
  ])('with %s are refused', async (_, fields) => {
    expect(
      await outcome(
        importSavedModel(
          directory(
            sortedTable([
              ['', header],
              [key, entry(fields)],
            ]),
          ),
        ),
      ),
    ).toBe('refused')
  })

  it('with four thousand million shards are refused', async () => {
    const many = joinChunks(encodeMessage(bundleHeaderType, { num_shards: 2 ** 31 - 1 }))
    expect(await outcome(importSavedModel(directory(sortedTable([['', many]]))))).toBe('refused')
  })

  it('whose blocks lie about themselves are refused', async () => {
    const sound = sortedTable([['', header]])
    const random = generator(5)
    for (let i = 0; i < (full ? 5000 : 200); i++) await outcome(importSavedModel(directory(damaged(sound, random))))
  })
})

/** One block of entries without shared prefixes, an index block and a footer: the least LevelDB table. */
function sortedTable(entries: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))])
  const block = (rows: readonly (readonly [string, Uint8Array])[]): Uint8Array => {
    const bytes = rows.flatMap(([k, v]) => [
      ...varint(0),
      ...varint(k.length),
      ...varint(v.length),
      ...Buffer.from(k),
      ...v,
    ])
    const contents = Uint8Array.from([...bytes, 0, 0, 0, 0, 1, 0, 0, 0])
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32LE(masked(crc32c(contents, Uint8Array.of(0))))
    return Uint8Array.from([...contents, 0, ...checksum])
  }
  const data = block(entries)
  const index = block([['z', Uint8Array.from([...varint(0), ...varint(data.length - 5)])]])
  const footer = Buffer.alloc(48)
  footer.set([...varint(0), ...varint(0), ...varint(data.length), ...varint(index.length - 5)])
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40)
  return Uint8Array.from([...data, ...index, ...footer])
}

type Fields = Record<string, unknown>
const attr = (key: string, value: Fields): Fields => ({ key, value })
const node = (name: string, op: string, input: string[], ...attrs: Fields[]): Fields => ({
  name,
  op,
  input,
  attr: attrs,
})
const float = attr('T', { type: 1 })
const x = node('x', 'Placeholder', [], attr('dtype', { type: 1 }), attr('shape', { shape: { dim: [{ size: -1 }] } }))
const graph = (nodes: Fields[], functions: Fields[] = []): Uint8Array =>
  joinChunks(encodeMessage(graphType, { node: nodes, library: { function: functions } }))
const lower = (bytes: Uint8Array, output: string) => outcome(importFrozenGraph(sourceOf(bytes), { outputs: [output] }))
const calls = (name: string, f: string, input: string): Fields =>
  node(name, 'PartitionedCall', [input], attr('f', { func: { name: f } }))
const func = (name: string, nodes: Fields[], result: string): Fields => ({
  signature: { name, input_arg: [{ name: 'a' }], output_arg: [{ name: 'r' }] },
  node_def: nodes,
  ret: [{ key: 'r', value: result }],
})

describe('hostile graphs', () => {
  it('that go in a circle are refused', async () => {
    expect(await lower(graph([x, node('a', 'Neg', ['b'], float), node('b', 'Neg', ['a'], float)]), 'a')).toBe('refused')
    expect(await lower(graph([x, node('a', 'Add', ['x', 'a'], float)]), 'a')).toBe('refused')
  })

  it('whose functions call themselves, or one another, are refused', async () => {
    const own = func('f', [calls('c', 'f', 'a')], 'c:output:0')
    expect(await lower(graph([x, calls('y', 'f', 'x')], [own]), 'y')).toBe('refused')
    const pair = [func('f', [calls('c', 'g', 'a')], 'c:output:0'), func('g', [calls('c', 'f', 'a')], 'c:output:0')]
    expect(await lower(graph([x, calls('y', 'f', 'x')], pair), 'y')).toBe('refused')
    expect(await lower(graph([x, node('y', 'f', ['x'])], [func('f', [node('c', 'f', ['a'])], 'c:r:0')]), 'y')).toBe(
      'refused',
    )
  })

  it('whose functions call twice what calls twice are refused before they have doubled too often', async () => {
    const doubling = Array.from({ length: 40 }, (_, i) =>
      func(`f${i}`, [calls('c', `f${i + 1}`, 'a'), calls('d', `f${i + 1}`, 'c:output:0')], 'd:output:0'),
    )
    const last = func('f40', [node('n', 'Neg', ['a'], float)], 'n:y:0')
    expect(await lower(graph([x, calls('y', 'f0', 'x')], [...doubling, last]), 'y')).toBe('refused')
  })

  it('of many nodes are lowered or refused, without a deep stack', async () => {
    const count = full ? 1_000_000 : 20_000
    const chain = Array.from({ length: count }, (_, i) => node(`n${i}`, 'Neg', [i === 0 ? 'x' : `n${i - 1}`], float))
    const bytes = graph([x, ...chain])
    const before = process.memoryUsage.rss()
    expect(await lower(bytes, `n${count - 1}`)).toBe(full ? 'refused' : 'lowered')
    // A thousand bytes and some per node while the graph is in memory, in three forms.
    expect(process.memoryUsage.rss() - before).toBeLessThan(count * 8192)
    expect(await lower(bytes, 'n10')).toBe('lowered')
  })

  it('with giant constants, or shapes that lie, are refused or stay small', async () => {
    const constant = (tensor: Fields): Uint8Array =>
      graph([
        x,
        node('c', 'Const', [], attr('dtype', { type: 1 }), attr('value', { tensor })),
        node('y', 'Add', ['x', 'c'], float),
      ])
    const dim = (...sizes: number[]): Fields => ({ dim: sizes.map((size) => ({ size })) })
    expect(await lower(constant({ dtype: 1, tensor_shape: dim(2 ** 20, 2 ** 20), float_val: [1] }), 'y')).toBe(
      'refused',
    )
    expect(await lower(constant({ dtype: 1, tensor_shape: dim(0, 1), float_val: [] }), 'y')).toBe('lowered')
    expect(await lower(constant({ dtype: 1, tensor_shape: dim(-1), float_val: [1] }), 'y')).toBe('refused')
    expect(await lower(constant({ dtype: 1, tensor_shape: dim(8), tensor_content: new Uint8Array(12) }), 'y')).toBe(
      'refused',
    )
    expect(await lower(constant({ dtype: 1, tensor_shape: dim(2), float_val: [1, 2, 3] }), 'y')).toBe('refused')
    expect(await lower(constant({ dtype: 7, tensor_shape: dim(2 ** 30), string_val: [new Uint8Array(1)] }), 'y')).toBe(
      'refused',
    )
    const repeated = importFrozenGraph(sourceOf(constant({ dtype: 1, tensor_shape: dim(2 ** 28), float_val: [1] })), {
      outputs: ['y'],
    })
    expect((await repeated).model.size).toBeLessThan(10_000)
  })

  it('whose names are those that objects inherit are refused like others', async () => {
    for (const op of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
      expect(await lower(graph([x, node('y', op, ['x'])]), 'y'), op).toBe('refused')
  })

  it('nested over and over as messages are refused', async () => {
    let bytes = new Uint8Array()
    const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))])
    // attr { value { func { attr { value { func { … } } } } } }
    for (let i = 0; i < 3000; i++)
      bytes = Uint8Array.from([i % 3 === 0 ? 0x52 : 0x12, ...varint(bytes.length), ...bytes])
    const wrapped = Uint8Array.from([0x0a, ...varint(bytes.length), ...bytes])
    await outcome(importFrozenGraph(sourceOf(wrapped), {}))
    const text = `node { name: "y" op: "f" ${'attr { value { func { '.repeat(2000)}`
    expect(await outcome(importFrozenGraph(sourceOf(new TextEncoder().encode(text)), {}))).toBe('refused')
  })

  it('with a thousand signatures are described, and an unknown one refused by name', async () => {
    const tensor = { name: 'x:0', dtype: 1, tensor_shape: { dim: [{ size: -1 }] } }
    const signature = (key: string): Fields => ({
      key,
      value: { inputs: [{ key: 'x', value: tensor }], outputs: [{ key: 'y', value: tensor }] },
    })
    const bytes = joinChunks(
      encodeMessage(savedModelType, {
        meta_graphs: [
          {
            meta_info_def: { tags: ['serve'] },
            graph_def: { node: [x] },
            signature_def: Array.from({ length: 1000 }, (_, i) => signature(`s${i}`)),
          },
        ],
      }),
    )
    const directory = directoryOf(new Map([['saved_model.pb', bytes]]))
    expect(await outcome(importSavedModel(directory, { signature: 's7' }))).toBe('lowered')
    expect(await outcome(importSavedModel(directory, { signature: 'none' }))).toBe('refused')
  })
})

describe('hostile requests', () => {
  const words = (...text: string[]): Tensor => ({
    dtype: 'string',
    shape: [text.length],
    data: text.map((t) => new Uint8Array(Buffer.from(t))),
  })

  it('meet a prologue that answers or says what is wrong', async () => {
    const { model } = models.find(({ name }) => name === 'deepfm') as (typeof models)[number] // it is there
    const { prologue } = await importSavedModel(directoryOf(model.files))
    if (!prologue) throw new Error('the model has a prologue')
    const dense: Tensor = { dtype: 'float32', shape: [1, 2], data: new Float32Array(2) }
    const random = generator(3)
    for (let i = 0; i < 200; i++) {
      const junk = Buffer.from(Array.from({ length: random(200) }, () => random(256))).toString('latin1')
      const feeds = { user: words(junk), item: words('b'), tags: words('|'.repeat(random(5000)) + junk), dense }
      expect(Object.keys(runPrologue(prologue, feeds)).length).toBeGreaterThan(1)
    }
    expect(() => runPrologue(prologue, { user: dense, item: words('b'), tags: words(''), dense })).toThrow(EasError)
    expect(() => runPrologue(prologue, {})).toThrow(/is missing/)
  })

  it('with damaged tf.Examples are answered 400', async () => {
    const model = goldenModel(join(zoo, 'v1_parse_example.json.gz'))
    const { prologue } = await importSavedModel(directoryOf(model.files))
    const sound = model.runs[0]?.feeds.examples
    if (!prologue || sound?.dtype !== 'string') throw new Error('the model takes examples')
    const random = generator(9)
    for (let i = full ? 20_000 : 2000; i > 0; i--) {
      const data = sound.data.map((bytes) => damaged(bytes, random))
      try {
        runPrologue(prologue, { examples: { ...sound, data } })
      } catch (error) {
        if (!(error instanceof EasError && error.code === 'invalid_request')) throw error
      }
    }
  })
})
