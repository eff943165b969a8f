import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileExpression, type ExpressionColumn, ExpressionError, renderExpressionLanguage } from './index.ts'

type Plain = number | 'nan' | 'inf' | '-inf'
interface Case {
  readonly source: string
  readonly fill_missing: Plain
  readonly columns: { readonly [name: string]: readonly (Plain | readonly Plain[])[] }
  readonly expected: readonly (Plain | readonly Plain[])[]
}

// Our own file, of the shape that its generator gives.
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/fg-expression/cases.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Case[] }

const numberOf = (plain: Plain): number =>
  plain === 'nan' ? Number.NaN : plain === 'inf' ? Infinity : plain === '-inf' ? -Infinity : plain

const isVector = (value: Plain | readonly Plain[]): value is readonly Plain[] => Array.isArray(value)

function columnOf(rows: readonly (Plain | readonly Plain[])[]): ExpressionColumn {
  if (!rows.some(isVector)) return Float64Array.from(rows as readonly Plain[], numberOf) // none is a vector
  const vectors = rows.map((row) => (isVector(row) ? row : [row]))
  const offsets = Int32Array.of(0, ...vectors.map((_, i) => vectors.slice(0, i + 1).flat().length))
  return { values: Float64Array.from(vectors.flat(), numberOf), offsets }
}

/** Equal up to what libraries' functions may differ in, which is more where terms cancel each other. */
function isClose(actual: number, expected: number): boolean {
  if (Object.is(actual, expected) || actual === expected) return true
  return Math.abs(actual - expected) <= 1e-9 * Math.max(1e-6, Math.abs(expected))
}

const numbers = (...values: number[]) => Float64Array.of(...values)

describe('compileExpression()', () => {
  it(`agrees with another evaluator on ${golden.cases.length} expressions`, () => {
    const wrong: unknown[] = []
    for (const { source, fill_missing, columns, expected } of golden.cases) {
      const compiled = compileExpression(source, Object.keys(columns), { fill_missing: numberOf(fill_missing) })
      const given = Object.values(columns).map(columnOf)
      const rows = expected.length
      const { values, offsets } = compiled.evaluateVectors(given, rows)
      const first = compiled.evaluate(given, rows)
      for (const [row, value] of expected.entries()) {
        const wanted = (isVector(value) ? value : [value]).map(numberOf)
        const got = [...values.subarray(offsets[row], offsets[row + 1])]
        const same = got.length === wanted.length && got.every((x, i) => isClose(x, wanted[i] ?? 0))
        if (!same || !Object.is(first[row], got[0])) wrong.push({ source, row, got, wanted, first: first[row] })
      }
    }
    expect(wrong).toEqual([])
  })

  it('repeats one number, or one vector, for all rows', () => {
    const { evaluate } = compileExpression('dot(a, b) * c', ['a', 'b', 'c'])
    const a = { values: numbers(1, 2), offsets: Int32Array.of(0, 2) }
    const b = { values: numbers(1, 1, 3, 4, 5, 6), offsets: Int32Array.of(0, 2, 4, 6) }
    expect([...evaluate([a, b, numbers(10)], 3)]).toEqual([30, 110, 170])
  })

  it('computes any number of rows, a stretch at a time', () => {
    const rows = 5000
    const a = Float64Array.from({ length: rows }, (_, row) => row)
    const out = new Float64Array(rows)
    expect(compileExpression('a * 2 + 1', ['a']).evaluate([a], rows, out)).toBe(out)
    expect(out.every((value, row) => value === row * 2 + 1)).toBe(true)
    const vectors = { values: a, offsets: Int32Array.of(0, 0, 3000, 3001, 5000) }
    expect([...compileExpression('reduce_sum(v) + len(v)', ['v']).evaluate([vectors], 4)]).toEqual([
      0,
      (2999 * 3000) / 2 + 3000,
      3000 + 1,
      ((3001 + 4999) * 1999) / 2 + 1999,
    ])
  })

  it('gives NaN for the first element of none, and an empty vector', () => {
    const { evaluate, evaluateVectors } = compileExpression('v + 1', ['v'])
    const empty = { values: numbers(5), offsets: Int32Array.of(0, 0, 1) }
    expect([...evaluate([empty], 2)]).toEqual([Number.NaN, 6])
    expect(evaluateVectors([empty], 2)).toEqual({ values: numbers(6), offsets: Int32Array.of(0, 0, 1) })
  })

  it('draws a number per element for rnd()', () => {
    let drawn = 0
    const { evaluate } = compileExpression('rnd() + a * 0', ['a'], { random: () => drawn++ / 10 })
    expect([...evaluate([numbers(7, 8, 9)], 3)]).toEqual([0, 0.1, 0.2])
  })

  it.each([
    ['', 0, 'a number, a variable or ( expected, found the end'],
    ['1 +', 3, 'a number, a variable or ( expected, found the end'],
    ['a b', 2, 'an operator expected, found b'],
    ['(a', 2, ') expected, found the end'],
    ['a ? b', 5, ': expected, found the end'],
    ['x + 1', 0, 'no variable is named x'],
    ['1 + foo(a)', 4, 'no function is named foo'],
    ['mod(a)', 0, 'mod takes 2 arguments, not 1'],
    ['min()', 0, 'min takes 1 to 255 arguments, not 0'],
    ['rnd(1)', 0, 'rnd takes 0 arguments, not 1'],
    ['a = b', 2, '"=" means nothing'],
    ['a + 😀', 4, '"😀" means nothing'],
    ['a..b', 1, '"." means nothing'],
  ])('says where %j is wrong', (source, offset, reason) => {
    const compile = () => compileExpression(source, ['a', 'b'])
    expect(compile).toThrow(ExpressionError)
    expect(compile).toThrow(`Cannot read expression at ${offset}: ${reason}`)
  })

  it.each([
    ['a million characters', '('.repeat(1e6)],
    ['parentheses', '('.repeat(8000) + ')'.repeat(8000)],
    ['signs', `${'-'.repeat(16_000)}1`],
    ['powers', `a${'^a'.repeat(8000)}`],
    ['questions', `a${'?a:a'.repeat(4000)}`],
    ['calls', 'abs('.repeat(4000)],
    ['vector calls', 'len('.repeat(4000)],
    ['constants', Array.from({ length: 3000 }, (_, i) => i).join('+a*')],
  ])('refuses what is too long or too deep: %s', (_, source) => {
    expect(() => compileExpression(source, ['a'])).toThrow(ExpressionError)
  })

  it('takes a long sum, which needs no depth', () => {
    const { evaluate } = compileExpression(`a${'+a'.repeat(8000)}`, ['a'])
    expect([...evaluate([numbers(2)], 1)]).toEqual([16_002])
  })

  it('refuses columns with too few rows, and offsets that leave their values', () => {
    const { evaluate } = compileExpression('a + b', ['a', 'b'])
    expect(() => evaluate([numbers(1, 2)], 3)).toThrow('column 0 has 2 values for 3 rows')
    expect(() => evaluate([numbers(1)], 3)).toThrow('there is no column 1')
    const past = { values: numbers(1), offsets: Int32Array.of(0, 1, 5, 6) }
    expect(() => evaluate([numbers(1), past], 3)).toThrow('offset 2 of column 1 is 5')
  })
})

it('renderExpressionLanguage() says which operators bind alike', () => {
  const table = renderExpressionLanguage()
  expect(table).toContain('`?:`, `\\|\\|`, `&&`, `\\|`, `&`, `<=` `>=` `!=` `==` `>` `<`, `+` `-`, `*` `/`, signs, `^`')
  expect(table.split('\n')).toHaveLength(6)
})
