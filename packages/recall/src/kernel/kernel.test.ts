import { describe, expect, it } from 'vitest'
import { jsKernel } from './js-kernel.ts'
import { blockRows, type Kernel, type Metric } from './kernel.ts'
import { wasmMemory } from './wasm-kernel.ts'

const rows = 11
/** Small whole numbers: every sum is exact in float32, whatever the order of its terms. */
const whole = (count: number, salt: number) =>
  Float32Array.from({ length: count }, (_, i) => ((i * 7 + salt * 13) % 9) - 4)

const kernels: Readonly<Record<Kernel['kind'], (file: Uint8Array) => Kernel>> = {
  wasm(file) {
    const { bytes, kernel } = wasmMemory(file.length)
    bytes.set(file)
    return kernel()
  },
  js: jsKernel,
}

function expected(metric: Metric, query: Float32Array, values: Float32Array, row: number): number {
  let sum = 0
  query.forEach((q, i) => {
    const x = values[row * query.length + i] ?? Number.NaN
    sum += metric === 'ip' ? q * x : (q - x) ** 2
  })
  return metric === 'ip' ? sum : -sum
}

describe.each(Object.entries(kernels))('the %s kernel', (_, make) => {
  it.each(['ip', 'l2'] as const)(
    'scores by %s in every dimension, at every alignment, any number of rows',
    (metric) => {
      for (let d = 1; d <= 40; d++) {
        const [query, values] = [whole(d, 1), whole(rows * d, 2)]
        const before = d % 5
        const kernel = make(Buffer.concat([Buffer.alloc(before), Buffer.from(values.buffer)]))
        kernel.setQuery(query)
        for (let count = 0; count <= rows; count++) {
          kernel.scores.fill(99)
          kernel.score(metric, before, count, d)
          const wanted = Array.from({ length: count }, (_, row) => expected(metric, query, values, row))
          expect([...kernel.scores.subarray(0, count + 1)]).toEqual([...wanted, 99])
        }
        const order = [10, 0, 3, 3, 7]
        kernel.rows.set(order)
        kernel.scoreAt(metric, before, order.length, d)
        const wanted = order.map((row) => expected(metric, query, values, row))
        expect([...kernel.scores.subarray(0, order.length)]).toEqual(wanted)
      }
    },
  )

  it('fills a whole block and nothing behind it', () => {
    const kernel = make(Buffer.from(whole(blockRows, 3).buffer))
    kernel.setQuery(Float32Array.of(2))
    kernel.score('ip', 0, blockRows, 1)
    expect(kernel.scores).toEqual(whole(blockRows, 3).map((value) => 2 * value))
  })
})
