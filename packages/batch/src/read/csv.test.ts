import { describe, expect, it } from 'vitest'
import { RowError } from '../batch-error.ts'
import { BatchBuilder } from '../rows/batch-builder.ts'
import { planRows } from '../rows/mapping.ts'
import { jsonOfKept } from '../write/values.ts'
import { csv } from './csv.ts'
import { type CsvOptions, parseCsvOptions } from './csv-options.ts'
import type { ReadableSource } from './row-block.ts'

/** Of each row what feeds `x`, and what is kept; or why it fails. */
async function rowsOf(text: string, options: CsvOptions = {}, shape: readonly number[] = [-1]): Promise<unknown[]> {
  const bytes = Buffer.from(text)
  const source = {
    async *content(from: number) {
      for (let at = from; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7)
    },
  } as unknown as ReadableSource // nothing else of it is used
  const x = { name: 'x', dtype: 'float32', shape } as const
  const plan = planRows({ csv: options }, { inputs: [x], outputs: [{ ...x, name: 'y' }], version: '1' })
  const rows: unknown[] = []
  for await (const block of csv.blocks(source, 0, plan)) {
    for (let i = 0; i < block.count; i++) {
      const builder = new BatchBuilder(plan)
      try {
        block.add(i, builder, rows.length)
        const { kept, groups } = builder.take()
        const json = Object.fromEntries([...kept].map(([name, [value]]) => [name, JSON.parse(jsonOfKept(value))]))
        const [first, ...others] = groups[0]?.feeds.get('x')?.data ?? []
        rows.push([first, ...others, json])
      } catch (thrown) {
        if (!(thrown instanceof RowError)) throw thrown
        rows.push(thrown.message)
      }
    }
  }
  return rows
}

describe('csv', () => {
  it('of Spark: a mark within a value stands behind a backslash', async () => {
    // df.write.option('header', True).csv(...): quote `"`, escape `\`, marks only where they are needed.
    const text = String.raw`x,s
1,"he said \"no\", twice"
2,"\""
3,plain \ back
4,"a \\ b, c:\temp"
5,"two
lines \"q\""
6,"old ""style"""
`
    expect(await rowsOf(text, { escape: '\\' })).toEqual([
      [1, { s: 'he said "no", twice' }],
      [2, { s: '"' }],
      [3, { s: 'plain \\ back' }],
      [4, { s: 'a \\ b, c:\\temp' }],
      [5, { s: 'two\nlines "q"' }],
      [6, { s: 'old "style"' }],
    ])
  })

  it('of Spark, read as RFC 4180 has it: each row that means something else fails alone and names the setting', async () => {
    const hint = String.raw`if \" is a quotation mark within a value, as Spark writes it, the mapping has to say "csv": {"escape": "\\"}`
    const text = String.raw`x,s
1,"he said \"no\", twice"
2,b
3,"\"",
4,"b"
5,"\""
6,"c"
`
    expect(await rowsOf(text)).toEqual([
      `Something follows a quoted field; ${hint}`,
      [2, { s: 'b' }],
      expect.stringContaining(hint),
      [4, { s: 'b' }],
      expect.stringContaining(hint),
      [6, { s: 'c' }],
    ])
  })

  it('of Hive and MaxCompute: \\u0001 between values, \\N for none, no header, marks that mean nothing', async () => {
    const lines = ['1\u0001a "b"', '\\N\u0001c', '3\u0001\\N', '4\u0001"', '5\u0001NaN']
    const options = { columns: ['x', 's'], null: '\\N', quote: '' }
    expect(await rowsOf(`${lines.join('\n')}\n`, options)).toEqual([
      [1, { s: 'a "b"' }],
      'x is null',
      [3, { s: null }],
      [4, { s: '"' }],
      [5, { s: 'NaN' }],
    ])
    await expect(rowsOf(lines.slice(1).join('\n'))).rejects.toThrow(
      /no column x; the header has .*; if it has no header, the mapping has to say "csv": \{"columns": \["…"\]\}/,
    )
    await expect(rowsOf(lines.join('\n'))).rejects.toThrow(/header is wrong: .*; if it has no header/)
    const [, second, , fourth] = await rowsOf(lines.join('\n'), { columns: ['x', 's'] })
    expect(second).toMatch(/^x: "\\\\N" is no number; if \\N stands for no value, .* "csv": \{"null": "\\\\N"\}$/)
    expect(fourth).toMatch(/"csv": \{"quote": ""\}$/)
  })

  it('of Hive: lists have \\u0002 between their values', async () => {
    expect(await rowsOf('1.5\u00022\u0001a', { columns: ['x', 's'] }, [-1, 2])).toEqual([[1.5, 2, { s: 'a' }]])
  })

  it('with escapes and no marks, as Hive has them with ESCAPED BY', async () => {
    const text = '1\u0001a\\\u0001b\\\\\\nc\n2\u0001d\\\ne\n\\N\u0001\\\\N\n'
    const options = { columns: ['x', 's'], null: '\\N', quote: '', escape: '\\' }
    expect(await rowsOf(text, options)).toEqual([[1, { s: 'a\u0001b\\\nc' }], [2, { s: 'd\ne' }], 'x is null'])
  })

  it('without a header may begin with a byte order mark, and may be empty', async () => {
    expect(await rowsOf('\ufeff7,a\r\n8,b', { columns: ['x', 's'] })).toEqual([
      [7, { s: 'a' }],
      [8, { s: 'b' }],
    ])
    expect(await rowsOf('', { columns: ['x'] })).toEqual([])
    expect(await rowsOf('x,s\r\n')).toEqual([])
  })

  it('says what is the matter with lines that end otherwise, and with columns of which one would go lost', async () => {
    await expect(rowsOf('x,s\r1,a\r2,b\r')).rejects.toThrow(/carriage return alone/)
    await expect(rowsOf('x,y\n1,2\n')).rejects.toThrow(
      /column y is kept, and an output has its name.*"outputs": \{"y": "new_y"\}/,
    )
    await expect(rowsOf('x,id,id\n1,2,3\n')).rejects.toThrow(/the header has two columns id/)
    expect(await rowsOf('x,,\n1,,\n')).toEqual([[1, { '': '' }]])
  })
})

describe('parseCsvOptions()', () => {
  it.each([
    [[], /csv must be an object/],
    [{ sep: ',' }, /csv has no sep; it has delimiter, quote, escape, null, columns/],
    [{ delimiter: '::' }, /csv\.delimiter must be one character of ASCII/],
    [{ delimiter: '\n' }, /csv\.delimiter must be one character/],
    [{ quote: '«' }, /csv\.quote must be one character of ASCII, or none/],
    [{ columns: 'a,b' }, /csv\.columns must be a list of names/],
    [{ delimiter: '"' }, /csv\.delimiter and csv\.quote are the same/],
  ])('refuses %j', (json, error) => {
    expect(() => parseCsvOptions(json)).toThrow(error)
  })
})
