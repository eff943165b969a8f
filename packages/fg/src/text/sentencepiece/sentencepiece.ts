import { type Tokenizer, TokenizerError } from '../tokenizer.ts'
import { bpe } from './bpe.ts'
import { modelTypes, readModelFile } from './model-file.ts'
import { makeNormalize } from './normalize.ts'
import { unigram } from './unigram.ts'
import { makeVocabulary, type Vocabulary } from './vocabulary.ts'
import { characters, words } from './whole-pieces.ts'

/** Cuts normalized text into pieces, in order: `emit` is given where each begins and ends, and its id. */
export type Segment = (bytes: Uint8Array, emit: (start: number, end: number, id: number) => void) => void

const segmenters: { readonly [type: number]: (vocabulary: Vocabulary) => Segment } = {
  [modelTypes.UNIGRAM]: unigram,
  [modelTypes.BPE]: bpe,
  [modelTypes.WORD]: words,
  [modelTypes.CHAR]: characters,
}

/**
 * A SentencePiece `.model`: `SentencePieceProcessor::Encode` to ids, without options.
 * @throws {TokenizerError}
 * @see https://github.com/google/sentencepiece/blob/master/src/sentencepiece_processor.cc (`PopulateSentencePieceText`)
 */
export function sentencepieceTokenizer(file: Uint8Array): Tokenizer {
  const model = readModelFile(file)
  const vocabulary = makeVocabulary(model)
  const normalize = makeNormalize(model, vocabulary)
  const makeSegment = segmenters[model.model_type]
  if (!makeSegment) throw new TokenizerError(`Cannot read sentencepiece model: model_type ${model.model_type}`)
  const segment = makeSegment(vocabulary)
  const { unknownId, byteIds, size } = vocabulary
  return {
    vocabSize: size,
    encode(text) {
      const ids: number[] = []
      const bytes = normalize(encoder.encode(text))
      let lastUnknown = false
      segment(bytes, (start, end, id) => {
        const unknown = id === unknownId
        if (unknown && byteIds) {
          for (let at = start; at < end; at++) ids.push(byteIds[bytes[at] as number] as number) // 256 of them
        } else if (!(unknown && lastUnknown)) ids.push(id) // unknown neighbours are one
        lastUnknown = unknown
      })
      return ids
    },
  }
}

const encoder = new TextEncoder()
