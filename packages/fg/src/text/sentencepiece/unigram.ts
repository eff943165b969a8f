import { ByteTrie } from '../byte-trie.ts'
import { reused } from '../reused.ts'
import { pieceTypes } from './model-file.ts'
import type { Segment } from './sentencepiece.ts'
import { charBytes, type Vocabulary } from './vocabulary.ts'

/** What an unknown character costs more than the least likely piece: `kUnkPenalty`. */
const unknownPenalty = 10

/**
 * The most likely segmentation. Scores are summed as floats, whose rounding makes the ties that the C++ code sees.
 * @see https://github.com/google/sentencepiece/blob/master/src/unigram_model.cc (`EncodeOptimized`)
 */
export function unigram(vocabulary: Vocabulary): Segment {
  const { trie, types, scores, unknownId, minScore, maxScore } = vocabulary
  const unknownScore = Math.fround(minScore - unknownPenalty)

  const arrays = reused((length) => ({
    ids: new Int32Array(length),
    starts: new Int32Array(length),
    best: new Float32Array(length),
    path: new Int32Array(length),
  }))

  return (bytes, emit) => {
    const size = bytes.length
    // The best path that ends at each byte: its last piece, where that begins, and its score.
    const { ids, starts, best, path } = arrays(size + 1)
    starts.fill(-1, 0, size + 1)
    best[0] = 0

    function offer(end: number, start: number, id: number, added: number): void {
      const score = Math.fround((best[start] as number) + added) // indices up to `size` are in range, here and below
      if (starts[end] !== -1 && !(score > (best[end] as number))) return
      starts[end] = start
      ids[end] = id
      best[end] = score
    }

    for (let start = 0; start < size; ) {
      const oneChar = Math.min(charBytes(bytes[start] as number), size - start)
      let charIsPiece = false
      let node = ByteTrie.root
      for (let at = start; at < size; ) {
        node = trie.step(node, bytes[at++] as number)
        if (node < 0) break
        const id = trie.value(node)
        if (id < 0 || types[id] === pieceTypes.UNUSED) continue
        const length = at - start
        // Preferred to any other: the best of them for each of its bytes.
        const score =
          types[id] === pieceTypes.USER_DEFINED ? Math.fround(length * maxScore - 0.1) : (scores[id] as number)
        offer(at, start, id, score)
        if (length === oneChar) charIsPiece = true
      }
      if (!charIsPiece) offer(start + oneChar, start, unknownId, unknownScore)
      start += oneChar
    }
    let pieces = 0
    for (let end = size; end > 0; end = starts[end] as number) path[pieces++] = end
    while (pieces > 0) {
      const end = path[--pieces] as number
      emit(starts[end] as number, end, ids[end] as number)
    }
  }
}
