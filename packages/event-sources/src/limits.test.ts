import { EasError } from '@eas/base'
import type { EasRequest, EasResponse } from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import { handleWithin, platformLimits } from './index.ts'

const answer: EasResponse = { status: 200, headers: {}, body: Buffer.from('done') }
const request = (bytes: number): EasRequest => ({
  method: 'POST',
  target: '/api/predict/a',
  headers: {},
  body: Buffer.alloc(bytes),
})
const processor = { handle: async () => answer }

describe.each(Object.entries(platformLimits))('The limit of %s', (_, limits) => {
  it('is what a body may have, and not a byte more', async () => {
    expect((await handleWithin(processor, limits, request(limits.requestBytes))).status).toBe(200)
    const { status, body } = await handleWithin(processor, limits, request(limits.requestBytes + 1))
    const said = Buffer.from(body).toString()
    expect([status, said.startsWith('Request body too large: ')]).toEqual([413, true])
    expect(said).toContain(`${limits.platform} takes at most ${limits.requestBytes}; compress it (`)
    expect(said).toMatch(/, or score it as a batch$/)
    // What this software does not do is no way out.
    expect(said).not.toContain('HTTP/2')
  })

  it('lets a refusal be what it is without the limit', async () => {
    const refusing = { handle: async () => ({ ...answer, status: new EasError('unauthorized', '').status }) }
    expect((await handleWithin(refusing, limits, request(limits.requestBytes + 1))).status).toBe(401)
  })
})
