import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import type { Processor } from '@eas/processor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processorOf } from '../support/processor.ts'
import {
  ask,
  changed,
  type Expected,
  example,
  golden,
  readJson,
  recommender,
  requestOf,
} from '../support/recommender.ts'

const cases: readonly Expected[] = readJson(join(example, 'expected.json')).requests
const processors: Processor[] = []
const serve = async (...args: Parameters<typeof recommender>) => {
  const processor = await processorOf([recommender(...args)])
  processors.push(processor)
  return processor
}
afterAll(() => Promise.all(processors.map((processor) => processor.close())))

/** Float32 sums in another order. */
const near = (actual: Tensor | undefined, expected: readonly number[], name: string) => {
  expect(actual?.dtype, name).toBe('float32')
  expect(actual?.shape, name).toEqual([expected.length])
  for (const [i, value] of expected.entries()) {
    const got = Number(actual?.data[i])
    expect(Math.abs(got - value), `${name}[${i}]: ${got} and ${value}`).toBeLessThan(2e-5)
  }
}

describe.each([
  ['a model without tiling', join(example, 'model')],
  ['INPUT_TILE 2', join(golden, 'tile-2')],
  ['INPUT_TILE 3', join(golden, 'tile-3')],
  ['a TorchScript file', join(golden, 'scripted-0')],
  ['a TorchScript file with INPUT_TILE 3', join(golden, 'scripted-3')],
])('%s', (_, model) => {
  let processor: Processor
  beforeAll(async () => {
    processor = await serve(model)
  })

  it.each(cases)('scores "$name" as PyTorch does', async (expected) => {
    const { status, text, answer } = await ask(processor, requestOf(expected))
    expect(text).toBe('')
    expect(status).toBe(200)
    expect(answer.item_ids).toEqual(expected.item_ids)
    expect([...answer.map_outputs.keys()].sort()).toEqual(Object.keys(expected.outputs).sort())
    for (const [name, values] of Object.entries(expected.outputs)) near(answer.map_outputs.get(name), values, name)
    expect(answer.generate_features.size + answer.raw_features.size).toBe(0)
    expect([...answer.pass_through_data.keys()]).toEqual(['model_version'])
  })
})

it('a TorchScript file answers with the outputs that are asked for', async () => {
  const processor = await serve(join(golden, 'scripted-3'), { outputs: 'probs_cvr' })
  const [page] = cases as [Expected]
  const { text, answer } = await ask(processor, requestOf(page))
  expect(text).toBe('')
  expect([...answer.map_outputs.keys()]).toEqual(['probs_cvr'])
  near(answer.map_outputs.get('probs_cvr'), page.outputs.probs_cvr ?? [], 'probs_cvr')
})

describe('an export with embeddings apart from the graph', () => {
  let processor: Processor
  beforeAll(async () => {
    processor = await serve(join(golden, 'distributed'))
  })

  it.each(readJson(join(golden, 'distributed/expected.json')).requests as Expected[])(
    'scores "$name" as PyTorch does with the rows that tables hold',
    async (expected) => {
      const { text, answer } = await ask(processor, requestOf(expected))
      expect(text).toBe('')
      for (const [name, values] of Object.entries(expected.outputs)) near(answer.map_outputs.get(name), values, name)
    },
  )
})

it('INPUT_TILE of processor_envs counts where there is no model_acc.json, and for that service alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eas-tile-'))
  try {
    for (const name of readdirSync(join(golden, 'tile-3'))) {
      if (name !== 'model_acc.json') copyFileSync(join(golden, 'tile-3', name), join(folder, name))
    }
    const items = { name: 'EAS_ITEM_FEATURES', value: join(example, 'items') }
    const envs = (...more: object[]) => recommender(folder, {}, null, { processor_envs: [items, ...more] })
    const processor = await processorOf([envs({ name: 'INPUT_TILE', value: '3' }), { ...envs(), name: 'untold' }])
    processors.push(processor)
    const [page] = cases as [Expected]
    const { text, answer } = await ask(processor, requestOf(page))
    expect(text).toBe('')
    for (const [name, values] of Object.entries(page.outputs)) near(answer.map_outputs.get(name), values, name)
    const untold = await ask(processor, requestOf(page), 'untold')
    expect([untold.status, untold.text]).toEqual([
      500,
      'Prediction failed: the model takes batch_size int64[], and fg.json has no feature for it',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('features', () => {
  let processor: Processor
  beforeAll(async () => {
    processor = await serve()
  })

  it.each(cases.filter(({ inputs }) => inputs))('of "$name" are those that Python computes', async (expected) => {
    const body = changed(requestOf(expected), () => ({ debug_level: 2 }))
    const { answer } = await ask(processor, body)
    for (const [name, { shape, data }] of Object.entries(expected.inputs ?? {})) {
      const tensor = answer.map_outputs.get(name)
      expect(tensor?.shape, name).toEqual(shape)
      const got = Array.from(tensor?.data ?? [], Number)
      for (const [i, value] of data.entries()) expect(got[i], `${name}[${i}]`).toBeCloseTo(value, 5)
    }
  })
})
