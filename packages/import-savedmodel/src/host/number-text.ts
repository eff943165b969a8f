/** Numbers as C's `printf` writes them. */

/** The most that JavaScript writes; no tie is told from its neighbours by more. */
const maxDigits = 100

/**
 * Rounds halves to even, as C does and JavaScript does not: of a tie, which a digit more shows, the even neighbour.
 * @param write The absolute value with as many digits behind the point.
 */
function halfToEven(digits: number, write: (digits: number) => string): string {
  const rounded = write(digits)
  const [longer = '', power] = write(digits + 1).split('e')
  if (!longer.endsWith('5')) return rounded
  const [all = ''] = write(maxDigits).split('e')
  if (/[1-9]/.test(all.slice(longer.length)) || !all.startsWith(longer)) return rounded
  const lower = longer.slice(0, -1).replace(/\.$/, '')
  const isEven = '02468'.includes(lower.at(-1) ?? '')
  return isEven ? lower + (power === undefined ? '' : `e${power}`) : rounded
}

const signOf = (value: number): string => (value < 0 || Object.is(value, -0) ? '-' : '')
const infinite = (value: number): string => (Number.isNaN(value) ? 'nan' : `${signOf(value)}inf`)

/** `%f` with `digits` behind the point. */
export function formatF(value: number, digits: number): string {
  if (!Number.isFinite(value)) return infinite(value)
  const size = Math.abs(value)
  // From here on `toFixed` would write a power, and there is nothing behind the point.
  if (size >= 1e21) return `${signOf(value)}${BigInt(size)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
  return signOf(value) + halfToEven(digits, (n) => size.toFixed(n))
}

/** Mantissa and power of ten, with `digits` behind the point. */
function scientific(value: number, digits: number): [mantissa: string, power: number] {
  const size = Math.abs(value)
  const [mantissa = '', power = '0'] = halfToEven(digits, (n) => size.toExponential(n)).split('e')
  return [signOf(value) + mantissa, Number(power)]
}

const powerText = (power: number): string => `e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`

/** `%e` with `digits` behind the point. */
export function formatE(value: number, digits: number): string {
  if (!Number.isFinite(value)) return infinite(value)
  const [mantissa, power] = scientific(value, digits)
  return mantissa + powerText(power)
}

/** `%g` with `precision` significant digits. */
export function formatG(value: number, precision: number): string {
  if (!Number.isFinite(value)) return infinite(value)
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const digits = Math.max(1, precision)
  const [mantissa, exponent] = scientific(value, digits - 1)
  const trim = (s: string): string => (s.includes('.') ? s.replace(/\.?0+$/, '') : s)
  if (exponent < -4 || exponent >= digits) return trim(mantissa) + powerText(exponent)
  return trim(formatF(value, digits - 1 - exponent))
}

/** Padded to a width: with spaces before, with zeros after the sign, or with spaces behind when the fill is `-`. */
export function formatPrintf(text: string, width: number, fill: string): string {
  if (text.length >= width) return fill === '+' && !text.startsWith('-') ? `+${text}` : text
  if (fill === '-') return text.padEnd(width)
  if (fill === '0')
    return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0')
  return text.padStart(width)
}
