import type { Processor } from '@eas/processor'
import { torchPredict } from '@eas/protocol'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { processorOf } from '../support/processor.ts'
import { floats, longs, torchBody } from '../support/requests.ts'

const files = scratch('batching')
const names = ['rows', 'gather', 'positive', 'mean', 'fixed', 'add'] as const
const rpc = { batching: true, max_batch_size: 16, max_batch_timeout: 30, worker_threads: 4 }
let processor: Processor

beforeAll(async () => {
  const services = names.map((name) => ({ name, model: files.write(`${name}.onnx`, onnxModel(graphs[name])), rpc }))
  processor = await processorOf(services)
})
afterAll(() => {
  processor.close()
  files.remove()
})

async function predict(service: string, body: Uint8Array) {
  const response = await processor.handle({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })
  return response.status === 200 ? torchPredict.decodeResponse(response.body).outputs : response.status
}
/** All at once, then each alone; a batch of one is a request as it is. */
async function together(service: string, bodies: readonly Uint8Array[]) {
  return Promise.all(bodies.map((body) => predict(service, body)))
}

const matrix = (rows: number, columns: number, from = 0) =>
  floats([rows, columns], ...Array.from({ length: rows * columns }, (_, i) => from + i))
const rowsOf = (outputs: Awaited<ReturnType<typeof predict>>) =>
  typeof outputs === 'number' ? outputs : [...new Set(Array.from(outputs[1]?.data ?? [], Number))]

describe('With rpc.batching', () => {
  it('requests that come together are computed together, and each gets its own rows', async () => {
    const sizes = [1, 3, 2, 1, 4]
    const answers = await together(
      'rows',
      sizes.map((rows, i) => torchBody([matrix(rows, 2, i * 100)])),
    )
    for (const [i, rows] of sizes.entries()) {
      const own = Array.from({ length: rows * 2 }, (_, at) => -(i * 100 + at))
      expect(answers[i]).toEqual([floats([rows, 2], ...own), longs([rows], ...Array<number>(rows).fill(11))])
    }
  })

  it('a request alone waits max_batch_timeout and is computed alone', async () => {
    const start = performance.now()
    expect(rowsOf(await predict('rows', torchBody([matrix(2, 2)])))).toEqual([2])
    expect(performance.now() - start).toBeGreaterThan(25)
  })

  it('a full batch waits for nobody', async () => {
    const answers = await together(
      'rows',
      Array.from({ length: 16 }, () => torchBody([matrix(1, 2)])),
    )
    expect(answers.map(rowsOf)).toEqual(Array(16).fill([16]))
  })

  it('requests of other shapes or for other outputs are kept apart', async () => {
    const bodies = [
      torchBody([matrix(1, 2)]),
      torchBody([matrix(1, 3)]),
      torchBody([matrix(2, 2)]),
      torchBody([matrix(4, 3)]),
      torchBody([matrix(1, 2)], [1]),
      torchBody([matrix(1, 2)], [0, 1]),
    ]
    const answers = await together('rows', bodies)
    expect(answers.slice(0, 4).map(rowsOf)).toEqual([[4], [5], [4], [5]])
    expect(answers[4]).toEqual([longs([1], 1)])
    expect(rowsOf(answers[5] ?? 0)).toEqual([4])
  })

  it('a request whose inputs have different numbers of rows fails alone', async () => {
    const fine = torchBody([matrix(2, 2), matrix(2, 2)])
    const answers = await together('add', [fine, torchBody([matrix(2, 2), matrix(3, 2)]), fine])
    expect(answers.map((answer) => (typeof answer === 'number' ? answer : 200))).toEqual([200, 500, 200])
  })

  it.each([0, 2, 4])('a request with an index that is not there, at place %d, fails alone', async (place) => {
    const bodies = [0, 1, 2, 3, 0].map((index, i) => torchBody([longs([1], i === place ? 99 : index)]))
    const answers = await together('gather', bodies)
    const expected = [0, 1, 2, 3, 0].map((index, i) =>
      i === place ? 400 : [floats([1, 2], index * 10, index * 10 + 1)],
    )
    expect(answers).toEqual(expected)
  })

  it('a request that is no message, or does not fit, fails alone', async () => {
    const bodies = [
      torchBody([longs([1], 1)]),
      Buffer.from('garbage'),
      torchBody([floats([1], 1)]),
      torchBody([longs([1], 2)]),
    ]
    expect(await together('gather', bodies)).toEqual([[floats([1, 2], 10, 11)], 400, 400, [floats([1, 2], 20, 21)]])
  })

  it.each([
    ['whose outputs have as many rows as the values say', 'positive', [[2], [-1], [3, -4]], [[2], [], [3]]],
    ['whose output has one row for all', 'mean', [[2], [-1], [3, -4]], [[2], [-1], [-0.5]]],
  ] as const)('a model %s gives each request what it would alone', async (_, service, requests, expected) => {
    const twice = (heads: readonly number[]) => floats([heads.length, 2], ...heads.flatMap((head) => [head, head]))
    const answers = await together(
      service,
      requests.map((heads) => torchBody([twice(heads)])),
    )
    expect(answers).toEqual(expected.map((heads) => [twice(heads)]))
  })

  it('a model of a fixed shape serves its requests one by one', async () => {
    const answers = await together('fixed', [torchBody([matrix(2, 3)]), torchBody([matrix(2, 3, 50)])])
    expect(answers).toEqual([[floats([2, 3], -0, -1, -2, -3, -4, -5)], [floats([2, 3], -50, -51, -52, -53, -54, -55)]])
  })

  it('any requests at once give what each gives alone', async () => {
    const request = fc.record({ rows: fc.nat(5), columns: fc.integer({ min: 1, max: 3 }), from: fc.nat(99) })
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 30 }), async (requests) => {
        const answers = await together(
          'rows',
          requests.map(({ rows, columns, from }) => torchBody([matrix(rows, columns, from)], [0])),
        )
        const expected = requests.map(({ rows, columns, from }) => [
          floats([rows, columns], ...Array.from({ length: rows * columns }, (_, i) => -(from + i))),
        ])
        expect(answers).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })
})
