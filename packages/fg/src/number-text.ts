/** Numbers as text and back, as the feature generator writes and reads them. */

const names: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['infinity', Infinity],
  ['-infinity', -Infinity],
])

/** The number a text holds; NaN when it holds none, which counts as missing. White space around it is ignored. */
export function parseNumber(text: string): number {
  const value = Number(text)
  if (Number.isNaN(value)) return names.get(text.trim().toLowerCase()) ?? value
  // `Number` reads '' and blanks as 0.
  return value !== 0 || text === '0' || text.trim() !== '' ? value : Number.NaN
}

/**
 * The shortest decimal text that reads back as the same float32: `0.1`, not `0.10000000149011612`. Whole numbers have no
 * `.0`: how FG writes floats as text is not published, and an int column must hash like a float column of whole numbers.
 */
export function float32Text(value: number): string {
  return String(Number.isInteger(value) || !Number.isFinite(value) ? value : shortest(value))
}

const smallestNormal = 2 ** -126

/** The double with the fewest decimal digits that is `value` as float32. */
function shortest(value: number): number {
  // Six digits of a normal number always survive; a shorter text is the same with zeros, which `Number` drops.
  for (let digits = Math.abs(value) < smallestNormal ? 1 : 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(9))
}

/**
 * A float32 as numpy prints it, which is what TorchEasyRec's `dump_parsed_inputs` writes: `7.0`, `0.1`, `1e-05`. Up to
 * numpy 2.2, that is; later ones begin with exponents at 1e6.
 */
export function numpyFloat32(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const short = shortest(value)
  const magnitude = Math.abs(value)
  if (value !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    const [mantissa = '', exponent = ''] = short.toExponential().split('e')
    return `${mantissa}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`
  }
  if (Object.is(value, -0)) return '-0.0'
  return Number.isInteger(short) ? `${short}.0` : String(short)
}
