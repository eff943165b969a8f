import { describe, expect, it } from 'vitest'
import { invocationCredentials } from './index.ts'

const set = (n: number) => ({ accessKeyId: `id${n}`, secretAccessKey: `secret${n}`, sessionToken: `token${n}` })

describe('invocationCredentials()', () => {
  it('has those of the invocation that came last, and none when all have ended', async () => {
    const credentials = invocationCredentials()
    expect(credentials.current).toThrow('no invocation under way has brought credentials')
    let endFirst = () => {}
    const first = credentials.with(
      set(1),
      () =>
        new Promise<void>((resolve) => {
          endFirst = resolve
        }),
    )
    expect(credentials.current()).toEqual(set(1))
    await credentials.with(set(2), async () => expect(credentials.current()).toEqual(set(2)))
    expect(credentials.current()).toEqual(set(1))
    endFirst()
    await first
    expect(credentials.current).toThrow('no invocation under way has brought credentials')
  })

  it('forgets those of an invocation that fails', async () => {
    const credentials = invocationCredentials()
    const failing = credentials.with(set(1), async () => Promise.reject(new Error('failed')))
    await expect(failing).rejects.toThrow('failed')
    expect(credentials.current).toThrow('no invocation under way has brought credentials')
  })

  it('needs none', async () => {
    const credentials = invocationCredentials()
    expect(await credentials.with(undefined, async () => 'done')).toBe('done')
    await expect(credentials.with(undefined, async () => credentials.current())).rejects.toThrow('needs a role')
  })
})
