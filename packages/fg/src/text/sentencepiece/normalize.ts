import { readCharsmap } from '../precompiled-charsmap.ts'
import { reused } from '../reused.ts'
import { TokenizerError, tokenizerLimits } from '../tokenizer.ts'
import type { ModelFile } from './model-file.ts'
import { charBytes, longestMatch, type Vocabulary } from './vocabulary.ts'

const space = 0x20
/** U+2581, which stands for a space within pieces. */
export const spaceSymbol = Uint8Array.of(0xe2, 0x96, 0x81)

/** UTF-8 to the UTF-8 that pieces are found in, which is good until the next call. */
export type Normalize = (bytes: Uint8Array) => Uint8Array

/** @see https://github.com/google/sentencepiece/blob/master/src/normalizer.cc (`Normalizer::Normalize`) */
export function makeNormalize(model: ModelFile, { userDefined }: Vocabulary): Normalize {
  const { add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces, treat_whitespace_as_suffix } = model
  const charsmap = model.precompiled_charsmap.length > 0 ? readCharsmap(model.precompiled_charsmap) : undefined
  const blank = escape_whitespaces ? spaceSymbol : Uint8Array.of(space)

  // What stands for the character, user-defined piece or longer sequence that `read` found last.
  let from: Uint8Array = blank
  let begin = 0
  let end = 0

  /** Reads what is at `start`: the bytes of the text that it takes. */
  function read(bytes: Uint8Array, start: number): number {
    const defined = userDefined ? longestMatch(userDefined, bytes, start) : 0
    const mapped = defined === 0 && charsmap ? charsmap.match(bytes, start) : 0
    if (mapped > 0 && charsmap) {
      from = charsmap.replacement()
      begin = 0
      end = from.length
      return mapped
    }
    const length = defined || Math.min(charBytes(bytes[start] as number), bytes.length - start) // in range
    from = bytes
    begin = start
    end = start + length
    return length
  }

  const buffer = reused((capacity) => new GrowingBytes(capacity))

  return (bytes) => {
    const out = buffer(bytes.length * 3 + 8)
    out.length = 0
    let at = 0
    if (remove_extra_whitespaces) {
      while (at < bytes.length) {
        const length = read(bytes, at)
        if (end - begin !== 1 || from[begin] !== space) break
        at += length
      }
    }
    if (at === bytes.length) return new Uint8Array()
    if (add_dummy_prefix && !treat_whitespace_as_suffix) out.append(blank, 0, blank.length)
    let afterSpace = remove_extra_whitespaces
    while (at < bytes.length) {
      const length = read(bytes, at)
      while (afterSpace && begin < end && from[begin] === space) begin++
      out.appendEscaped(from, begin, end, blank)
      if (begin < end) afterSpace = from[end - 1] === space
      if (!remove_extra_whitespaces) afterSpace = false
      at += length
    }
    if (remove_extra_whitespaces) while (out.endsWith(blank)) out.length -= blank.length
    if (add_dummy_prefix && treat_whitespace_as_suffix) out.append(blank, 0, blank.length)
    return out.bytes()
  }
}

class GrowingBytes {
  #bytes: Uint8Array
  length = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
  }

  append(from: Uint8Array, begin: number, end: number): void {
    if (this.length + end - begin > this.#bytes.length) {
      const capacity = (this.length + end - begin) * 2
      if (capacity > tokenizerLimits.normalizedBytes * 2) throw new TokenizerError('Cannot tokenize a text: too long')
      const bytes = new Uint8Array(capacity)
      bytes.set(this.#bytes.subarray(0, this.length))
      this.#bytes = bytes
    }
    for (let i = begin; i < end; i++) this.#bytes[this.length++] = from[i] as number // in range
  }

  /** With `blank` for every space. */
  appendEscaped(from: Uint8Array, begin: number, end: number, blank: Uint8Array): void {
    for (let i = begin; i < end; i++) {
      const byte = from[i] as number // in range
      if (byte === space) this.append(blank, 0, blank.length)
      else if (this.length < this.#bytes.length) this.#bytes[this.length++] = byte
      else this.append(from, i, i + 1)
    }
  }

  endsWith(suffix: Uint8Array): boolean {
    return (
      this.length >= suffix.length && suffix.every((byte, i) => this.#bytes[this.length - suffix.length + i] === byte)
    )
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }
}
