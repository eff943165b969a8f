import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Processor } from '@eas/processor'
import { easyrecPredict, easyrecStatus, type PBFeature } from '@eas/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processorOf } from '../support/processor.ts'

/** Exported by EasyRec itself; answers are TensorFlow's. `generate.py` beside them says how. */
const golden = join(import.meta.dirname, '../golden/easyrec')
/** `rtp` and `line` have the older generator's features, whose ids begin with the name. */
const services = [
  { name: 'rtp', processor: 'easyrec-2.0', fg_mode: 'normal' },
  { name: 'line', processor: 'easyrec', fg_mode: 'tf' },
  { name: 'rich', processor: 'easyrec-3.0', fg_mode: 'normal' },
  { name: 'lists', processor: 'easyrec-2.9', fg_mode: 'normal' },
  { name: 'dssm', processor: 'easyrec-2.8', fg_mode: 'tf' },
] as const

interface Case {
  readonly user: Readonly<Record<string, string>>
  readonly item_ids: readonly string[]
  readonly hour: readonly string[]
  readonly texts: readonly (readonly string[])[]
  readonly outputs: Readonly<Record<string, readonly number[]>>
}
const expectedOf = (name: string): { readonly fields: readonly string[]; readonly cases: readonly Case[] } =>
  JSON.parse(readFileSync(join(golden, name, 'expected.json'), 'utf8'))

const items = mkdtempSync(join(tmpdir(), 'eas-easyrec-'))
let processor: Processor
beforeAll(async () => {
  const catalogue: Readonly<Record<string, object>> = JSON.parse(readFileSync(join(golden, 'items.json'), 'utf8'))
  const lines = Object.entries(catalogue).map(([item_id, row]) => JSON.stringify({ item_id, ...row }))
  writeFileSync(join(items, 'items.ndjson'), lines.join('\n'))
  processor = await processorOf(
    services.map(({ name, processor, fg_mode }) => ({
      name,
      model: join(golden, name, 'model'),
      json: { processor, model_config: { fg_mode }, processor_envs: [{ name: 'EAS_ITEM_FEATURES', value: items }] },
    })),
  )
}, 120_000)
afterAll(() => {
  processor.close()
  rmSync(items, { recursive: true })
})

const text = (value: string): PBFeature => ({ kind: 'string_feature', value })

async function ask(service: string, { user, item_ids, hour }: Case, debug_level = 0) {
  const body = easyrecPredict.encodeRequest({
    debug_level,
    user_features: new Map(Object.entries(user).map(([name, value]) => [name, text(value)])),
    item_ids,
    context_features: new Map([['hour', hour.map(text)]]),
    faiss_neigh_num: 0,
    item_features: new Map(),
    meta_data: new Map(),
  })
  const response = await processor.handle({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })
  expect(response.status, Buffer.from(response.body).toString()).toBe(200)
  return easyrecPredict.decodeResponse(response.body)
}

describe.each(services)('a SavedModel of EasyRec: $name, $processor, fg_mode $fg_mode', ({ name }) => {
  const { fields, cases } = expectedOf(name)

  it.each(cases)('is given the texts that FG is documented to make of $item_ids', async (request) => {
    const { generate_features, status_code, error_msg } = await ask(name, request, 3)
    expect(error_msg).toBe('')
    expect(status_code).toBe(easyrecStatus.OK)
    const lines = request.item_ids.map((id) => generate_features.get(id)?.split('\u0002'))
    expect(lines.map((line) => Object.fromEntries(fields.map((field, i) => [field, line?.[i]])))).toEqual(
      request.texts.map((texts) => Object.fromEntries(fields.map((field, i) => [field, texts[i]]))),
    )
  })

  it.each(cases)('has the scores that TensorFlow computes of $item_ids', async (request) => {
    const { results, outputs, tf_outputs, status_code, error_msg } = await ask(name, request)
    expect(error_msg).toBe('')
    expect(status_code).toBe(easyrecStatus.OK)
    // What is one number per item is a score, and the rest, such as embeddings, a tensor.
    const scores = outputs.map((output, place) => {
      return [output, request.item_ids.map((id) => results.get(id)?.[place])] as const
    })
    const tensors = [...tf_outputs].map(([output, { data }]) => [output, Array.from(data, Number)] as const)
    const answered = new Map([...scores, ...tensors])
    expect([...answered.keys()].sort()).toEqual(Object.keys(request.outputs))
    for (const [output, values] of Object.entries(request.outputs)) {
      const own = answered.get(output)
      expect(own).toHaveLength(values.length)
      for (const [i, value] of values.entries()) expect(own?.[i], `${output}[${i}]`).toBeCloseTo(value, 5)
    }
  })
})
