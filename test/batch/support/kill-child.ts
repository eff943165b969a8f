import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tensor } from '@eas/base'
import { type BatchScorer, createBatch, defaultOptions } from '@eas/batch'
import { openStore } from '@eas/storage'

/**
 * What `kill.test.ts` kills at random moments: scores a file of rows, and notes in a log which rows it computes. Prints
 * `ready` before, and `done` after.
 */
const [input = '', output = '', log = '', chunkRows = '0'] = process.argv.slice(2)

const value = { dtype: 'float64', shape: [-1] } as const
const scorer: BatchScorer = {
  concurrency: 2,
  facts: async () => ({ inputs: [{ name: 'x', ...value }], outputs: [{ name: 'y', ...value }], version: '1' }),
  async run(feeds) {
    const { data } = feeds.get('x') as Tensor & { data: Float64Array } // the model's one input
    appendFileSync(log, `${data.join('\n')}\n`)
    await sleep(1)
    return new Map([['y', { dtype: 'float64', shape: [data.length], data: data.map((x) => x * x) }]])
  },
  predict: async (body) => body,
}
const batch = createBatch(scorer, openStore(output), {
  ...defaultOptions,
  chunk: { rows: Number(chunkRows), bytes: 1e9 },
  batchRows: 100,
})
process.stdout.write('ready\n')
const outcome = await batch.score(openStore(input), { signal: new AbortController().signal })
if (outcome.status !== 'done') throw new Error(outcome.status)
process.stdout.write('done\n')
