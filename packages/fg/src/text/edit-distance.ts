/**
 * Products of two texts' lengths up to here take a second or so; over it a comparison is refused. Titles and queries
 * are hundreds of characters.
 */
const maxCells = 2 ** 34

/**
 * Levenshtein distance: the least insertions, deletions and replacements that make `b` of `a`.
 *
 * @param encoding What counts as one: code points for `utf-8`, bytes of the UTF-8 form for `latin`. Default `latin`, as
 *   of `custom_feature` EditDistance.
 * @throws {RangeError} for texts whose lengths multiply to more than 2^34.
 */
export function editDistance(a: string, b: string, encoding: 'utf-8' | 'latin' = 'latin'): number {
  const symbols = encoding === 'latin' ? (text: string) => Int32Array.from(encoder.encode(text)) : codePoints
  let longer = symbols(a)
  let shorter = symbols(b)
  if (longer.length < shorter.length) [longer, shorter] = [shorter, longer]
  let start = 0
  while (start < shorter.length && longer[start] === shorter[start]) start++
  let same = 0
  const rest = shorter.length - start
  while (same < rest && longer[longer.length - 1 - same] === shorter[shorter.length - 1 - same]) same++
  longer = longer.subarray(start, longer.length - same)
  shorter = shorter.subarray(start, shorter.length - same)
  if (shorter.length === 0) return longer.length
  if (longer.length * shorter.length > maxCells) {
    throw new RangeError(`Cannot compare texts of ${longer.length} and ${shorter.length} symbols: too long`)
  }
  return bitParallelDistance(longer, shorter)
}

const encoder = new TextEncoder()

function codePoints(text: string): Int32Array {
  const points = new Int32Array(text.length)
  let count = 0
  for (const char of text) points[count++] = char.codePointAt(0) ?? 0
  return points.subarray(0, count)
}

/**
 * A column of the table of distances as bits: whether each cell is one more, or one less, than the one above it; 32 of
 * them are computed at once, for stretches of 32 symbols of `b` one after the other.
 *
 * @see Myers, "A fast bit-vector algorithm for approximate string matching" (1999); names as in Hyyrö,
 *   "A bit-vector algorithm for computing Levenshtein and Damerau edit distances" (2003)
 */
function bitParallelDistance(a: Int32Array, b: Int32Array): number {
  const dense = new Map<number, number>()
  for (const symbol of b) if (!dense.has(symbol)) dense.set(symbol, dense.size)
  const inB = a.map((symbol) => dense.get(symbol) ?? dense.size)
  const matches = new Int32Array(dense.size + 1)
  // Horizontal differences at the lower edge of the last stretch, a bit per symbol of `a`.
  const horizontal = {
    plus: new Int32Array(Math.ceil(a.length / 32)).fill(-1),
    minus: new Int32Array(Math.ceil(a.length / 32)),
  }
  let distance = b.length
  for (let start = 0; start < b.length; start += 32) {
    const end = Math.min(start + 32, b.length)
    matches.fill(0)
    for (let k = start; k < end; k++) {
      const at = dense.get(b[k] as number) as number // every symbol of `b` is in `dense`
      matches[at] = (matches[at] as number) | (1 << (k - start))
    }
    const lowest = end - start - 1
    let plus = -1
    let minus = 0
    for (let i = 0; i < inB.length; i++) {
      const word = i >>> 5
      const equal = matches[inB[i] as number] as number // dense, so within
      const plusIn = ((horizontal.plus[word] as number) >>> i) & 1
      const minusIn = ((horizontal.minus[word] as number) >>> i) & 1
      const vertical = equal | minus
      const diagonal = ((((equal | minusIn) & plus) + plus) ^ plus) | equal | minusIn
      let plusOut = minus | ~(diagonal | plus)
      let minusOut = plus & diagonal
      if (end === b.length) distance += ((plusOut >>> lowest) & 1) - ((minusOut >>> lowest) & 1)
      if ((plusOut >>> 31) ^ plusIn) horizontal.plus[word] = (horizontal.plus[word] as number) ^ (1 << i)
      if ((minusOut >>> 31) ^ minusIn) horizontal.minus[word] = (horizontal.minus[word] as number) ^ (1 << i)
      plusOut = (plusOut << 1) | plusIn
      minusOut = (minusOut << 1) | minusIn
      plus = minusOut | ~(vertical | plusOut)
      minus = plusOut & vertical
    }
  }
  return distance
}
