import { expect, test } from 'vitest'
import { oneAtATime } from './one-at-a-time.ts'

test('the cores of several workers become the threads of one', () => {
  const model = { intraOpNumThreads: 1, pipeline: 'torch' }
  expect(oneAtATime({ name: 'digits', workersMax: 6, model })).toEqual({
    name: 'digits',
    workersMax: 1,
    model: { intraOpNumThreads: 6, pipeline: 'torch' },
  })
})

test('a service of one worker stays as it is', () => {
  const service = { workersMax: 1, model: { intraOpNumThreads: 4 } }
  expect(oneAtATime(service)).toEqual(service)
})
