import { type Tokenizer, TokenizerError } from '../tokenizer.ts'
import { addedTokens } from './added-tokens.ts'
import { Node } from './json.ts'
import { makeModel } from './models.ts'
import { makeNormalizer } from './normalizers.ts'
import { makePreTokenizer } from './pre-tokenizers.ts'

/**
 * Hugging Face's `tokenizer.json`: added tokens, normalizer, pre-tokenizer, model, then truncation and padding, as
 * `Tokenizer.encode` with `add_special_tokens` off, which is how tokenizers-cpp calls it. Post-processors only add
 * special tokens or change offsets, and decoders only decode: neither is read.
 *
 * @throws {TokenizerError} for a file that is malformed, or has a component that is not supported, which it names.
 * @see https://github.com/huggingface/tokenizers, v0.23
 * @see https://github.com/mlc-ai/tokenizers-cpp, which the feature generator's `tokenizer_type: bpe` stands on
 */
export function huggingFaceTokenizer(file: Uint8Array): Tokenizer {
  const root = new Node(parse(file), 'tokenizer')
  const normalizer = root.get('normalizer')
  const normalize = normalizer.missing ? (text: string) => text : makeNormalizer(normalizer)
  const added = root.get('added_tokens')
  const addedNodes = added.missing ? [] : added.items()
  const cut = addedTokens(addedNodes, normalize)
  const preTokenizer = root.get('pre_tokenizer')
  const preTokenize = preTokenizer.missing ? (text: string) => [text] : makePreTokenizer(preTokenizer)
  const model = makeModel(root.get('model'))
  const truncate = truncation(root.get('truncation'))
  const pad = padding(root.get('padding'))
  return {
    vocabSize: addedNodes.reduce((size, node) => Math.max(size, node.get('id').count() + 1), model.vocabSize),
    encode(text) {
      const ids: number[] = []
      for (const part of cut(text.replace(loneSurrogates, '\ufffd'))) {
        if ('id' in part) ids.push(part.id)
        else {
          for (const word of preTokenize(part.text, part.first)) for (const id of model.tokenize(word)) ids.push(id)
        }
      }
      return pad(truncate(ids))
    },
  }
}

/** Halves of characters, which UTF-8 cannot have. */
const loneSurrogates = /\p{Cs}/gu

function parse(file: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file))
  } catch (cause) {
    throw new TokenizerError('Cannot read tokenizer.json: it is not JSON', { cause })
  }
}

/** Which end of a text is cut off, or filled up. */
function isLeft(node: Node): boolean {
  const direction = node.get('direction').string('Right')
  if (direction !== 'Left' && direction !== 'Right') throw node.get('direction').unsupported()
  return direction === 'Left'
}

function truncation(node: Node): (ids: number[]) => number[] {
  if (node.missing) return (ids) => ids
  const most = node.get('max_length').count()
  const left = isLeft(node)
  // The others cut the first text, of which there is no second here.
  if (node.get('strategy').string('LongestFirst') === 'OnlySecond') throw node.get('strategy').unsupported()
  return (ids) => (ids.length <= most ? ids : left ? ids.slice(ids.length - most) : ids.slice(0, most))
}

/** `BatchLongest` pads to the longest of a batch, which here is one text: only to a multiple. */
function padding(node: Node): (ids: number[]) => number[] {
  if (node.missing) return (ids) => ids
  const strategy = node.get('strategy')
  const fixed = strategy.value === 'BatchLongest' ? 0 : strategy.get('Fixed').count()
  const multiple = node.get('pad_to_multiple_of').count(0)
  const padId = node.get('pad_id').count(0)
  const left = isLeft(node)
  return (ids) => {
    const least = fixed || ids.length
    const length = multiple > 0 ? Math.ceil(least / multiple) * multiple : least
    if (ids.length >= length) return ids
    const pads = new Array<number>(length - ids.length).fill(padId)
    return left ? [...pads, ...ids] : [...ids, ...pads]
  }
}
