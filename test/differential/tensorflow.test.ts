import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { importSavedModel } from '@eas/import-savedmodel'
import { joinChunks, readModel } from '@eas/onnx'
import { describe, expect, it } from 'vitest'
import { hostOps } from '../../packages/import-savedmodel/src/host/index.ts'
import { lazyOps } from '../../packages/import-savedmodel/src/lower/control-v1.ts'
import { lowerings } from '../../packages/import-savedmodel/src/lower/index.ts'
import { goldenCases, goldenModel } from './tensorflow/golden-cases.ts'
import { knownGaps } from './tensorflow/known-gaps.ts'
import { compareCase, compareModel, directoryOf, lowerCase, lowerModel, opsOf, same } from './tensorflow/lower-case.ts'
import { withoutCase } from './tensorflow/without-case.ts'

/**
 * Graphs made by TensorFlow, lowered to ONNX and run by ONNX Runtime, against what TensorFlow computed: ops.py, ops_more.py,
 * ops_data.py, ops_wide.py and ops_whole.py have an operator or two per graph, zoo.py, zoo_layers.py and zoo_data.py whole
 * models at three batch sizes. What is refused or wrong is listed in known-gaps.ts, and has to be struck off there when it is mended.
 */
const golden = join(import.meta.dirname, 'tensorflow/golden')
const filesOf = (folder: string) => readdirSync(join(golden, folder)).map((file) => join(golden, folder, file))

const suites = filesOf('ops').map((file) => ({ file: file.slice(golden.length + 1), cases: goldenCases(file) }))

describe.each(suites)('$file', ({ cases }) => {
  it.each(cases)('$name', async (one) => {
    const outcome = await compareCase(one).catch((error: Error) => error.message)
    const gap = knownGaps[one.name]
    if (gap) expect(outcome).toContain(gap)
    else expect(outcome).toBe(same)
  })
})

describe('models of the zoo', () => {
  it.each(filesOf('zoo').map((file) => ({ file, name: file.slice(golden.length + 5) })))('$name', async ({ file }) => {
    expect(await compareModel(goldenModel(file))).toBe(same)
  })
})

/** The public test models of TensorFlow Serving, of TensorFlow 1.0 to 2.14: serving.py. */
describe('models of TensorFlow Serving', () => {
  it.each(filesOf('serving').map((file) => ({ file, name: file.slice(golden.length + 9) })))(
    '$name',
    async ({ file }) => {
      expect(await compareModel(goldenModel(file))).toBe(same)
    },
  )
})

it('A signature that changes a variable it reads is refused, and one beside it that only reads is not', async () => {
  const { files } = goldenModel(join(golden, 'serving/counter-get_counter.json.gz'))
  const inputs = [{ input: 'delta', dtype: 'float32', shape: [] }] as const
  const attempt = importSavedModel(directoryOf(files), { signature: 'incr_counter_by', inputs })
  await expect(attempt).rejects.toThrow(/the model changes "counter" while it predicts|changes its variables/)
  expect((await importSavedModel(directoryOf(files), { signature: 'get_counter' })).inputs).toEqual([])
})

it.each([
  ['lstm', ['LSTM']],
  ['gru', ['GRU']],
  ['bidirectional', ['GRU', 'LSTM']],
  ['lstm_masked', ['Loop']],
])('The layers of %s become %j, which has to be fast', async (name, expected) => {
  const { model } = await lowerModel(goldenModel(join(golden, `zoo/${name}.json.gz`)))
  const ops = readModel(joinChunks(model)).graph.node.map((node) => node.op_type)
  expect([...new Set(ops)].filter((op) => ['GRU', 'LSTM', 'Loop'].includes(op)).sort()).toEqual(expected)
})

describe('the cases', () => {
  const names = suites.flatMap(({ cases }) => cases.map(({ name }) => name))

  it('have names of their own, and gaps that are there', () => {
    expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([])
    expect(Object.keys(knownGaps).filter((name) => !names.includes(name))).toEqual([])
  })

  it('have every operator that is lowered or run on the host, but for those with a reason', async () => {
    const lowered = [
      ...suites.flatMap(({ cases }) => cases.map(lowerCase)),
      ...filesOf('zoo').map((file) => lowerModel(goldenModel(file))),
    ]
    const met = new Set((await Promise.all(lowered.map(opsOf))).flat())
    const hosted = Object.keys(hostOps).map((op) => `host/${op}`)
    const all = [...Object.keys(lowerings), ...Object.keys(lazyOps), ...hosted]
    expect(all.filter((op) => !met.has(op) && !Object.hasOwn(withoutCase, op)).sort()).toEqual([])
    expect(Object.keys(withoutCase).filter((op) => met.has(op) || !all.includes(op))).toEqual([])
  }, 300_000)
})
