import { ByteTrie } from '../byte-trie.ts'
import { classes } from './characters.ts'
import type { Node } from './json.ts'
import type { Normalizer } from './normalizers.ts'

/** A token that is found in text before anything else is done with it. */
interface AddedToken {
  readonly id: number
  readonly content: string
  readonly single_word: boolean
  readonly lstrip: boolean
  readonly rstrip: boolean
}

/** A stretch of a text, or the id of the token that it is. */
export type Part = { readonly id: number } | { readonly text: string; readonly first: boolean }

/**
 * Cuts a text at its added tokens: those that are not `normalized` in the text as it is, the others in what `normalize`
 * leaves of each stretch. Stretches come out normalized.
 *
 * @see https://github.com/huggingface/tokenizers/blob/v0.23.2/tokenizers/src/tokenizer/added_vocabulary.rs
 */
export function addedTokens(nodes: readonly Node[], normalize: Normalizer): (text: string) => Part[] {
  const verbatim: AddedToken[] = []
  const normalized: AddedToken[] = []
  for (const node of nodes) {
    const token = {
      id: node.get('id').count(),
      content: node.get('content').string(),
      single_word: node.get('single_word').boolean(false),
      lstrip: node.get('lstrip').boolean(false),
      rstrip: node.get('rstrip').boolean(false),
    }
    if (!node.get('normalized').boolean(!node.get('special').boolean(false))) verbatim.push(token)
    else normalized.push({ ...token, content: normalize(token.content) })
  }
  const cutVerbatim = cutter(verbatim)
  const cutNormalized = cutter(normalized)
  return (text) =>
    cutVerbatim(text, true).flatMap((part) => ('id' in part ? [part] : cutNormalized(normalize(part.text), part.first)))
}

const wordBefore = new RegExp(`[${classes.word}]$`, 'u')
const wordAfter = new RegExp(`^[${classes.word}]`, 'u')
const isSpace = new RegExp(`^[${classes.space}]$`, 'u')

/** Finds the leftmost token, of several the longest, again and again. */
function cutter(tokens: readonly AddedToken[]): (text: string, first: boolean) => Part[] {
  const known = tokens.filter(({ content }) => content !== '')
  const trie = new ByteTrie()
  // The first of those that are the same.
  for (const [index, { content }] of known.entries()) trie.insert(Buffer.from(content, 'utf16le'), index)

  /** The longest token at a place. */
  function tokenAt(text: string, start: number): AddedToken | undefined {
    let longest: AddedToken | undefined
    let node: number = ByteTrie.root
    for (let at = start; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      node = trie.step(node, unit & 0xff)
      if (node >= 0) node = trie.step(node, unit >> 8)
      if (node < 0) break
      longest = known[trie.value(node)] ?? longest
    }
    return longest
  }

  return (text, first) => {
    const parts: Part[] = []
    const addText = (start: number, end: number) => {
      if (start < end) parts.push({ text: text.slice(start, end), first: first && start === 0 })
    }
    let from = 0
    for (let at = 0; at < text.length; ) {
      const token = tokenAt(text, at)
      if (!token) {
        at++
        continue
      }
      let [start, end] = [at, at + token.content.length]
      at = end
      if (token.single_word) {
        // Up to two units, which hold the character beside the token.
        const joinedBefore = wordBefore.test(text.slice(Math.max(0, start - 2), start))
        if (joinedBefore || wordAfter.test(text.slice(end, end + 2))) continue
      }
      if (token.lstrip) while (start > from && isSpace.test(text[start - 1] ?? '')) start--
      if (token.rstrip) while (end < text.length && isSpace.test(text[end] ?? '')) end++
      addText(from, start)
      parts.push({ id: token.id })
      from = end
      at = Math.max(at, end)
    }
    addText(from, text.length)
    return parts
  }
}
