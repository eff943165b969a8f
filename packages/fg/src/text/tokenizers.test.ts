import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createTokenizer, renderTokenizers, TokenizerError, type TokenizerType } from './index.ts'

const folder = new URL('../../../../test/golden/fg-text/', import.meta.url)
const read = (file: string) => new Uint8Array(readFileSync(new URL(file, folder)))
// Our own files, of the shape that their generator gives.
const parse = <T>(file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as T
const texts = parse<readonly string[]>('texts.json')
const { ids } = parse<{ readonly ids: { readonly [file: string]: readonly (readonly number[])[] } }>('expected.json')
const files = Object.keys(ids)
const typeOf = (file: string): TokenizerType => (file.endsWith('.model') ? 'sentencepiece' : 'bpe')

/** The same choices each time. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('createTokenizer()', () => {
  it.each(files)('gives the ids of the reference for %s', (file) => {
    const tokenizer = createTokenizer(typeOf(file), read(file))
    for (const [i, text] of texts.entries()) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids[file]?.[i])
      for (const id of tokenizer.encode(text)) expect(id).toBeLessThan(tokenizer.vocabSize)
    }
  })

  it.each(files)('takes half a character for U+FFFD: %s', (file) => {
    const { encode } = createTokenizer(typeOf(file), read(file))
    expect(encode('a\ud800b')).toEqual(encode('a\ufffdb'))
  })

  // Each within the time of a test, which is generous: quadratic work would take minutes.
  it.each(files)('encodes long texts: %s', (file) => {
    const { encode } = createTokenizer(typeOf(file), read(file))
    for (const text of ['a', ' ', 'ab ', '的', '\u0301', '1', '_'].map((part) => part.repeat(50_000))) {
      expect(Array.isArray(encode(text))).toBe(true)
    }
  })

  it.each(files.filter((file) => file !== 'sp-unigram.model'))('reads or refuses damaged files: %s', (file) => {
    const whole = read(file)
    const random = randomNumbers(whole.length)
    const damaged = Array.from({ length: 24 }, (_, i) => {
      if (i < 8) return whole.subarray(0, random(whole.length))
      const copy = Uint8Array.from(whole)
      for (let flips = 0; flips <= i % 3; flips++) {
        const at = random(copy.length)
        copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
      }
      return copy
    })
    let read1 = 0
    for (const bytes of damaged) {
      try {
        const { encode } = createTokenizer(typeOf(file), bytes)
        for (const text of texts.slice(0, 30)) encode(text)
        read1++
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(TokenizerError)
      }
    }
    expect(read1).toBeLessThan(damaged.length)
  })

  const document = (model: object, more: object = {}) =>
    Buffer.from(JSON.stringify({ model: { type: 'WordLevel', vocab: { '<unk>': 0, a: 1 }, ...model }, ...more }))

  it.each([
    ['not JSON', Buffer.from('{'), 'it is not JSON'],
    ['no model', Buffer.from('{}'), 'tokenizer.model.vocab is not an object'],
    ['an unknown model', document({ type: 'Magic' }), 'tokenizer.model.type is "Magic", which is not supported'],
    ['an unknown normalizer', document({}, { normalizer: { type: 'Upper' } }), 'tokenizer.normalizer.type is "Upper"'],
    ['an id that is none', document({ vocab: { a: -1 } }), 'tokenizer.model.vocab["a"] is not a whole number'],
    ['an id too large', document({ vocab: { a: 1e15 } }), 'tokenizer.model.vocab["a"] is not a whole number'],
    [
      'a merge of what is not there',
      document({ type: 'BPE', merges: [['a', 'b']] }),
      'tokenizer.model.merges[0] is not of the vocabulary',
    ],
    ['dropout', document({ type: 'BPE', merges: [], dropout: 0.1 }), 'tokenizer.model.dropout is 0.1'],
    [
      'a possessive quantifier',
      document({}, { pre_tokenizer: { type: 'Split', pattern: { Regex: '\\p{L}++' }, behavior: 'Isolated' } }),
      'tokenizer.pre_tokenizer.pattern.Regex is "\\\\p{L}++", which is not supported',
    ],
    ['sequences in sequences', document({}, { normalizer: nested(40) }), 'nested deeper than 16 levels'],
    [
      'a charsmap cut off',
      document({}, { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }),
      'charsmap',
    ],
  ])('says what is wrong with %s', (_, file, message) => {
    expect(() => createTokenizer('bpe', file)).toThrow(message)
    expect(() => createTokenizer('bpe', file)).toThrow(TokenizerError)
  })

  it('finds added tokens among thousands that begin alike', () => {
    const added_tokens = Array.from({ length: 5000 }, (_, i) => ({ id: i + 2, content: `<unused${i}>`, special: true }))
    const { encode, vocabSize } = createTokenizer('bpe', document({ unk_token: '<unk>' }, { added_tokens }))
    expect(encode('a<unused42>a<unused4999>')).toEqual([1, 44, 1, 5001])
    expect(encode(`${'<'.repeat(200_000)}<unused1>`)).toEqual([0, 3])
    expect(vocabSize).toBe(5002)
  })

  it.each([
    ['', '0 pieces are the unknown one'],
    ['0a05', '5 bytes wanted where 0 are'],
    ['0a', 'a number is cut off'],
    ['0aff', 'a number is cut off'],
    ['0f', 'wire type 7'],
    ['0a00', 'piece 0 is empty'],
    ['0a050a016118020a050a01611802', 'piece 1 is there twice'],
    ['0a050a0161180212021809', 'model_type 9'],
    ['0a050a01611802121018', '16 bytes wanted where 1 are'],
    ['0a050a016118021a051203000000', 'a trie of'],
  ])('says what is wrong with a model of bytes %s', (hex, message) => {
    const make = () => createTokenizer('sentencepiece', new Uint8Array(Buffer.from(hex, 'hex')))
    expect(make).toThrow(message)
    expect(make).toThrow(TokenizerError)
  })
})

function nested(levels: number): object {
  return levels === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(levels - 1)] }
}

it('renderTokenizers() names what files may be made of', () => {
  expect(renderTokenizers()).toContain('| `tokenizer.json`: model | `BPE`, `Unigram`, `WordPiece`, `WordLevel` |')
})
