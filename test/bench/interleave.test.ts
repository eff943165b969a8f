import { describe, expect, it } from 'vitest'
import { interleave, median, medianDifference, medianRatio, quantile } from './interleave.ts'

describe('interleave()', () => {
  it('measures in turn, each round in the other direction, and drops the warm-ups', async () => {
    const order: string[] = []
    const contender = (name: string) => () => order.push(name)
    const samples = await interleave({ a: contender('a'), b: contender('b') }, { rounds: 3, warmUps: 1 })
    expect(order.join('')).toBe('abbaabba')
    expect(samples).toEqual({ a: [4, 5, 8], b: [3, 6, 7] })
  })
})

describe('statistics', () => {
  it('median() takes the middle, or the mean of two', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([])).toBeNaN()
  })

  it('quantile() takes a sample that was measured', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
    expect(quantile(hundred, 0.99)).toBe(100)
    expect(quantile(hundred, 0.5)).toBe(51)
    expect(quantile([7], 0.99)).toBe(7)
  })

  it('compares within a round, so that a slow round does not count twice', () => {
    expect(medianRatio([2, 20, 4], [1, 10, 2])).toBe(2)
    expect(medianDifference([3, 13, 4], [1, 10, 2])).toBe(2)
  })
})
