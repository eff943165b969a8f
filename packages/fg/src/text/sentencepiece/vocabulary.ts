import { ByteTrie } from '../byte-trie.ts'
import { TokenizerError } from '../tokenizer.ts'
import { type ModelFile, pieceTypes } from './model-file.ts'

/** The pieces of a model as encoding looks them up. */
export interface Vocabulary {
  readonly size: number
  /** Pieces that text may become: normal, user-defined and unused ones. */
  readonly trie: ByteTrie
  /** Control, unknown and byte pieces, which text only becomes whole. */
  readonly reserved: ByteTrie
  /** User-defined pieces, which are never split; undefined when there are none. */
  readonly userDefined: ByteTrie | undefined
  readonly scores: Float32Array
  readonly types: Uint8Array
  readonly unknownId: number
  /** By byte, when what is unknown becomes its bytes. */
  readonly byteIds: Int32Array | undefined
  /** Of normal pieces. */
  readonly minScore: number
  readonly maxScore: number
}

/**
 * @throws {TokenizerError} for pieces that are empty or twice there, and unless exactly one is the unknown one.
 * @see https://github.com/google/sentencepiece/blob/master/src/model_interface.cc (`InitializePieces`)
 */
export function makeVocabulary({ pieces, byte_fallback }: ModelFile): Vocabulary {
  const trie = new ByteTrie()
  const reserved = new ByteTrie()
  const userDefined = new ByteTrie()
  const bytesSeen = new Map<number, number>()
  const unknown: number[] = []
  let [minScore, maxScore] = [Infinity, -Infinity]
  for (const [id, { bytes, score, type }] of pieces.entries()) {
    const normal = type === pieceTypes.NORMAL || type === pieceTypes.USER_DEFINED || type === pieceTypes.UNUSED
    if (bytes.length === 0) throw new TokenizerError(`Cannot read sentencepiece model: piece ${id} is empty`)
    if (!(normal ? trie : reserved).insert(bytes, id)) {
      throw new TokenizerError(`Cannot read sentencepiece model: piece ${id} is there twice`)
    }
    if (type === pieceTypes.NORMAL) {
      minScore = Math.min(minScore, score)
      maxScore = Math.max(maxScore, score)
    } else if (type === pieceTypes.USER_DEFINED) userDefined.insert(bytes, id)
    else if (type === pieceTypes.UNKNOWN) unknown.push(id)
    else if (type === pieceTypes.BYTE) bytesSeen.set(byteOf(bytes), id)
  }
  const [unknownId] = unknown
  if (unknownId === undefined || unknown.length > 1) {
    throw new TokenizerError(`Cannot read sentencepiece model: ${unknown.length} pieces are the unknown one`)
  }
  if (byte_fallback && (bytesSeen.size !== 256 || bytesSeen.has(-1))) {
    throw new TokenizerError(`Cannot read sentencepiece model: ${bytesSeen.size} byte pieces for byte_fallback`)
  }
  return {
    size: pieces.length,
    trie,
    reserved,
    userDefined: pieces.some(({ type }) => type === pieceTypes.USER_DEFINED) ? userDefined : undefined,
    scores: Float32Array.from(pieces, ({ score }) => score),
    types: Uint8Array.from(pieces, ({ type }) => type),
    unknownId,
    byteIds: byte_fallback ? Int32Array.from({ length: 256 }, (_, byte) => bytesSeen.get(byte) ?? -1) : undefined,
    minScore,
    maxScore,
  }
}

/** `<0x41>` as 65, or -1. */
function byteOf(piece: Uint8Array): number {
  const [, hex] = /^<0x([0-9A-F]{2})>$/.exec(Buffer.from(piece).toString('latin1')) ?? []
  return hex === undefined ? -1 : Number.parseInt(hex, 16)
}

/** Bytes of the UTF-8 character that `byte` begins; 1 for what begins none. */
export const charBytes = (byte: number): number => (byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4)

/** Bytes of the longest string of `trie` at `start`, 0 for none. */
export function longestMatch(trie: ByteTrie, bytes: Uint8Array, start: number): number {
  let longest = 0
  let node = ByteTrie.root
  for (let at = start; at < bytes.length; ) {
    node = trie.step(node, bytes[at++] as number) // in range
    if (node < 0) break
    if (trie.value(node) >= 0) longest = at - start
  }
  return longest
}

/**
 * The id of the piece that is the bytes from `start` to `end`, or the unknown one's.
 * @param node Where the bytes lead to in `trie`, if that is known.
 */
export function pieceToId(
  { trie, reserved, unknownId }: Vocabulary,
  bytes: Uint8Array,
  start: number,
  end: number,
  node = trie.walk(ByteTrie.root, bytes, start, end),
): number {
  const reservedNode = reserved.walk(ByteTrie.root, bytes, start, end)
  if (reservedNode >= 0 && reserved.value(reservedNode) >= 0) return reserved.value(reservedNode)
  return node >= 0 && trie.value(node) >= 0 ? trie.value(node) : unknownId
}
