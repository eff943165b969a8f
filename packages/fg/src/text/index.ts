import { huggingFaceTokenizer } from './huggingface/huggingface.ts'
import { sentencepieceTokenizer } from './sentencepiece/sentencepiece.ts'
import { type Tokenizer, TokenizerError, tokenizerLimits } from './tokenizer.ts'

export { editDistance } from './edit-distance.ts'
export { renderTokenizers } from './render-tokenizers.ts'
export { compileReplace, PatternError, type ReplaceOptions } from './replace.ts'
export { createTextNormalizer, type TextNormalizerOptions, textNormalizerBits } from './text-normalizer.ts'
export { type Tokenizer, TokenizerError } from './tokenizer.ts'

/** `tokenizer_type` of `tokenize_feature`: the file is Hugging Face's `tokenizer.json`, or a SentencePiece `.model`. */
export const tokenizerTypes = {
  bpe: huggingFaceTokenizer,
  sentencepiece: sentencepieceTokenizer,
} as const satisfies { readonly [type: string]: (file: Uint8Array) => Tokenizer }
export type TokenizerType = keyof typeof tokenizerTypes

/**
 * The tokenizer of a `vocab_file`. Reading a large one takes a second; encoding is synchronous and keeps nothing of a
 * text but the ids of its words.
 *
 * @param file The file's bytes, which are not kept.
 * @throws {TokenizerError} for a file that is malformed, over its bounds, or made of what is not supported.
 */
export function createTokenizer(type: TokenizerType, file: Uint8Array): Tokenizer {
  if (file.length > tokenizerLimits.fileBytes) {
    throw new TokenizerError(`Cannot read a tokenizer of ${file.length} bytes: more than ${tokenizerLimits.fileBytes}`)
  }
  return tokenizerTypes[type](file)
}
