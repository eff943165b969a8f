import { setTimeout as pause } from 'node:timers/promises'
import { EasError, type Tensor } from '@eas/base'
import { type BatchOptions, type BatchScorer, type Clock, createBatch, defaultOptions, systemClock } from '@eas/batch'
import { memoryStore } from '@eas/storage'
import { describe, expect, it } from 'vitest'
import { linesOf, resultOf } from './support/results.ts'

/** However an attempt goes, its object comes to an end that is recorded, in a bounded number of attempts. */

/** Doubles `x`, unless `act` keeps it from that. */
function doubling(act: (x: readonly number[]) => Promise<void> | void): BatchScorer {
  const value = { dtype: 'float64', shape: [-1] } as const
  return {
    concurrency: 1,
    facts: async () => ({ inputs: [{ name: 'x', ...value }], outputs: [{ name: 'y', ...value }], version: '1' }),
    async run(feeds) {
      const { data } = feeds.get('x') as Tensor & { data: Float64Array } // its one input
      await act([...data])
      return new Map([['y', { dtype: 'float64', shape: [data.length], data: data.map((x) => 2 * x) }]])
    },
    predict: async (body) => {
      await act([...body])
      return body
    },
  }
}

const rows = (count: number) => Array.from({ length: count }, (_, i) => `{"id":${i},"x":${i}}\n`).join('')
const delimited = (count: number) => Uint8Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 1 : (i - 1) / 2))
/** Waits end at once. */
const hastyClock: Clock = { ...systemClock, sleep: async () => {} }

async function stores(name: string, bytes: string | Uint8Array) {
  const input = memoryStore('memory://in')
  const output = memoryStore('memory://out')
  await input.put(name, typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  return { place: { store: input, key: name }, output }
}
const optionsOf = (options: Partial<BatchOptions>): BatchOptions => ({ ...defaultOptions, ...options })
const signal = new AbortController().signal

describe('an error that nobody has foreseen', () => {
  it('of what writes results is tried again, and then told in the manifest', async () => {
    const { place, output } = await stores('rows.ndjson', rows(10))
    let calls = 0
    const scorer = doubling(() => {
      calls++
    })
    // Its output is not what it says it is, which the writer of Parquet chokes on.
    async function run(...call: Parameters<BatchScorer['run']>) {
      const outputs = await scorer.run(...call)
      return new Map([...outputs].map(([name, tensor]) => [name, { ...tensor, dtype: 'int64' } as unknown as Tensor])) // a lie
    }
    const options = optionsOf({ outputFormat: 'parquet', batchRows: 5 })
    const batch = createBatch({ ...scorer, run }, { store: output, key: '' }, options, hastyClock)
    const outcome = await batch.score(place, { signal })
    expect(outcome).toMatchObject({ status: 'done', manifest: { status: 'failed', parts: [] } })
    const { manifest } = await resultOf(output, '', 'rows.ndjson')
    expect(manifest.error).toMatch(/^Cannot score chunk 0, from row 0 on, in 3 tries: ./)
    expect(calls).toBe(3 * 2)
    // Another delivery finds that it is over.
    calls = 0
    expect(await batch.score(place, { signal })).toMatchObject({ status: 'done', computedChunks: 0 })
    expect(calls).toBe(0)
  })

  it('goes on where it was once it does not come again', async () => {
    const { place, output } = await stores('rows.ndjson', rows(30))
    let left = 4
    // Twice in the first chunk, and twice in the last.
    const scorer = doubling(([first]) => {
      if (left > (first === 0 ? 2 : 0) && (first === 0 || first === 20) && left-- > 0) throw new TypeError('Broken')
    })
    const options = optionsOf({ chunk: { rows: 10, bytes: 1e9 } })
    const batch = createBatch(scorer, { store: output, key: '' }, options, hastyClock)
    await batch.score(place, { signal })
    const { manifest, text } = await resultOf(output, '', 'rows.ndjson')
    expect(manifest).toMatchObject({ status: 'scored', rows: 30, failures: 0, chunks: 3 })
    expect(linesOf(text).map(({ y }) => y)).toEqual(Array.from({ length: 30 }, (_, i) => 2 * i))
  })

  it('of the model is its rows’ fault or ends the attempt, as its code says', async () => {
    const { place, output } = await stores('rows.ndjson', rows(4))
    const failing = (code: 'not_implemented' | 'unauthorized') =>
      createBatch(
        doubling(() => {
          throw new EasError(code, 'No')
        }),
        { store: output, key: code },
        defaultOptions,
        hastyClock,
      )
    // Who may ask is not the object's matter.
    await expect(failing('unauthorized').score(place, { signal })).rejects.toThrow('No')
    expect(await failing('not_implemented').score(place, { signal })).toMatchObject({
      manifest: { status: 'failed', error: 'Cannot score chunk 0, from row 0 on, in 3 tries: No' },
    })
  })
})

it('an output that is not always of one rank is no column of a table, and is told so', async () => {
  const { place, output } = await stores('rows.ndjson', rows(10))
  const scorer = doubling(() => {})
  let calls = 0
  async function run(...call: Parameters<BatchScorer['run']>) {
    const outputs = await scorer.run(...call)
    const shape = calls++ % 2 === 0 ? [5] : [5, 1]
    return new Map([...outputs].map(([name, tensor]) => [name, { ...tensor, shape }]))
  }
  for (const outputFormat of ['parquet', 'arrow', 'csv'] as const) {
    const options = optionsOf({ outputFormat, batchRows: 5 })
    const batch = createBatch({ ...scorer, run }, { store: output, key: outputFormat }, options, hastyClock)
    expect(await batch.score(place, { signal })).toMatchObject({
      manifest: {
        status: 'failed',
        error: expect.stringMatching(/^Cannot write output y to a column: it is \[5\] and \[5,1\]/),
      },
    })
  }
})

describe('an object whose chunks take longer than an attempt may', () => {
  const slow = () => pause(20)
  it.each([
    ['rows.ndjson', rows(40), 40],
    ['requests.pbs', delimited(40), 40],
  ] as const)('%s comes to its end by what each attempt has got done', async (name, bytes, count) => {
    const { place, output } = await stores(name, bytes)
    const options = optionsOf({ batchRows: 1 })
    let attempts = 0
    let done = -1
    for (let status = ''; status !== 'done'; attempts++) {
      // Twenty rows' time, and longer where the machine is busy, of which a tenth is for committing.
      const ms = 400 + 40 * attempts
      const stop = AbortSignal.timeout(ms)
      const batch = createBatch(doubling(slow), { store: output, key: '' }, options)
      const outcome = await batch.score(place, { deadline: Date.now() + ms, signal: stop })
      status = outcome.status
      if (outcome.status === 'unfinished') done = Math.max(done, outcome.rows)
    }
    expect(attempts).toBeGreaterThan(1)
    expect(done).toBeGreaterThan(0)
    const { manifest, parts, text } = await resultOf(output, '', name)
    expect(manifest).toMatchObject({ status: 'scored', rows: count, failures: 0 })
    expect(manifest.parts.reduce((sum, part) => sum + part.rows, 0)).toBe(count)
    if (name === 'rows.ndjson') {
      expect(linesOf(text)).toEqual(Array.from({ length: count }, (_, i) => ({ id: i, y: 2 * i })))
    } else expect(Buffer.concat(parts)).toEqual(Buffer.from(bytes))
  })
})
