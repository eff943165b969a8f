/**
 * JSON whose whole numbers stay exact: those of 16 digits or more, which a double may not hold, become bigints.
 * @throws {SyntaxError}
 */
export const parseJson = (text: string): unknown =>
  longNumber.test(text) ? JSON.parse(markLongNumbers(text), revive) : JSON.parse(text)

const longNumber = /\d{16}/
/** A control character, which no JSON text holds unescaped: no value is mistaken for a marked number but a forged one. */
const mark = '\u0001'
/** Strings and numbers are matched whole; a number of nothing but 16 digits or more is marked. */
const markLongNumbers = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (match) =>
    /^-?\d{16,19}$/.test(match) ? `"\\u0001${match}"` : match,
  )

const revive = (_: string, value: unknown): unknown =>
  typeof value === 'string' && value.startsWith(mark) && /^-?\d{16,19}$/.test(value.slice(1))
    ? BigInt(value.slice(1))
    : value
