import { ByteTrie } from '../byte-trie.ts'
import { reused } from '../reused.ts'
import { TokenizerError } from '../tokenizer.ts'
import type { Node } from './json.ts'
import type { Model } from './models.ts'

/** What an unknown character costs more than the least likely piece. */
const unknownPenalty = 10

/**
 * The most likely segmentation, as SentencePiece's but summed as doubles; unknown neighbours are one.
 * @see https://github.com/huggingface/tokenizers/blob/v0.23.2/tokenizers/src/models/unigram/model.rs (`encode_optimized`)
 */
export function unigramModel(node: Node): Model {
  const trie = new ByteTrie()
  const scores: number[] = []
  const byteIds = new Map<number, number>()
  let least = Infinity
  for (const [id, entry] of node.get('vocab').items().entries()) {
    const [piece, score]: readonly unknown[] = Array.isArray(entry.value) ? entry.value : []
    if (typeof piece !== 'string' || typeof score !== 'number') throw entry.wrong('a text and its score')
    trie.insert(encoder.encode(piece), id)
    const [, byte] = /^<0x([0-9A-F]{2})>$/.exec(piece) ?? []
    if (byte !== undefined) byteIds.set(Number.parseInt(byte, 16), id)
    scores.push(score)
    least = Math.min(least, score)
  }
  const unknownId = node.get('unk_id').missing ? undefined : node.get('unk_id').count()
  if (unknownId !== undefined && unknownId >= scores.length) throw node.get('unk_id').wrong('of the vocabulary')
  const byteFallback = node.get('byte_fallback').boolean(false)
  const unknownScore = least - unknownPenalty

  return {
    vocabSize: scores.length,
    tokenize(word) {
      const bytes = encoder.encode(word)
      const { ids, starts } = bestPath(bytes, trie, scores, unknownId, unknownScore)
      const out: number[] = []
      let end = bytes.length
      while (end > 0) {
        let start = starts[end] as number // positions of the word, here and below
        const id = ids[end] as number
        if (id >= 0) out.push(id)
        else {
          while (start > 0 && (ids[start] as number) < 0) start = starts[start] as number
          const whole = pieceOf(trie, bytes.subarray(start, end))
          const spelled = byteFallback ? Array.from(bytes.subarray(start, end), (byte) => byteIds.get(byte)) : []
          const known = spelled.filter((byteId) => byteId !== undefined)
          if (whole >= 0) out.push(whole)
          else if (known.length > 0 && known.length === spelled.length) out.push(...known.reverse())
          else if (unknownId === undefined) {
            throw new TokenizerError('Cannot tokenize a text: a character is unknown, and no token is for those')
          } else out.push(unknownId)
        }
        end = start
      }
      return out.reverse()
    },
  }
}

const encoder = new TextEncoder()

const arrays = reused((length) => ({
  ids: new Int32Array(length),
  starts: new Int32Array(length),
  best: new Float64Array(length),
}))

/** The id of a whole piece, or -1. */
function pieceOf(trie: ByteTrie, piece: Uint8Array): number {
  const node = trie.walk(ByteTrie.root, piece, 0, piece.length)
  return node < 0 ? -1 : trie.value(node)
}

/**
 * By the byte where each best path ends: where its last piece begins, and its id, -1 for an unknown character and for
 * the unknown token itself, spelled out.
 */
function bestPath(
  bytes: Uint8Array,
  trie: ByteTrie,
  scores: readonly number[],
  unknownId: number | undefined,
  unknownScore: number,
) {
  const size = bytes.length
  const { ids, starts, best } = arrays(size + 1)
  starts.fill(-1, 0, size + 1)
  best[0] = 0
  const offer = (end: number, start: number, id: number, added: number) => {
    const score = (best[start] as number) + added // positions up to `size` are in range, here and below
    if (starts[end] !== -1 && !(score > (best[end] as number))) return
    starts[end] = start
    ids[end] = id
    best[end] = score
  }
  for (let start = 0; start < size; ) {
    const lead = bytes[start] as number
    const oneChar = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    let charIsPiece = false
    let node = ByteTrie.root
    for (let at = start; at < size; ) {
      node = trie.step(node, bytes[at++] as number)
      if (node < 0) break
      const id = trie.value(node)
      if (id < 0) continue
      offer(at, start, id === unknownId ? -1 : id, scores[id] as number)
      if (at - start === oneChar) charIsPiece = true
    }
    if (!charIsPiece) offer(start + oneChar, start, -1, unknownScore)
    start += oneChar
  }
  return { ids, starts }
}
