import { EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { replay, type WarmUpRequest } from './replay.ts'

const request = (name: string): WarmUpRequest => ({ name, body: Uint8Array.of(name.length) })
async function* of(...items: readonly (WarmUpRequest | EasError)[]) {
  yield* items
}

/** A model whose latencies are given, and a clock that they move. */
function model(latencies: readonly number[]) {
  let time = 0
  let calls = 0
  return {
    now: () => time,
    send: async () => {
      const ms = latencies[Math.min(calls++, latencies.length - 1)] ?? 0
      time += ms
      return ms
    },
    get calls() {
      return calls
    },
  }
}

describe('replay()', () => {
  it('sends each request as often as asked while it gets faster', async () => {
    const { now, send } = model([100, 50, 25, 12, 6])
    const report = await replay(of(request('a')), send, { sends: 5, budgetMs: 10_000, now })
    expect(report).toEqual({
      requests: 1,
      sent: 5,
      failed: 0,
      skipped: 0,
      firstMs: 100,
      lastMs: 6,
      totalMs: 193,
      ended: 'done',
    })
  })

  it('stops when latency has settled', async () => {
    const { now, send } = model([100, 10, 10, 10, 10, 10])
    const report = await replay(of(request('a')), send, { sends: 20, budgetMs: 10_000, now })
    expect(report).toMatchObject({ sent: 5, ended: 'settled' })
  })

  it('stops when its time is up, within a request and before the next', async () => {
    const { now, send } = model([60, 50, 40])
    const report = await replay(of(request('a'), request('b')), send, { sends: 5, budgetMs: 100, now })
    expect(report).toMatchObject({ requests: 1, sent: 2, ended: 'budget' })
  })

  it('counts what fails and what cannot be read, and goes on', async () => {
    let calls = 0
    const report = await replay(
      of(new EasError('invalid_request', 'Cannot read a.pb: it is empty'), request('bad'), request('good')),
      async () => {
        if (calls++ === 0) throw new EasError('invalid_request', 'Missing input x')
        return 1
      },
      { sends: 2, budgetMs: 100, now: () => 0 },
    )
    expect(report).toMatchObject({
      requests: 2,
      sent: 2,
      failed: 1,
      skipped: 1,
      firstFailure: 'Cannot read a.pb: it is empty',
    })
  })

  it('has nothing to do with no requests', async () => {
    const report = await replay(of(), async () => 1, { sends: 5, budgetMs: 100, now: () => 0 })
    expect(report).toMatchObject({ requests: 0, sent: 0, firstMs: 0, lastMs: 0, ended: 'done' })
  })
})
