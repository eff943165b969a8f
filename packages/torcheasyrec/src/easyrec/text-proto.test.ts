import { describe, expect, it } from 'vitest'
import { parseTextProto } from './text-proto.ts'

describe('parseTextProto()', () => {
  it('reads every form of the text format', () => {
    const message = parseTextProto(`
      # a comment
      name: "a\\003b" 'c' words: [ONE, TWO]; words: THREE, number: -1.5e3
      inner { text: '\\345\\255\\227 \\x41 \\n\\"' } inner < deep: { flag: true } >
      list: [{ a: 1 }, { a: 2 }] raw: "\u0003"`)
    expect(message.text('name')).toBe('a\u0003bc')
    expect(message.texts('words')).toEqual(['ONE', 'TWO', 'THREE'])
    expect(message.text('number')).toBe('-1.5e3')
    expect(message.at('inner')[0]?.text('text')).toBe('字 A \n"')
    expect(message.at('inner', 'deep').map((deep) => deep.text('flag'))).toEqual(['true'])
    expect(message.messages('list').map((one) => one.text('a'))).toEqual(['1', '2'])
    expect(message.text('raw')).toBe('\u0003')
    expect(message.text('none')).toBeUndefined()
  })

  it.each(['a {', 'a: "b', '}', 'a: }', '{', 'a', '\\', 'a {'.repeat(100), '"a": 1', 'a: [1'])('refuses %s', (text) => {
    expect(() => parseTextProto(text)).toThrow(/the text|nested deeper/)
  })
})
