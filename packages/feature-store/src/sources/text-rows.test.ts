import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FeatureStoreError } from '../feature-store-error.ts'
import type { Row } from '../rows.ts'
import { csvRows, ndjsonRows } from './text-rows.ts'

const golden = join(import.meta.dirname, '../../../../test/golden/feature-store')

/** Bytes in pieces of `size`. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(format: typeof csvRows, text: string | Uint8Array, size = 7): Promise<readonly Row[]> {
  const rows: Row[] = []
  for await (const row of format(pieces(Buffer.from(text), size), 'items')) rows.push(row)
  return rows
}

describe('csvRows()', () => {
  it.each<[string, readonly Row[]]>([
    ['a,b\n1,2\n', [{ a: '1', b: '2' }]],
    ['\ufeffa,b\r\n1,2\r\n\r\n3,', [{ a: '1', b: '2' }, { a: '3' }]],
    ['a,b\n"x ""y"", z\n\nnext",2', [{ a: 'x "y", z\n\nnext', b: '2' }]],
    ['a,b\n"","""\n"""', [{ b: '"\n"' }]],
    ['"a b","c"\n1,"2"', [{ 'a b': '1', c: '2' }]],
    ['a\n', []],
    ['', []],
  ])('reads what RFC 4180 says, however it is cut into pieces: case %#', async (text, rows) => {
    for (const size of [1, 2, 3, 100]) expect(await read(csvRows, text, size)).toEqual(rows)
  })

  it.each([
    ['a,b\n1\n', 'record 2 of items has 1 cells instead of 2'],
    ['a\n"', 'record 2 of items has a quote that is not closed'],
    ['a\n"x""', 'record 2 of items has a quote that is not closed'],
    ['a\n"x\ny\n', 'record 2 of items has a quote that is not closed'],
  ])('refuses %j', async (text, message) => {
    await expect(read(csvRows, text)).rejects.toThrow(`Cannot load items: ${message}`)
  })

  // Looking at the start of the cell again with every line would take minutes.
  it('refuses a quote that is open for a million lines', async () => {
    const text = Buffer.from(`a\n"${'x\n'.repeat(1_000_000)}`)
    await expect(read(csvRows, text, 65_536)).rejects.toThrow('has a quote that is not closed')
  })
})

describe.each([
  ['csvRows()', csvRows, 'catalogue.csv'],
  ['ndjsonRows()', ndjsonRows, 'catalogue.ndjson'],
] as const)('%s of a damaged file', (_, format, file) => {
  const bytes = readFileSync(join(golden, file)).subarray(0, 2000)

  it('gives rows or a FeatureStoreError', async () => {
    const damage = fc.record({
      end: fc.nat(bytes.length),
      at: fc.nat(bytes.length - 1),
      byte: fc.nat(255),
      size: fc.integer({ min: 1, max: 300 }),
    })
    const property = fc.asyncProperty(damage, async ({ end, at, byte, size }) => {
      const damaged = Buffer.from(bytes)
      damaged[at] = byte
      await read(format, damaged.subarray(0, end), size).catch((error) => {
        expect(error).toBeInstanceOf(FeatureStoreError)
        expect(error.message).toMatch(/^Cannot load items: [^\n]{1,400}$/)
      })
    })
    await fc.assert(property, { numRuns: 300 })
  })
})
