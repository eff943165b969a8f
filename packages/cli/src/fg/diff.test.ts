import { describe, expect, it } from 'vitest'
import { Diff } from './diff.ts'

const counts = (ours: string, logged: string | undefined, tolerance = 1e-6) => {
  const diff = new Diff(tolerance)
  diff.add('row', ours, logged)
  const [feature] = diff.features
  return feature && [feature.same, feature.reordered, feature.different, feature.notLogged]
}

describe('Diff', () => {
  it.each<[string, string | undefined, readonly number[] | undefined]>([
    ['f:1,2', 'f:1,2', [1, 0, 0, 0]],
    ['f:1,2', 'f:2,1', [0, 1, 0, 0]],
    ['f:1,2', 'f:1', [0, 0, 1, 0]],
    ['f:1;2', 'f:1;3', [0, 0, 1, 0]],
    ['f:0.1', 'f:0.10000000149', [1, 0, 0, 0]],
    ['f:0.1', 'f:0.2', [0, 0, 1, 0]],
    ['f:7.0', 'f:7', [1, 0, 0, 0]],
    ['f:1e-05', 'f:0.00001', [1, 0, 0, 0]],
    // Ids are not numbers that may be off by a little.
    ['f:10000000', 'f:10000001', [0, 0, 1, 0]],
    ['f:3:0.5,4:0.25', 'f:4:0.25,3:0.5', [0, 1, 0, 0]],
    ['f:', '', [1, 0, 0, 0]],
    ['f:1', '', [0, 0, 0, 1]],
    ['', 'f:1', [0, 0, 1, 0]],
    ['f:nan', 'f:nan', [1, 0, 0, 0]],
    ['f:1', undefined, undefined],
  ])('%j against %j', (ours, logged, expected) => {
    expect(counts(ours, logged)).toEqual(expected)
  })

  it('is the same when all features of all logged rows are', () => {
    const diff = new Diff(0)
    diff.add('a', 'f:1 | g:x', 'g:x | f:1')
    diff.add('b', 'f:1 | g:x', undefined)
    expect([diff.isSame, diff.rows, diff.unlogged]).toEqual([true, 1, 1])
    diff.add('c', 'f:1 | g:y', 'f:1 | g:x')
    expect(diff.isSame).toBe(false)
    expect(diff.features[1]?.first).toEqual({ row: 'c', ours: 'y', logged: 'x' })
  })
})
