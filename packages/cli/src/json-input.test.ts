import { type DType, EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { parseJsonInput, tensorOfJson } from './json-input.ts'

const int64Takes = 'int64 takes integers from -9223372036854775808 to 9223372036854775807'
const tensor = (text: string, dtype?: DType) => tensorOfJson(parseJsonInput(text, 'x'), 'x', dtype)

describe('parseJsonInput()', () => {
  it.each([
    ['[1,\n 2,,3]', 'line 2 column 4 has ",3]"'],
    ['[1, 2', 'line 1 column 6 has the end'],
    ['[hello]', 'line 1 column 2 has "hello]"'],
    ['{"a": [1], "b" 2}', 'line 1 column 16 has "2}"'],
    ['[1, 2]]', 'line 1 column 7 has "]"'],
    ['[01]', 'line 1 column 3 has "1]"'],
    ["['a']", `line 1 column 2 has "'a']"`],
    ['', 'line 1 column 1 has the end'],
  ])('says where %j stops being JSON', (text, place) => {
    expect(() => parseJsonInput(text, 'rows.json')).toThrow(`Cannot read rows.json as JSON: ${place}`)
  })

  it('leaves numbers in texts and keys alone', () => {
    expect(parseJsonInput('{"1.0": "12345678901234567890 NaN \\" 1.0"}', 'x')).toEqual({
      '1.0': '12345678901234567890 NaN " 1.0',
    })
  })
})

describe('tensorOfJson()', () => {
  it.each([
    ['[[1,2],[3,4]]', 'int64', [2, 2], [1n, 2n, 3n, 4n]],
    ['[1.0, 2]', 'float32', [2], [1, 2]],
    ['[1e3]', 'int64', [1], [1000n]],
    ['[NaN, -Infinity, 1]', 'float32', [3], [Number.NaN, Number.NEGATIVE_INFINITY, 1]],
    ['[9223372036854775807, -9007199254740993]', 'int64', [2], [9223372036854775807n, -9007199254740993n]],
    ['true', 'bool', [], [1]],
    ['[[], []]', 'float32', [2, 0], []],
  ] as const)('takes %s for %s', (text, dtype, shape, values) => {
    const made = tensor(text)
    expect(made.dtype).toBe(dtype)
    expect(made.shape).toEqual(shape)
    expect(Array.from<unknown>(made.data)).toEqual(values)
  })

  it('makes bytes of texts', () => {
    expect(tensor('"é"')).toEqual({ dtype: 'string', shape: [], data: [Uint8Array.of(0xc3, 0xa9)] })
  })

  it.each([
    ['[1, 2]', 'float32', [1, 2]],
    ['[1, 2.0, 12345678901234567]', 'float64', [1, 2, 12345678901234568]],
    ['["NaN", "Infinity"]', 'float32', [Number.NaN, Number.POSITIVE_INFINITY]],
    ['[1, 2]', 'float16', [0x3c00, 0x4000]],
    ['[true, 0, 1.0]', 'bool', [1, 0, 1]],
    ['[255]', 'uint8', [255]],
    ['[1.0, 18446744073709551615]', 'uint64', [1n, 18446744073709551615n]],
  ] as const)('puts %s into %s', (text, dtype, values) => {
    expect(Array.from<unknown>(tensor(text, dtype).data)).toEqual(values)
  })

  it.each([
    ['[[1,2],[3]]', undefined, 'x[1] has 1 values, its neighbours have 2'],
    ['[[1,2],3]', undefined, 'x[1] is 3, its neighbours are lists'],
    ['[1,[2]]', undefined, 'x[1] is a list [1], its neighbours are not'],
    ['[1,null]', undefined, 'x[1] is null, not a value'],
    ['{"a":1}', undefined, 'x is an object, not a value'],
    ['[1,"a"]', undefined, 'it mixes number and string values'],
    ['[[1,"a"]]', 'float32', 'x[0][1] is "a", float32 takes numbers up to 3.4e38'],
    ['[1.5]', 'int64', `x[0] is 1.5, ${int64Takes}`],
    ['[256]', 'uint8', 'x[0] is 256, uint8 takes integers from 0 to 255'],
    ['[9223372036854775808]', 'int64', `x[0] is 9223372036854775808, ${int64Takes}`],
    ['[2]', 'bool', 'x[0] is 2, bool takes true and false'],
    ['[1]', 'string', 'x[0] is 1, string takes texts'],
    ['[true]', 'float64', 'x[0] is true, float64 takes numbers'],
    ['[3.4028235e38, -3.4028236e38]', 'float32', 'x[1] is -3.4028236e+38, float32 takes numbers up to 3.4e38'],
    ['[65519, 65520]', 'float16', 'x[1] is 65520, float16 takes numbers up to 65504'],
    ['[3.39e38, 3.4e38]', 'bfloat16', 'x[1] is 3.4e+38, bfloat16 takes numbers up to 3.39e38'],
    ['[1]', 'complex64', 'complex64 values come from a .npy file only'],
    [`${'['.repeat(65)}1${']'.repeat(65)}`, undefined, 'it is nested over 64 lists deep'],
  ] as const)('refuses %s as %s', (text, dtype, facts) => {
    expect(() => tensor(text, dtype)).toThrow(new EasError('invalid_request', `Cannot use input x: ${facts}`))
  })
})
