import { ByteTrie } from '../byte-trie.ts'
import { MergeQueue } from '../merge-queue.ts'
import { reused } from '../reused.ts'
import { pieceTypes } from './model-file.ts'
import type { Segment } from './sentencepiece.ts'
import { charBytes, longestMatch, pieceToId, type Vocabulary } from './vocabulary.ts'

/**
 * Merges neighbours, the best score first and of equals the leftmost, until no two are a piece.
 * @see https://github.com/google/sentencepiece/blob/master/src/bpe_model.cc (`SampleEncode` without sampling)
 */
export function bpe(vocabulary: Vocabulary): Segment {
  const { trie, types, scores, userDefined } = vocabulary

  const arrays = reused((length) => ({
    // Symbols by the byte they begin at: where they end (0 once merged away), and where the one before begins.
    ends: new Int32Array(length),
    before: new Int32Array(length),
    /** Where each symbol leads to among the pieces, -1 for nowhere. */
    nodes: new Int32Array(length),
    frozen: new Uint8Array(length),
  }))

  /** Empty between uses. */
  const merges = new MergeQueue()

  return (bytes, emit) => {
    const { ends, before, nodes, frozen } = arrays(bytes.length + 1)
    /** Where pieces that are not to be used were made of two, by their ids: bytes of the left one. */
    const halves = new Map<number, number>()

    function offer(left: number): void {
      const right = left < 0 ? 0 : (ends[left] as number) // indices up to the length are in range, here and below
      const end = ends[right] as number
      if (left < 0 || right >= bytes.length || frozen[left] || frozen[right]) return
      const node = trie.walk(nodes[left] as number, bytes, right, end)
      const id = node < 0 ? -1 : trie.value(node)
      if (id < 0) return
      merges.push(left, node, scores[id] as number)
      if (types[id] === pieceTypes.UNUSED) halves.set(id, right - left)
    }

    let previous = -1
    for (let start = 0; start < bytes.length; ) {
      const defined = userDefined ? longestMatch(userDefined, bytes, start) : 0
      const length = defined || Math.min(charBytes(bytes[start] as number), bytes.length - start)
      ends[start] = start + length
      before[start] = previous
      nodes[start] = trie.walk(ByteTrie.root, bytes, start, start + length)
      frozen[start] = defined > 0 ? 1 : 0
      previous = start
      start += length
    }
    for (let start = 0; start < bytes.length; start = ends[start] as number) offer(start)
    while (merges.pop()) {
      const { left, result: node } = merges
      const right = ends[left] as number
      const end = left + trie.depth(node)
      if (right === 0 || right >= bytes.length || ends[right] !== end) continue // one of the two was merged since
      nodes[left] = node
      ends[left] = end
      ends[right] = 0
      if (end < bytes.length) before[end] = left
      offer(before[left] as number)
      offer(left)
    }

    /** A piece that is not to be used becomes the two it was made of. */
    function emitSplit(start: number, end: number): void {
      const rest = [{ start, end }]
      for (let part = rest.pop(); part; part = rest.pop()) {
        const id = pieceToId(vocabulary, bytes, part.start, part.end)
        const half = types[id] === pieceTypes.UNUSED ? halves.get(id) : undefined
        if (half === undefined) emit(part.start, part.end, id)
        else rest.push({ start: part.start + half, end: part.end }, { start: part.start, end: part.start + half })
      }
    }
    for (let start = 0; start < bytes.length; start = ends[start] as number) {
      const end = ends[start] as number
      const id = pieceToId(vocabulary, bytes, start, end, nodes[start])
      if (types[id] === pieceTypes.UNUSED) emitSplit(start, end)
      else emit(start, end, id)
    }
  }
}
