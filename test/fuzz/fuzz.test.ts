import { afterAll, expect, it } from 'vitest'
import { scratch } from '../support/onnx.ts'
import { fuzz, replay } from './fuzz.ts'

const files = scratch('fuzz-test')
afterAll(files.remove)

it('Damaged requests are all answered, for five seconds', async () => {
  const lines: string[] = []
  // A seed of its own each time: over many runs this is a long one, and what it finds can be replayed.
  const seed = Date.now() % 2 ** 32
  const { fault, requests, statuses } = await fuzz({ seconds: 5, seed, print: (line) => lines.push(line) })
  expect(fault, lines.join('\n')).toBeUndefined()
  expect(requests).toBeGreaterThan(500)
  expect([...statuses.keys()], 'some are sound enough to be computed').toContain(200)
})

it('A request that is not answered as it should be is kept, and can be sent again', async () => {
  const { fault, requests } = await fuzz({ seconds: 5, seed: 1, print: () => {}, msMax: -1, found: files.folder })
  expect(requests).toBe(1)
  const [, path = ''] = /^\w+: took \d+ ms; replay with: npm run fuzz -- --replay (\S+)$/.exec(fault ?? '') ?? []
  expect(await replay(path), 'sound, by the limit that is meant').toBeUndefined()
})
