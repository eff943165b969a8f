import { spaceSymbol } from './normalize.ts'
import type { Segment } from './sentencepiece.ts'
import { charBytes, longestMatch, pieceToId, type Vocabulary } from './vocabulary.ts'

/** The CHAR model: each character, or user-defined piece, is one. */
export const characters =
  (vocabulary: Vocabulary): Segment =>
  (bytes, emit) => {
    for (let start = 0; start < bytes.length; ) {
      const defined = vocabulary.userDefined ? longestMatch(vocabulary.userDefined, bytes, start) : 0
      const end = start + (defined || Math.min(charBytes(bytes[start] as number), bytes.length - start)) // in range
      emit(start, end, pieceToId(vocabulary, bytes, start, end))
      start = end
    }
  }

/** The WORD model: a word with the space symbol before it is one, even where spaces are suffixes. */
export const words =
  (vocabulary: Vocabulary): Segment =>
  (bytes, emit) => {
    const emitWord = (start: number, end: number) => {
      if (start < end) emit(start, end, pieceToId(vocabulary, bytes, start, end))
    }
    let start = 0
    for (let at = 0; at < bytes.length; ) {
      const isSpace = spaceSymbol.every((byte, i) => bytes[at + i] === byte)
      if (isSpace) {
        emitWord(start, at)
        start = at
      }
      at += charBytes(bytes[at] as number) // in range
    }
    emitWord(start, bytes.length)
  }
