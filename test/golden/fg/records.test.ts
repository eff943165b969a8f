import { expect, it } from 'vitest'
import { vectors } from './vectors.ts'

it('every record is of a kind that a test here runs', () => {
  const counts = new Map<string, number>()
  for (const { kind } of vectors) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  expect(Object.fromEntries(counts)).toEqual({
    batch_layout: 2,
    dump_format: 1,
    fg: 154,
    fg_default: 21,
    fg_encoded: 42,
    fg_encoded_parser: 15,
    fg_json: 2,
    hash: 3,
  })
})
