import { describe, expect, it } from 'vitest'
import { failuresText, type ObjectReference, type Scorer, type WorkItem, workOn } from './index.ts'

const object = (key: string, version?: string): ObjectReference => ({
  scheme: 'oss',
  bucket: 'b',
  key,
  ...(version === undefined ? {} : { version }),
})
const item = (id: string, ...objects: ObjectReference[]): WorkItem => ({ id, objects })
const later = () => Date.now() + 20_000

/** Scores by key: `bad…` fails, `throws…` throws, `never…` does not end before it is told to. */
function recorder() {
  const scored: string[] = []
  let atOnce = 0
  const most = { atOnce: 0 }
  const scorer: Scorer = {
    async score({ key }, { signal }) {
      most.atOnce = Math.max(most.atOnce, ++atOnce)
      scored.push(key)
      await new Promise((resolve) => setImmediate(resolve))
      atOnce--
      if (key.startsWith('never')) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      if (key.startsWith('throws')) throw new Error('broken')
      return key.startsWith('bad') ? { status: 'failed', error: 'bad bytes' } : { status: 'scored' }
    },
  }
  return { scorer, scored, most }
}

describe('workOn()', () => {
  it('fails an item for its own objects only', async () => {
    const { scorer } = recorder()
    const items = [item('1', object('a')), item('2', object('bad'), object('c')), item('3', object('throws'))]
    const result = await workOn(items, { scorer, deadline: later(), concurrency: 2 })
    expect(result).toEqual({
      done: ['1'],
      failures: [
        { id: '2', error: 'oss://b/bad: bad bytes' },
        { id: '3', error: 'oss://b/throws: broken' },
      ],
    })
    expect(failuresText(result, 3)).toBe('2 of 3 failed: 2: oss://b/bad: bad bytes; 3: oss://b/throws: broken')
  })

  it('scores what is named twice once, and another version of it again', async () => {
    const { scorer, scored } = recorder()
    const items = [
      item('1', object('a', 'v1')),
      item('2', object('a', 'v1')),
      item('3', object('a', 'v2')),
      item('4', object('bad')),
      item('5', object('bad')),
    ]
    const { done, failures } = await workOn(items, { scorer, deadline: later(), concurrency: 3 })
    expect(scored).toEqual(['a', 'a', 'bad'])
    expect([done, failures.map(({ id }) => id)]).toEqual([
      ['1', '2', '3'],
      ['4', '5'],
    ])
  })

  it('has done an item that asks for nothing, and failed one that cannot be read', async () => {
    const { scorer } = recorder()
    const items = [item('1'), { id: '2', objects: [], error: 'no object' }]
    expect(await workOn(items, { scorer, deadline: later(), concurrency: 1 })).toEqual({
      done: ['1'],
      failures: [{ id: '2', error: 'no object' }],
    })
  })

  it('works on no more at once than it may', async () => {
    const { scorer, most } = recorder()
    const items = Array.from({ length: 50 }, (_, i) => item(String(i), object(`k${i}`)))
    const { done } = await workOn(items, { scorer, deadline: later(), concurrency: 4 })
    expect([done.length, most.atOnce]).toEqual([50, 4])
  })

  it('has failed what is not done at the deadline, and does not begin what comes after', async () => {
    const { scorer, scored } = recorder()
    const items = ['a', 'never', 'b'].map((key) => item(key, object(key)))
    const { done, failures } = await workOn(items, { scorer, deadline: Date.now() + 50, concurrency: 1 })
    expect([done, failures.map(({ id }) => id), scored]).toEqual([['a'], ['never', 'b'], ['a', 'never']])
  })

  it('ends early when it is told to', async () => {
    const { scorer } = recorder()
    const stop = new AbortController()
    const result = workOn([item('never', object('never'))], {
      scorer,
      deadline: later(),
      concurrency: 1,
      signal: stop.signal,
    })
    stop.abort()
    expect((await result).failures).toHaveLength(1)
  })
})
