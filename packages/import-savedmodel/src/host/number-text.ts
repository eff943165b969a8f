/** Numbers as C's `printf` writes them. */

/** `%g` with `precision` significant digits. */
export function formatG(value: number, precision: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const digits = Math.max(1, precision)
  const [mantissa = '', power = '0'] = value.toExponential(digits - 1).split('e')
  const exponent = Number(power)
  const trim = (s: string): string => (s.includes('.') ? s.replace(/\.?0+$/, '') : s)
  if (exponent < -4 || exponent >= digits)
    return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  return trim(value.toFixed(digits - 1 - exponent))
}

/** Padded to a width: with spaces before, with zeros after the sign, or with spaces behind when the fill is `-`. */
export function formatPrintf(text: string, width: number, fill: string): string {
  if (text.length >= width) return fill === '+' && !text.startsWith('-') ? `+${text}` : text
  if (fill === '-') return text.padEnd(width)
  if (fill === '0')
    return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0')
  return text.padStart(width)
}
