import { MergeQueue } from '../merge-queue.ts'
import { tokenizerLimits } from '../tokenizer.ts'
import type { Node } from './json.ts'
import { type Model, sizeOf } from './models.ts'

/** @see https://github.com/huggingface/tokenizers/blob/v0.23.2/tokenizers/src/models/bpe/model.rs */
export function bpeModel(node: Node): Model {
  const vocabulary = node.get('vocab').vocabulary()
  const prefix = node.get('continuing_subword_prefix').string('')
  const suffix = node.get('end_of_word_suffix').string('')
  const fuseUnknown = node.get('fuse_unk').boolean(false)
  const ignoreMerges = node.get('ignore_merges').boolean(false)
  const unknownToken = node.get('unk_token')
  const unknown = unknownToken.missing ? undefined : vocabulary.get(unknownToken.string())
  const { value: dropout } = node.get('dropout')
  if (dropout !== undefined && dropout !== null && dropout !== 0) throw node.get('dropout').unsupported()
  if (!unknownToken.missing && unknown === undefined) throw unknownToken.wrong('of the vocabulary')
  const merges = readMerges(node.get('merges'), vocabulary, prefix.length)
  const byteIds = node.get('byte_fallback').boolean(false)
    ? Array.from({ length: 256 }, (_, byte) =>
        vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
      )
    : undefined

  /** The characters of a word as ids, to be merged. */
  function symbolsOf(word: string): number[] {
    const ids: number[] = []
    /** An unknown character that is written only when the next one is known not to join it. */
    let pending = false
    const flush = () => {
      if (pending && unknown !== undefined) ids.push(unknown)
      pending = false
    }
    let at = 0
    for (const char of word) {
      const start = at
      at += char.length
      const symbol = (start > 0 ? prefix : '') + char + (at === word.length ? suffix : '')
      const id = vocabulary.get(symbol)
      if (id !== undefined) {
        flush()
        ids.push(id)
        continue
      }
      const bytes = byteIds && Array.from(Buffer.from(symbol), (byte) => byteIds[byte])
      const known = bytes?.filter((byteId) => byteId !== undefined)
      if (known && known.length === bytes?.length) {
        ids.push(...known)
        continue
      }
      if (unknown === undefined) continue
      if (pending && !fuseUnknown) ids.push(unknown)
      pending = true
    }
    flush()
    return ids
  }

  function tokenize(word: string): readonly number[] {
    const whole = ignoreMerges ? vocabulary.get(word) : undefined
    return whole === undefined ? mergeAll(symbolsOf(word), merges) : [whole]
  }

  return { vocabSize: sizeOf(vocabulary.values()), tokenize }
}

/** By a pair of ids: the sooner the merge the greater its score, and what the two become. */
type Merges = ReadonlyMap<number, { readonly score: number; readonly result: number }>

const pairOf = (left: number, right: number): number => left * tokenizerLimits.pieces + right

/** `["a", "b"]`, or `"a b"` in older files. */
function readMerges(node: Node, vocabulary: ReadonlyMap<string, number>, prefixLength: number): Merges {
  const merges = new Map<number, { readonly score: number; readonly result: number }>()
  for (const [rank, item] of node.items().entries()) {
    const parts: unknown = typeof item.value === 'string' ? item.value.split(' ') : item.value
    const [left, right]: readonly unknown[] = Array.isArray(parts) && parts.length === 2 ? parts : []
    if (typeof left !== 'string' || typeof right !== 'string') throw item.wrong('a pair of texts')
    const leftId = vocabulary.get(left)
    const rightId = vocabulary.get(right)
    const result = vocabulary.get(left + right.slice(prefixLength))
    if (leftId === undefined || rightId === undefined || result === undefined) throw item.wrong('of the vocabulary')
    merges.set(pairOf(leftId, rightId), { score: -rank, result })
  }
  return merges
}

/** Empty between uses. */
const queue = new MergeQueue()

function mergeAll(ids: number[], merges: Merges): readonly number[] {
  const next = Int32Array.from(ids, (_, index) => (index + 1 < ids.length ? index + 1 : -1))
  const before = Int32Array.from(ids, (_, index) => index - 1)
  const gone = new Uint8Array(ids.length)
  /** The merge of a symbol with the one after it. */
  const mergeAt = (left: number) => {
    const right = left < 0 ? -1 : (next[left] as number) // indices of symbols, here and below
    return right < 0 ? undefined : merges.get(pairOf(ids[left] as number, ids[right] as number))
  }
  const offer = (left: number) => {
    const merge = mergeAt(left)
    if (merge) queue.push(left, merge.result, merge.score)
  }
  for (let left = 0; left + 1 < ids.length; left++) offer(left)
  while (queue.pop()) {
    const { left, result } = queue
    if (gone[left] || mergeAt(left)?.result !== result) continue
    const right = next[left] as number
    const after = next[right] as number
    ids[left] = result
    gone[right] = 1
    next[left] = after
    if (after >= 0) before[after] = left
    offer(before[left] as number)
    offer(left)
  }
  return ids.filter((_, index) => !gone[index])
}
