/** Lengths, in elements, of what is kept: most texts are shorter. */
const keptLength = 8192

/**
 * What `make` makes for a length: the same thing again and again for short ones, so its user clears it, and is done
 * with it before anybody asks again.
 */
export function reused<T>(make: (length: number) => T): (length: number) => T {
  const kept = make(keptLength)
  return (length) => (length <= keptLength ? kept : make(length))
}
