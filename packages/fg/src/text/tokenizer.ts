/** Texts to ids of a vocabulary. */
export interface Tokenizer {
  /** Ids are below it. */
  readonly vocabSize: number
  /**
   * The ids of a text, without the special tokens that a model may want around it. What is not of the vocabulary gives
   * the id of the unknown token, or of its bytes, as the tokenizer's file says.
   */
  encode(text: string): number[]
}

/** A tokenizer file that cannot be used. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError'
}

/** Bounds on tokenizer files; the largest published ones have 256,000 pieces and 40 MB. */
export const tokenizerLimits = {
  fileBytes: 128 * 1024 * 1024,
  pieces: 4_194_304,
  pieceBytes: 65_536,
  /** Bytes of one text after normalization. */
  normalizedBytes: 64 * 1024 * 1024,
} as const
