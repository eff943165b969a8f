import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Reservoir } from './reservoir.ts'
import { type Collector, TopK } from './top-k.ts'

const collectors = { TopK, Reservoir }

function collect(collector: Collector, scores: readonly number[]) {
  scores.forEach((score, position) => {
    if (score > collector.threshold) collector.add(score, position)
  })
  const { count, scores: kept, positions } = collector.finish()
  return Array.from({ length: count }, (_, i) => ({ score: kept[i], position: positions[i] }))
}

describe.each(Object.entries(collectors))('%s', (_, Collector) => {
  it('keeps what sorting would put first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        (scores, k) => {
          const kept = collect(new Collector(k, (a, b) => a < b), scores)
          const sorted = [...scores].sort((a, b) => b - a).slice(0, k)
          expect(kept.map(({ score }) => score)).toEqual(sorted)
          expect(kept.every(({ score, position }) => scores[position ?? -1] === score)).toBe(true)
          expect(new Set(kept.map(({ position }) => position)).size).toBe(kept.length)
        },
      ),
    )
  })

  it('lists equal scores by the tie-break', () => {
    const scores = [1, 5, 5, 0, 5]
    const positions = (tieBreak: (a: number, b: number) => boolean) =>
      collect(new Collector(4, tieBreak), scores).map(({ position }) => position)
    expect(positions((a, b) => a < b)).toEqual([1, 2, 4, 0])
    expect(positions((a, b) => a > b)).toEqual([4, 2, 1, 0])
  })

  it('never takes what is not a number, and holds as many infinities as it is given', () => {
    const scores = Array.from({ length: 100 }, (_, i) => (i % 2 ? Number.NaN : Number.POSITIVE_INFINITY))
    const kept = collect(new Collector(3, (a, b) => a < b), scores)
    expect(kept.map(({ score }) => score)).toEqual([Infinity, Infinity, Infinity])
  })
})
