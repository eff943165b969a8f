import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '../rows/batch-builder.ts'
import { planRows } from '../rows/mapping.ts'
import { ndjson } from './ndjson.ts'
import type { ReadableSource } from './row-block.ts'

const plan = planRows(
  {},
  {
    inputs: [{ name: 'x', dtype: 'float32', shape: [-1, 2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [-1] }],
    version: '1',
  },
)

/** Rows of a text that comes in pieces of so many bytes: what each is kept as, or its error, and where it ends. */
async function rowsOf(bytes: Uint8Array, pieceBytes: number, offset = 0): Promise<unknown[]> {
  const source = {
    async *content(from: number) {
      for (let at = from; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
    },
  } as unknown as ReadableSource // nothing else of it is used
  const rows: unknown[] = []
  for await (const block of ndjson.blocks(source, offset, plan)) {
    for (let i = 0; i < block.count; i++) {
      const builder = new BatchBuilder(plan)
      let row: unknown
      try {
        block.add(i, builder, rows.length)
        const { kept, groups } = builder.take()
        row = [JSON.stringify([...kept]), [...(groups[0]?.feeds.get('x')?.data ?? [])]]
      } catch (error) {
        row = String(error).replace(/(?<=at byte )\d+$/, '')
      }
      rows.push([row, block.endOf(i), block.bytesOf(i)])
    }
  }
  return rows
}

describe('ndjson', () => {
  const bad = Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xc3]), Buffer.from('","x":[3,4]}')])
  const lines: readonly { readonly bytes: Buffer; readonly row?: unknown }[] = [
    { bytes: Buffer.from('\ufeff{"id":"é","x":[1,2]}'), row: ['[["id",[{"text":"\\"é\\""}]]]', [1, 2]] },
    { bytes: Buffer.from(' \t\r') },
    { bytes: Buffer.from('') },
    { bytes: bad, row: 'RowError: It is not UTF-8' },
    { bytes: Buffer.from('{"x":[5.25,-0.5],"id":"😀"}\r'), row: ['[["id",[{"text":"\\"😀\\""}]]]', [5.25, -0.5]] },
    { bytes: Buffer.from('{"id":7,"x":[1]}'), row: 'RowError: x takes [2] in each row, got [1]' },
    {
      bytes: Buffer.from('{"x":[1,2]}\r{"x":[1,2]}'),
      row: 'RowError: It is not JSON: another object follows, which takes a line of its own that ends with a line feed at byte ',
    },
    { bytes: Buffer.from('{"x":[7,8]}'), row: ['[]', [7, 8]] },
  ]
  const text = Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
  const endOf = (line: number) => lines.slice(0, line + 1).reduce((sum, { bytes }) => sum + bytes.length + 1, 0)
  const rows = lines.flatMap(({ bytes, row }, i) => (row ? [[row, endOf(i), bytes.length + 1]] : []))

  it('refuses the line that is not UTF-8 and no other, however the bytes come in pieces', async () => {
    for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++) {
      expect(await rowsOf(text, pieceBytes)).toEqual(rows)
      expect(await rowsOf(text.subarray(0, -1), pieceBytes)).toEqual(rows)
    }
    expect(await rowsOf(text, 10, endOf(3))).toEqual(rows.slice(2))
  })
})
