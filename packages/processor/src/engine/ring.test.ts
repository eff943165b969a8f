import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ring } from './ring.ts'

const bytes = (length: number, seed = 1) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff))

describe('Ring', () => {
  it('gives records back in their order, with their facts', () => {
    const shared = Ring.memory(64)
    const [writer, reader] = [new Ring(shared), new Ring(shared)]
    expect(writer.put([1, 2.5, -3, 2 ** 52 + 1], bytes(13))).toBe(true)
    expect(writer.put([9, 0, 0, 0], bytes(0))).toBe(true)
    expect(reader.take()).toEqual({ facts: [1, 2.5, -3, 2 ** 52 + 1], body: bytes(13) })
    expect(reader.take()).toEqual({ facts: [9, 0, 0, 0], body: bytes(0) })
    expect(reader.take()).toBeUndefined()
  })

  it('refuses what has no room, and has room again once records are taken', () => {
    const ring = new Ring(Ring.memory(32))
    expect(ring.put([0, 0, 0, 0], bytes(ring.recordBytesMax + 1))).toBe(false)
    expect(ring.put([0, 0, 0, 0], bytes(ring.recordBytesMax))).toBe(true)
    expect(ring.put([1, 0, 0, 0], bytes(ring.recordBytesMax))).toBe(true)
    expect(ring.put([2, 0, 0, 0], bytes(0))).toBe(false)
    ring.take()
    expect(ring.put([2, 0, 0, 0], bytes(0))).toBe(true)
  })

  it('loses and changes nothing, whatever is put and taken, for many times its size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.record({ length: fc.nat(200) }), fc.constant('take' as const)), { maxLength: 400 }),
        fc.integer({ min: -3, max: 3 }),
        (steps, nearWrap) => {
          const shared = Ring.memory(64)
          // Positions count up for ever; close to where 32 bits turn negative, and to where they turn over.
          new Int32Array(shared, 0, 2).fill((2 ** 31 + nearWrap * 64) | 0)
          const [writer, reader] = [new Ring(shared), new Ring(shared)]
          const inside: { id: number; length: number }[] = []
          let id = 0
          const take = () => {
            const record = reader.take()
            const expected = inside.shift()
            expect(record?.facts[0]).toBe(expected?.id)
            if (expected) expect(record?.body).toEqual(bytes(expected.length, expected.id))
          }
          for (const step of steps) {
            if (step === 'take') take()
            else if (writer.put([++id, 0, 0, 0], bytes(step.length, id))) inside.push({ id, length: step.length })
          }
          while (inside.length > 0) take()
          expect(reader.take()).toBeUndefined()
        },
      ),
    )
  })
})
