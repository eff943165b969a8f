import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Slabs } from './slabs.ts'

const slabBytes = 1024 * 1024

/** Fills `slabs` with `bytes` bytes of a pattern, at most `pieceBytes` at a time. */
async function fill(slabs: Slabs, bytes: number, pieceBytes: number) {
  for (let at = 0; at < bytes; ) {
    const room = slabs.room()
    const count = Math.min(room.length, pieceBytes, bytes - at)
    for (let i = 0; i < count; i++) room[i] = patternAt(at + i)
    at += count
    await slabs.took(count)
  }
}

const patternAt = (at: number) => (at * 7 + (at >> 8)) & 255

describe('Slabs', () => {
  it.each([1, 1000, slabBytes - 1, slabBytes, slabBytes + 1, 3 * slabBytes, 3 * slabBytes + 17])(
    'writes %d bytes in order, one writing at a time, none of them touched meanwhile',
    async (bytes) => {
      const written: Buffer[] = []
      let writing = 0
      const slabs = new Slabs(bytes, async (slab) => {
        expect(writing++).toBe(0)
        const before = Buffer.from(slab)
        await sleep(1)
        expect(before.equals(slab)).toBe(true)
        written.push(before)
        writing--
      })
      await fill(slabs, bytes, 300_000)
      await slabs.end()
      const all = Buffer.concat(written)
      expect(all.length).toBe(bytes)
      expect(all.findIndex((byte, at) => byte !== patternAt(at))).toBe(-1)
      expect(slabs.room().length).toBe(0)
    },
  )

  it('writes what has come when it ends early', async () => {
    const written: number[] = []
    const slabs = new Slabs(5_000_000, async (slab) => void written.push(slab.length))
    await fill(slabs, slabBytes + 5, slabBytes)
    await slabs.end()
    expect(written).toEqual([slabBytes, 5])
  })

  it('rejects with what writing rejected with', async () => {
    const slabs = new Slabs(4 * slabBytes, () => Promise.reject(new Error('the disk is full')))
    await expect(fill(slabs, 4 * slabBytes, slabBytes)).rejects.toThrow('the disk is full')
    await expect(slabs.end()).rejects.toThrow('the disk is full')
  })
})
