import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import type { Processor } from '@eas/processor'
import { torchPredict } from '@eas/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { processorOf } from '../support/processor.ts'
import { changed, type Expected, example, readJson, recommender, requestOf } from '../support/recommender.ts'
import { torchMapBody } from '../support/requests.ts'

const [page] = readJson(join(example, 'expected.json')).requests as [Expected]
let processor: Processor
beforeAll(async () => {
  processor = await processorOf([
    { ...recommender(undefined, { fg_mode: 'bypass' }), name: 'bypass' },
    { ...recommender(), name: 'normal' },
  ])
})
afterAll(() => processor.close())

const post = (service: string, body: Uint8Array) =>
  processor.handle({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })

/** All numbers as doubles and all ids as one type, whatever the model declares. */
const inputs = (ids: 'int32' | 'int64', isFloat: (name: string) => boolean) =>
  Object.fromEntries(
    Object.entries(page.inputs ?? {}).map(([name, { shape, data }]): [string, Tensor] => {
      if (isFloat(name)) return [name, { dtype: 'float64', shape, data: Float64Array.from(data) }]
      return ids === 'int64'
        ? [name, { dtype: 'int64', shape, data: BigInt64Array.from(data, BigInt) }]
        : [name, { dtype: 'int32', shape, data: Int32Array.from(data) }]
    }),
  )
const isFloat = (name: string) => /^(?:weight|raw_3|price|price_by_age|click|history__(?:price|ts))\.values$/.test(name)

it.each(['int32', 'int64'] as const)('fg_mode bypass casts %s and doubles to what each input declares', async (ids) => {
  const response = await post('bypass', torchMapBody(inputs(ids, isFloat)))
  expect(Buffer.from(response.status === 200 ? '' : response.body).toString()).toBe('')
  const { map_outputs } = torchPredict.decodeResponse(response.body)
  for (const [name, values] of Object.entries(page.outputs)) {
    for (const [i, value] of values.entries()) expect(map_outputs.get(name)?.data[i]).toBeCloseTo(value, 5)
  }
})

it('an id that does not fit is refused by name', async () => {
  const tensors = inputs('int64', isFloat)
  const lengths: Tensor = { dtype: 'int64', shape: [3], data: BigInt64Array.of(1n, 2n ** 31n, 1n) }
  const response = await post('bypass', torchMapBody({ ...tensors, 'history__ts.lengths': lengths }))
  expect([response.status, Buffer.from(response.body).toString()]).toEqual([
    400,
    'Cannot use input history__ts.lengths: element 1 is 2147483648, outside of int32',
  ])
})

it.each([
  [
    'bypass',
    'it looks like a TorchRecRequest, and this service takes a TorchRequest',
    changed(requestOf(page), () => ({})),
  ],
  [
    'normal',
    'it looks like a TorchRequest, and this service takes a TorchRecRequest',
    torchMapBody(inputs('int64', isFloat)),
  ],
])(
  'the other message to %s is refused with a hint, or read as a request without items',
  async (service, hint, body) => {
    const response = await post(service, body)
    // The two messages share field numbers: what one SDK sends may be well-formed for the other.
    if (response.status !== 200) expect(Buffer.from(response.body).toString()).toContain(hint)
  },
)
