/** Keys longer than this are no typing mistake; it also bounds the work. */
const longestKey = 64

/** The candidate that `key` was probably meant to be, or `undefined` when none is near. Ties go to the first. */
export function nearest(key: string, candidates: Iterable<string>): string | undefined {
  if (key.length > longestKey) return undefined
  const wanted = key.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(key.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - key.length) >= bestDistance) continue
    const known = candidate.toLowerCase()
    const distance = editDistance(wanted, known)
    if (distance < bestDistance && (distance <= 2 || distance <= ownLength(wanted, known) / 3)) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Letters of `key` without the words that it shares with `known`: `enable_http2` is no mistake for `enable_grpc`. */
function ownLength(key: string, known: string): number {
  const shared = new Set(known.split('_'))
  return key.split('_').reduce((sum, word) => sum + (shared.has(word) ? 0 : word.length), 0)
}

/** Insertions, deletions, replacements and swaps of neighbours between `a` and `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

const at = (row: readonly number[], j: number): number => row[j] ?? 0
