import { TokenizerError } from '../tokenizer.ts'
import { bpeModel } from './bpe.ts'
import { type Components, makeComponent, type Node } from './json.ts'
import { unigramModel } from './unigram.ts'

/** Ids of a word. */
export interface Model {
  readonly vocabSize: number
  tokenize(word: string): readonly number[]
}

/** What a component does is in tokenizers/src/models of https://github.com/huggingface/tokenizers, v0.23. */
const components: Components<Model> = {
  BPE: bpeModel,
  Unigram: unigramModel,
  WordPiece: wordPiece,
  WordLevel: wordLevel,
}

export const modelTypes = Object.keys(components)

/** Words are mostly the same ones: the ids of so many are kept. */
const cache = { words: 20_000, chars: 64 } as const

export function makeModel(node: Node): Model {
  const { vocabSize, tokenize } = modelOf(node)
  const known = new Map<string, readonly number[]>()
  return {
    vocabSize,
    tokenize(word) {
      const made = known.get(word)
      if (made) return made
      const ids = tokenize(word)
      if (known.size < cache.words && word.length <= cache.chars) known.set(word, ids)
      return ids
    },
  }
}

/** Older files do not say the type: what there is tells. */
function modelOf(node: Node): Model {
  if (!node.get('type').missing) return makeComponent(node, components)
  if (!node.get('merges').missing) return bpeModel(node)
  if (Array.isArray(node.get('vocab').value)) return unigramModel(node)
  return node.get('continuing_subword_prefix').missing ? wordLevel(node) : wordPiece(node)
}

function wordLevel(node: Node): Model {
  const vocabulary = node.get('vocab').vocabulary()
  const unknown = vocabulary.get(node.get('unk_token').string('<unk>'))
  return {
    vocabSize: sizeOf(vocabulary.values()),
    tokenize(word) {
      const id = vocabulary.get(word) ?? unknown
      if (id === undefined)
        throw new TokenizerError('Cannot tokenize a text: a word is unknown, and no token is for those')
      return [id]
    },
  }
}

/** The longest pieces from the left; a word that cannot be cut up so is unknown as a whole. */
function wordPiece(node: Node): Model {
  const vocabulary = node.get('vocab').vocabulary()
  const unknown = vocabulary.get(node.get('unk_token').string('[UNK]'))
  const prefix = node.get('continuing_subword_prefix').string('##')
  const maxChars = node.get('max_input_chars_per_word').count(100)
  if (unknown === undefined) throw node.get('unk_token').wrong('of the vocabulary')
  let longest = 0
  for (const piece of vocabulary.keys()) longest = Math.max(longest, piece.length)
  return {
    vocabSize: sizeOf(vocabulary.values()),
    tokenize(word) {
      if (word.length > maxChars * 2) return [unknown]
      const chars = [...word]
      if (chars.length > maxChars) return [unknown]
      const ids: number[] = []
      for (let start = 0; start < chars.length; ) {
        let end = Math.min(chars.length, start + longest)
        let id: number | undefined
        for (; end > start; end--) {
          const piece = chars.slice(start, end).join('')
          id = vocabulary.get(start > 0 ? prefix + piece : piece)
          if (id !== undefined) break
        }
        if (id === undefined) return [unknown]
        ids.push(id)
        start = end
      }
      return ids
    },
  }
}

/** One more than the largest id. */
export function sizeOf(ids: Iterable<number>): number {
  let size = 0
  for (const id of ids) size = Math.max(size, id + 1)
  return size
}
