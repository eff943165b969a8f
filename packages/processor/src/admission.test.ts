import { EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { Admission } from './admission.ts'

function admission(insideMax: number, rateLimit = 0) {
  let time = 0
  const entrance = new Admission({ insideMax, queueMax: 1, rateLimit, now: () => time })
  return {
    entrance,
    wait: (ms: number) => {
      time += ms
    },
    enter() {
      try {
        entrance.enter()
        return 200
      } catch (thrown) {
        return EasError.from(thrown).status
      }
    },
  }
}

describe('Admission', () => {
  it('lets in as many as there are places, refuses the next with 450, and gives a place back', () => {
    const { enter, entrance } = admission(2)
    expect([enter(), enter(), enter()]).toEqual([200, 200, 450])
    expect(() => entrance.checkOpen()).toThrow('Queue full: 1 requests are waiting already')
    entrance.leave()
    expect(() => entrance.checkOpen()).not.toThrow()
    expect([enter(), enter()]).toEqual([200, 450])
  })

  it('refuses requests over rate_limit with 429, and refills steadily', () => {
    const { enter, wait } = admission(99, 2)
    expect([enter(), enter(), enter(), enter()]).toEqual([200, 200, 429, 429])
    wait(500)
    expect([enter(), enter()]).toEqual([200, 429])
    wait(60_000)
    expect([enter(), enter(), enter()]).toEqual([200, 200, 429])
  })
})
