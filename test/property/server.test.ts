import type { Processor } from '@eas/processor'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultOf, hardenedProcessor, packings, serviceOf } from '../support/answers.ts'
import { scratch } from '../support/onnx.ts'
import { floats, longs, texts, tfBody, torchBody, torchMapBody } from '../support/requests.ts'

const files = scratch('property')
let processor: Processor
beforeAll(async () => {
  processor = await hardenedProcessor(files)
})
afterAll(() => {
  processor.close()
  files.remove()
})

const inputs = {
  in_float32: floats([3], 1.5, -0, Number.NaN),
  in_int64: longs([3], -1, 2n ** 53n + 1n, 7),
  in_string: texts([2], '', '你好'),
  in_bool: { dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) },
  in_scalar: floats([], 4),
} as const
const messages = [
  ['torch positional', 'torch', torchBody([...Object.values(inputs), undefined, ...Object.values(inputs)], [0, 2])],
  ['torch map', 'torch', torchMapBody(inputs)],
  ['tf', 'tf', tfBody(inputs, { signature_name: 'serving_default', output_filter: ['out_float32'] })],
] as const

const cases = messages.flatMap(([name, kind, body]) =>
  Object.entries(packings).map(([packing, pack]) => ({ name, kind, packing, body: pack(body) })),
)
type Case = (typeof cases)[number]

/** Sends a body to the service that expects its packing, and to the one that has to recognise it. */
async function faults({ kind, packing }: Case, body: Uint8Array, msMax = 1000): Promise<string | undefined> {
  for (const service of new Set([serviceOf(kind, packing), `${kind}_plain`])) {
    // A worker takes the buffer with it, so each gets its own.
    const request = { method: 'POST', target: `/api/predict/${service}`, headers: {}, body: body.slice() }
    const fault = await faultOf(processor, request, msMax)
    if (fault) return `${service}: ${fault}`
  }
  return undefined
}
const rssMegabytes = () => process.memoryUsage.rss() / 2 ** 20

describe.each(cases)('A $name request, $packing,', (whole) => {
  it('cut anywhere is answered from the table', async () => {
    for (let end = 0; end < whole.body.length; end++) {
      expect(await faults(whole, whole.body.slice(0, end)), `cut to ${end} bytes`).toBeUndefined()
    }
  })

  it('with any one byte changed is answered from the table', async () => {
    const place = fc.nat(whole.body.length - 1)
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const body = whole.body.slice()
        body[at] = (body[at] ?? 0) ^ mask
        expect(await faults(whole, body)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it('with a megabyte of noise after any part of it is answered from the table, in memory that is given back', async () => {
    const before = rssMegabytes()
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.body.length), fc.integer(), async (end, seed) => {
        const body = new Uint8Array(end + 2 ** 20)
        body.set(whole.body.subarray(0, end))
        for (let i = end, state = seed; i < body.length; i++) {
          state = (Math.imul(state, 1664525) + 1013904223) | 0
          body[i] = state >>> 24
        }
        expect(await faults(whole, body, 2000)).toBeUndefined()
      }),
      { numRuns: 12 },
    )
    expect(rssMegabytes() - before).toBeLessThan(150)
  })
})
