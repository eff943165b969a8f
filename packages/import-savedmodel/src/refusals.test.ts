import { encodeMessage, ImportRefusal, joinChunks, sourceOf } from '@eas/onnx'
import { describe, expect, it } from 'vitest'
import type { ModelDirectory } from './folder.ts'
import { importFrozenGraph } from './frozen-graph.ts'
import { lowerings } from './lower/index.ts'
import { graphType, savedModelType } from './messages.ts'
import { describeSavedModel, importSavedModel } from './saved-model.ts'
import { describeSignature } from './signature.ts'

type Fields = Record<string, unknown>
const attr = (key: string, value: Fields): Fields => ({ key, value })
const node = (name: string, op: string, input: string[] = [], ...attrs: Fields[]): Fields => ({
  name,
  op,
  input,
  attr: attrs,
})
const float = attr('T', { type: 1 })
const shaped = (...sizes: number[]): Fields => ({ dim: sizes.map((size) => ({ size })) })
const placeholder = node('x', 'Placeholder', [], attr('dtype', { type: 1 }), attr('shape', { shape: shaped(-1, 4) }))

const frozen = (...nodes: Fields[]) =>
  sourceOf(joinChunks(encodeMessage(graphType, { node: nodes, library: { function: [] } })))
const directory = (files: Record<string, Uint8Array>): ModelDirectory => ({
  list: async () => Object.keys(files),
  open: async (name) => sourceOf(files[name] ?? new Uint8Array()),
})
const tensor = (name: string, shape: Fields = shaped(-1, 4)): Fields => ({ name, dtype: 1, tensor_shape: shape })
const savedModel = (signatures: Record<string, Fields>, tags = ['serve'], nodes = [placeholder]): ModelDirectory =>
  directory({
    'saved_model.pb': joinChunks(
      encodeMessage(savedModelType, {
        meta_graphs: [
          {
            meta_info_def: { tags },
            graph_def: { node: nodes },
            signature_def: Object.entries(signatures).map(([key, value]) => ({ key, value })),
          },
        ],
      }),
    ),
  })
const predict: Fields = { inputs: [{ key: 'a', value: tensor('x:0') }], outputs: [{ key: 'b', value: tensor('x:0') }] }

async function reasonsOf(attempt: Promise<unknown>): Promise<readonly string[]> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ImportRefusal)) throw error ?? new Error('it was lowered')
  return error.reasons.map(({ what, where, remedy }) => `${what} | ${where} | ${remedy}`)
}

describe('importFrozenGraph()', () => {
  const state = Object.keys(lowerings).filter(
    (op) => /^(Resource)?(Assign|Scatter)/.test(op) && !op.startsWith('ScatterNd'),
  )
  const chance = Object.keys(lowerings).filter(
    (op) =>
      /Random|Truncated|Multinomial|^Stateful(Uniform|Standard)/.test(op) &&
      !['RandomUniform', 'RandomStandardNormal'].includes(op),
  )

  it.each([...state, ...chance])('refuses %s, which no answer may depend on', async (op) => {
    const [reason] = await reasonsOf(
      importFrozenGraph(frozen(placeholder, node('y', op, ['x', 'x'], float)), { outputs: ['y'] }),
    )
    expect(reason).toMatch(/changes its variables|random numbers/)
    expect(reason).toContain('| y |')
  })

  it('names every operator that stands in the way, each with its node', async () => {
    const graph = frozen(
      placeholder,
      node('a', 'MyCustomOp', ['x']),
      node('b', 'PyFunc', ['x']),
      node('y', 'Add', ['a', 'b'], float),
    )
    expect([...(await reasonsOf(importFrozenGraph(graph, { outputs: ['y'] })))].sort()).toEqual([
      expect.stringMatching(/^the operator MyCustomOp is not supported \| a \| /),
      expect.stringMatching(/^the operator PyFunc is not supported \| b \| /),
    ])
  })

  it('says what an input lacks, in the words that have it lowered for the first request', async () => {
    const open = node('x', 'Placeholder', [], attr('dtype', { type: 1 }))
    const graph = frozen(open, node('y', 'Neg', ['x'], float))
    expect(await reasonsOf(importFrozenGraph(graph))).toEqual([
      expect.stringMatching(/^nothing says what the input "x" looks like/),
    ])
    const lowered = await importFrozenGraph(graph, { inputs: [{ input: 'x', dtype: 'float32', shape: ['n', 3] }] })
    expect(lowered.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['n', 3], position: 0 }])
    expect(lowered.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['n', 3] }])
  })

  it('refuses nodes there are not, and files that are no graphs', async () => {
    const graph = frozen(placeholder, node('y', 'Neg', ['x'], float))
    expect(await reasonsOf(importFrozenGraph(graph, { outputs: ['z'] }))).toEqual([
      expect.stringContaining('no node "z"'),
    ])
    expect(await reasonsOf(importFrozenGraph(sourceOf(new Uint8Array(100).fill(255))))).toEqual([
      expect.stringContaining('not a GraphDef'),
    ])
  })

  it('takes the placeholders that the outputs need, and the nodes nothing uses, where none are named', async () => {
    const other = node('other', 'Placeholder', [], attr('dtype', { type: 1 }))
    const lowered = await importFrozenGraph(frozen(placeholder, other, node('y', 'Neg', ['x'], float)), {
      outputs: ['y'],
    })
    expect([...lowered.signature.inputs.keys()]).toEqual(['x'])
    expect(lowered.signature.outputs.get('y')).toEqual({
      tensor: 'y',
      dtype: 'float32',
      type: 'DT_FLOAT',
      shape: [-1, 4],
    })
  })
})

describe('importSavedModel()', () => {
  it('takes serving_default, else the first by name, and refuses names it does not have', async () => {
    expect((await describeSavedModel(savedModel({ z: predict, serving_default: predict }))).default).toBe(
      'serving_default',
    )
    const two = savedModel({ predict_images: predict, classify: predict })
    expect((await describeSavedModel(two)).default).toBe('classify')
    expect((await importSavedModel(two)).signature.name).toBe('classify')
    expect(await reasonsOf(importSavedModel(two, { signature: 'regress' }))).toEqual([
      expect.stringContaining('no signature "regress", only "classify", "predict_images"'),
    ])
    expect(await reasonsOf(importSavedModel(savedModel({})))).toEqual([expect.stringContaining('has no signature')])
  })

  it('describes a signature as the TensorFlow processor answers an empty request', async () => {
    const { signatures } = await describeSavedModel(savedModel({ predict_images: predict }))
    expect([...signatures.values()].map(describeSignature)).toEqual([
      {
        inputs: [{ name: 'a', shape: [-1, 4], type: 'DT_FLOAT' }],
        outputs: [{ name: 'b', shape: [-1, 4], type: 'DT_FLOAT' }],
        signature_name: 'predict_images',
      },
    ])
  })

  it('keeps an output apart that is called as an input', async () => {
    const same: Fields = { inputs: predict.inputs, outputs: [{ key: 'a', value: tensor('x:0') }] }
    const { inputs, outputs, structure } = await importSavedModel(savedModel({ s: same }))
    expect(inputs.map(({ name }) => name)).toEqual(['a'])
    expect(outputs.map(({ name }) => name)).toEqual(['a/output'])
    expect(structure).toEqual({ kind: 'dict', entries: [['a', { kind: 'tensor', output: 0 }]] })
  })

  it('lowers the outputs named alone', async () => {
    const broken = node('bad', 'MyCustomOp', ['x'])
    const two: Fields = {
      inputs: predict.inputs,
      outputs: [...(predict.outputs as Fields[]), { key: 'c', value: tensor('bad:0') }],
    } // a list above
    const model = savedModel({ s: two }, ['serve'], [placeholder, broken])
    expect((await importSavedModel(model, { outputs: ['b'] })).outputs.map(({ name }) => name)).toEqual(['b'])
    expect(await reasonsOf(importSavedModel(model))).toEqual([expect.stringContaining('MyCustomOp')])
    expect(await reasonsOf(importSavedModel(model, { outputs: ['d'] }))).toEqual([
      expect.stringContaining('no output "d"'),
    ])
  })

  it('refuses what is no SavedModel for serving, by name', async () => {
    expect(await reasonsOf(importSavedModel(directory({ 'export.meta': new Uint8Array() })))).toEqual([
      expect.stringContaining('SessionBundle'),
    ])
    expect(await reasonsOf(importSavedModel(directory({ 'model.ckpt.index': new Uint8Array() })))).toEqual([
      expect.stringContaining('no saved_model.pb'),
    ])
    expect(await reasonsOf(importSavedModel(savedModel({ s: predict }, ['train'])))).toEqual([
      expect.stringContaining('only those tagged [train]'),
    ])
  })
})

describe('bfloat16 and numbers that requests have no type for', () => {
  const typed = (type: number) =>
    node('x', 'Placeholder', [], attr('dtype', { type }), attr('shape', { shape: shaped(-1, 4) }))

  it('bfloat16 is asked for as floats, and answered as floats', async () => {
    const model = await importFrozenGraph(frozen(typed(14), node('y', 'Identity', ['x'], attr('T', { type: 14 }))), {
      inputs: ['x'],
      outputs: ['y'],
    })
    expect(model.inputs.map((i) => i.dtype)).toEqual(['float32'])
    expect(model.outputs.map((o) => o.dtype)).toEqual(['float32'])
    expect([...model.signature.inputs.values()].map((i) => i.dtype)).toEqual(['float32'])
  })

  it.each([
    [12, 'the element type quint8 cannot be fed'], // DT_QUINT8
    [24, 'what is a resource, a float of 8 bits or an integer of 4 cannot be computed with'], // DT_FLOAT8_E5M2
  ])('type %i is refused: %s', async (type, reason) => {
    const attempt = importFrozenGraph(frozen(typed(type), node('y', 'Identity', ['x'], attr('T', { type }))), {
      inputs: ['x'],
      outputs: ['y'],
    })
    await expect(attempt).rejects.toThrow(reason)
  })
})
