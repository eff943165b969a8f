import { EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { Admission } from './admission.ts'

function admission(options: Partial<ConstructorParameters<typeof Admission>[0]> = {}) {
  let time = 0
  const begun: string[] = []
  const entrance = new Admission({ slots: 2, queueMax: 2, rateLimit: 0, now: () => time, ...options })
  return {
    begun,
    entrance,
    wait: (ms: number) => {
      time += ms
    },
    enter(name: string) {
      try {
        return entrance.enter(() => begun.push(name))
      } catch (thrown) {
        return EasError.from(thrown).status
      }
    },
  }
}
type Place = { leave(): void }

describe('Admission', () => {
  it('lets `slots` work and `queueMax` wait, and refuses the next with 450', () => {
    const { begun, enter, entrance } = admission()
    for (const name of ['a', 'b', 'c', 'd']) expect(enter(name)).toHaveProperty('leave')
    expect(begun).toEqual(['a', 'b'])
    expect(entrance.queued).toBe(2)
    expect(entrance.isFull).toBe(true)
    expect(enter('e')).toBe(450)
  })

  it('serves those who wait in the order they came', () => {
    const { begun, enter } = admission({ slots: 1, queueMax: 9 })
    const places = ['a', 'b', 'c', 'd'].map((name) => enter(name) as Place)
    for (const place of places) place.leave()
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
  })

  it('frees the place of one that leaves while waiting', () => {
    const { begun, enter, entrance } = admission({ slots: 1, queueMax: 1 })
    const a = enter('a') as Place
    const b = enter('b') as Place
    expect(enter('c')).toBe(450)
    b.leave()
    enter('d')
    a.leave()
    expect(begun).toEqual(['a', 'd'])
    expect(entrance.queued).toBe(0)
  })

  it('has no queue when queueMax is 0', () => {
    const { enter } = admission({ slots: 1, queueMax: 0 })
    const a = enter('a') as Place
    expect(enter('b')).toBe(450)
    a.leave()
    expect(enter('c')).toHaveProperty('leave')
  })

  it('refuses requests over rate_limit with 429, and refills steadily', () => {
    const { enter, wait } = admission({ slots: 99, rateLimit: 2 })
    expect([enter('a'), enter('b'), enter('c')].map((entered) => typeof entered === 'number')).toEqual([
      false,
      false,
      true,
    ])
    expect(enter('d')).toBe(429)
    wait(500)
    expect(enter('e')).toHaveProperty('leave')
    expect(enter('f')).toBe(429)
    wait(60_000)
    expect([enter('g'), enter('h'), enter('i')].filter((entered) => entered === 429)).toHaveLength(1)
  })
})
