import { expect, it } from 'vitest'
import { CpuBudget } from './cpu-budget.ts'

it('CpuBudget does what fits into its share, and a burst before that', () => {
  let now = 0
  const budget = new CpuBudget(0.02, 50, () => now)
  const work = () =>
    budget.spend(() => {
      now += 10
      return true
    })
  const done = (times: number, pauseMs: number) =>
    Array.from({ length: times }, () => {
      now += pauseMs
      return work() === true
    }).filter(Boolean).length
  // The time that the work takes counts too.
  expect(done(10, 0)).toBe(6)
  // Of a thousand rounds of 10 ms, 2 % are 20 times 10 ms.
  expect(done(1000, 10)).toBeGreaterThan(15)
  expect(done(1000, 10)).toBeLessThan(25)
  now += 1_000_000
  expect(done(10, 0)).toBe(6)
})
