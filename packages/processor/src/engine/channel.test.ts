import { expect, it } from 'vitest'
import { ParentEnd, WorkerEnd } from './channel.ts'
import type { FromWorker } from './messages.ts'

const answer = (id: number): FromWorker => ({
  kind: 'outcomes',
  outcomes: [{ id, body: Uint8Array.of(id), headers: undefined, stages: { decode: 0, compute: 0, encode: 0 } }],
})

it('An answer rings for the event loop, except while that looks for answers itself', async () => {
  const ids: number[] = []
  let heard = () => {}
  const parent = new ParentEnd((message) => {
    if (message.kind === 'outcomes') ids.push(...message.outcomes.map(({ id }) => id))
    heard()
  })
  const worker = new WorkerEnd(parent.data)
  const rung = () =>
    new Promise<void>((resolve) => {
      heard = resolve
    })

  let bell = rung()
  worker.post(answer(1))
  await bell
  expect(ids).toEqual([1])

  parent.watch()
  worker.post(answer(2))
  worker.post(answer(3))
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  expect(ids).toEqual([1])
  expect(parent.look()).toBe(true)
  expect(ids).toEqual([1, 2, 3])

  worker.post(answer(4))
  expect(parent.look(false)).toBe(true)
  expect(parent.look(false)).toBe(false)
  bell = rung()
  worker.post(answer(5))
  await bell
  expect(ids).toEqual([1, 2, 3, 4, 5])
  parent.close()
})
