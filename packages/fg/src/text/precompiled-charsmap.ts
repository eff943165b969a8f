import { TokenizerError } from './tokenizer.ts'

/** Longest replacement believed; the longest of NFKC, of U+FDFA, is 33 bytes. */
const replacementBytes = 4096

/** Units of a double-array trie, as Darts-clone packs them. */
const labelOf = (unit: number) => unit & 0x800000ff
const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6)
const hasLeaf = (unit: number) => ((unit >>> 8) & 1) === 1
const replacementOf = (unit: number) => unit & 0x7fffffff

/** What prefixes of a text are replaced by. */
export interface Charsmap {
  /** Bytes of the longest prefix of `bytes` at `start` that is replaced, 0 for none. */
  match(bytes: Uint8Array, start: number): number
  /** What stands for the prefix that `match` found last. */
  replacement(): Uint8Array
}

/**
 * `precompiled_charsmap` of SentencePiece: sizes, a double-array trie over UTF-8, then the replacements, each ended
 * by a zero byte.
 *
 * @throws {TokenizerError} when the bytes are too few for the trie.
 * @see https://github.com/google/sentencepiece/blob/master/src/normalizer.cc (`DecodePrecompiledCharsMap`)
 * @see https://github.com/s-yata/darts-clone/blob/master/include/darts.h
 */
export function readCharsmap(blob: Uint8Array): Charsmap {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const trieBytes = blob.length < 4 ? -1 : view.getUint32(0, true)
  if (trieBytes < 4 || trieBytes % 4 !== 0 || trieBytes > blob.length - 4) {
    throw new TokenizerError(`Cannot read precompiled_charsmap: a trie of ${trieBytes} bytes in ${blob.length}`)
  }
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, index) => view.getUint32(4 + index * 4, true))
  const replacements = blob.subarray(4 + trieBytes)
  const known = new Map<number, Uint8Array>()

  function replacementAt(offset: number): Uint8Array {
    const made = known.get(offset)
    if (made) return made
    const length = replacements.subarray(offset, offset + replacementBytes).indexOf(0)
    if (length < 0) throw new TokenizerError(`Cannot read precompiled_charsmap: no replacement ends at ${offset}`)
    const replacement = replacements.subarray(offset, offset + length)
    known.set(offset, replacement)
    return replacement
  }

  const root = offsetOf(units[0] ?? 0)
  let found = -1
  return {
    match(bytes, start) {
      let length = 0
      let node = root
      for (let at = start; at < bytes.length; at++) {
        const byte = bytes[at] as number // in range
        node = (node ^ byte) >>> 0
        const unit = units[node]
        if (unit === undefined || labelOf(unit) !== byte) break
        node = (node ^ offsetOf(unit)) >>> 0
        if (!hasLeaf(unit)) continue
        length = at + 1 - start
        found = replacementOf(units[node] ?? 0)
      }
      return length
    },
    replacement: () => replacementAt(found),
  }
}
