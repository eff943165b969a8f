import { describe, expect, it } from 'vitest'
import { guardedSize, hashOfInt, hashOfLong, KeyGuard } from './key-guard.ts'

/** How many of `keys` a guarded map takes. */
function taken(keys: readonly (number | bigint)[]): number {
  const guard = new KeyGuard()
  const map = new Map<number | bigint, boolean>()
  for (const key of keys) {
    map.set(key, true)
    if (map.size >= guardedSize && !guard.allows(map, key)) return map.size
  }
  return map.size
}

/** `ComputeLongHash` as V8 has it. */
function longHash(key: bigint): number {
  let hash = BigInt.asUintN(64, ~key + (key << 18n))
  hash ^= hash >> 31n
  hash = BigInt.asUintN(64, hash * 21n)
  hash ^= hash >> 11n
  hash = BigInt.asUintN(64, hash + (hash << 6n))
  hash ^= hash >> 22n
  return Number(BigInt.asIntN(32, hash))
}

it.each([0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, 0x123456789abcdefn])(
  'hashOfLong(%d) is the hash of V8',
  (key) => {
    expect(hashOfLong(key)).toBe(longHash(key))
    expect(hashOfLong(-key)).toBe(longHash(key))
  },
)

const count = 5000
const indexes = Array.from({ length: count }, (_, index) => index)

describe('KeyGuard', () => {
  it.each<readonly [string, (index: number) => number | bigint]>([
    ['in sequence', (i) => i],
    ['negative', (i) => -i],
    ['multiples of 2^16', (i) => (i << 16) | 0],
    ['multiples of 1000003', (i) => Math.imul(i, 1000003)],
    ['long, in sequence', (i) => BigInt(i)],
    ['long, shifted to the top', (i) => BigInt.asIntN(64, BigInt(i) << 48n)],
    ['long, negative', (i) => -BigInt(i) * 2n ** 40n],
  ])('takes keys %s', (_name, keyAt) => {
    expect(taken(indexes.map(keyAt))).toBe(new Set(indexes.map(keyAt)).size)
  })

  it('takes one key any number of times', () => {
    expect(taken([...indexes.slice(0, guardedSize), ...indexes.map(() => 7)])).toBe(guardedSize)
  })

  it('stops keys that share a bucket as soon as they show', () => {
    const colliding = (hash: (key: number) => number, at: number) => {
      const keys: number[] = []
      for (let key = 0; keys.length < at; key++) if ((hash(key) & 0x3f) === 5) keys.push(key)
      return keys
    }
    expect(taken(colliding(hashOfInt, 1000))).toBeLessThan(guardedSize * 2)
    const longs = colliding((key) => hashOfLong(BigInt(key)), 1000).map(BigInt)
    expect(taken(longs)).toBeLessThan(guardedSize * 2)
  })

  it('stops them after any number of good keys', () => {
    const good = indexes.slice(0, 4096)
    const bad: number[] = []
    for (let key = 4096; bad.length < 1000; key++) if ((hashOfInt(key) & 0xfff) === 5) bad.push(key)
    expect(taken([...good, ...bad])).toBeLessThan(4096 + 1000)
  })
})
