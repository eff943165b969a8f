import { describe, expect, it } from 'vitest'
import { compileReplace, createTextNormalizer, editDistance, PatternError } from './index.ts'

/** The table of distances, row by row. */
function plainDistance(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, symbol] of a.entries()) {
    const next = [i + 1]
    for (const [j, other] of b.entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (symbol === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

describe('editDistance()', () => {
  it('agrees with the table on texts of up to 200 symbols', () => {
    let state = 1
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const text = () => Array.from({ length: random(200) }, () => ['a', 'b', 'c', '裙', '😀'][random(5)] ?? '')
    for (let i = 0; i < 200; i++) {
      const [a, b] = [text(), text()]
      expect(editDistance(a.join(''), b.join(''), 'utf-8')).toBe(plainDistance(a, b))
    }
  })

  it.each([
    ['裙子', '连衣裙', 'utf-8', 3], // from TorchEasyRec's tests
    ['裙子', '裙', 'latin', 3],
    ['kitten', 'sitting', 'latin', 3],
    ['', 'abc', 'utf-8', 3],
    ['', '', 'latin', 0],
    ['😀', '😁', 'utf-8', 1],
    ['😀', '😁', 'latin', 1],
  ] as const)('of %j and %j by %s is %d', (a, b, encoding, distance) => {
    expect(editDistance(a, b, encoding)).toBe(distance)
    expect(editDistance(b, a, encoding)).toBe(distance)
  })

  it('compares long texts that are alike, and refuses long ones that are not', () => {
    const long = 'ab'.repeat(500_000)
    expect(editDistance(`${long}x`, `${long}y`, 'utf-8')).toBe(1)
    expect(() => editDistance(long, 'cd'.repeat(500_000))).toThrow('too long')
  })
})

describe('compileReplace()', () => {
  // Expected as by RE2::GlobalReplace and RE2::Replace.
  it.each([
    ['[^a-z]+', ' ', {}, 'a1b22c', 'a b c'],
    ['(\\w+)@(\\w+)', '\\2 at \\1', {}, 'x@y z@w', 'y at x w at z'],
    ['b', '[\\0]', {}, 'abab', 'a[b]a[b]'],
    ['b', '\\\\', {}, 'ab', 'a\\'],
    ['b', '$1 $& $$', {}, 'ab', 'a$1 $& $$'],
    ['b', 'x', { replace_all: false }, 'abab', 'axab'],
    ['B', 'x', { icase: true }, 'abAB', 'axAx'],
    ['x*', '-', {}, 'axb', '-a-b-'],
    ['', '-', {}, 'h😀i', '-h-😀-i-'],
    ['^a', 'x', {}, 'aaa', 'xaa'],
    ['\\bb', 'x', {}, 'ab b', 'ab x'],
    ['a$', 'x', {}, 'aa', 'ax'],
    ['(a)|b', '<\\1>', {}, 'ab', '<a><>'],
    [['a', 'b'], 'b', {}, 'aab', 'bbb'],
    ['[裙子]', '', {}, '连衣裙', '连衣'],
  ] as const)('%j to %j', (pattern, replacement, options, text, replaced) => {
    expect(compileReplace(pattern, replacement, options)(text)).toBe(replaced)
  })

  it.each([
    ['(', '', 'missing closing )'],
    ['(?=a)', '', 'invalid or unsupported Perl syntax'],
    ['(a)\\1', '', 'invalid escape'],
    ['a', '\\1', 'Cannot replace by group 1: pattern "a" has 0'],
    ['a', '\\q', 'Cannot read replacement: "\\\\q"'],
    ['a', '\\', 'Cannot read replacement'],
    [[], '', 'no pattern'],
    ['a{1001}', '', 'invalid repeat count'],
    ['((a{100}){100}){100}', '', 'invalid repeat count'],
    ['a{1000}'.repeat(100), '', 'instructions'],
    ['('.repeat(1e6), '', '1000000 characters'],
    ['('.repeat(2000) + ')'.repeat(2000), '', 'nests too deeply'],
  ])('refuses %j', (pattern, replacement, message) => {
    expect(() => compileReplace(pattern, replacement)).toThrow(message)
    expect(() => compileReplace(pattern, replacement)).toThrow(PatternError)
  })

  // What takes a backtracking engine longer than anyone waits.
  it.each(['(a+)+$', '(a|aa)+$', '(a*)*c', '(x+x+)+y', 'a*a*a*a*a*c'])('is linear in the text: %s', (pattern) => {
    const text = `${'a'.repeat(20_000)}b`
    expect(compileReplace(pattern, '-')(text)).toBe(text)
  })
})

describe('createTextNormalizer()', () => {
  it.each([
    [{ parameter: 4 }, 'ABC efg', 'abc efg'], // from TorchEasyRec's tests
    [{ parameter: 2 }, 'abc ß é', 'ABC ß É'],
    [{ parameter: 4 }, 'İI', 'İi'],
    [{ parameter: 8 }, 'Ａｂ！～　１', 'Ab!~ 1'],
    [{ parameter: 16 }, '漢語，後來', '汉语，后来'],
    [{ parameter: 32 }, 'a,b。c<d>\te', 'abcd\te'],
    [{ parameter: 32, stop_chars: 'a\n。\n' }, 'a,b。c', ',bc'],
    [{ parameter: 512 }, '中文abc中  d', '中 文 abc 中  d'],
    [{}, '漢Ａb!', '汉AB'],
    [{ parameter: 0 }, 'Ａb!', 'Ａb!'],
    [{ parameter: 2, remove_space: true }, ' a\u3000b\n', 'AB'],
    [{ parameter: 2, max_length: 3 }, 'a😀b', 'A😀B'],
    [{ parameter: 2, max_length: 3 }, 'a😀bc', 'a😀bc'],
  ])('%j of %j is %j', (options, text, normalized) => {
    expect(createTextNormalizer(options)(text)).toBe(normalized)
  })

  it.each([{ parameter: 1 }, { parameter: 64 }, { parameter: -2 }, { parameter: 2.5 }, { is_gbk_input: true }])(
    'refuses %j',
    (options) => {
      expect(() => createTextNormalizer(options)).toThrow(RangeError)
    },
  )

  it('takes long texts', () => {
    const normalize = createTextNormalizer({ parameter: 2 + 8 + 16 + 32 + 512, remove_space: false })
    expect(normalize('漢 '.repeat(200_000)).length).toBe(400_000)
    expect(normalize(' '.repeat(400_000)).length).toBe(400_000)
  })
})
