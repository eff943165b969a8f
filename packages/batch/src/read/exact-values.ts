/** Values of tables that JavaScript's own types would round or cut. */

/** A time with more digits than a `Date` holds; its text has them all. */
export class FineTime extends Date {
  /** Behind the milliseconds: 0 to 999,999. */
  readonly nanos: number

  constructor(ms: number, nanos: number) {
    super(ms)
    this.nanos = nanos
  }

  get micros(): bigint {
    return BigInt(this.getTime()) * 1000n + BigInt(Math.floor(this.nanos / 1000))
  }

  override toISOString(): string {
    const digits = String(this.nanos).padStart(6, '0').replace(/000$/, '')
    return super.toISOString().replace('Z', `${digits}Z`)
  }
}

/** Milliseconds since 1970 that a `Date` can say. @see ECMA-262, "Time Values and Time Range" */
const dateMsMax = 8.64e15

/** A time by its count since 1970, `perMs` of which are a millisecond; the count itself beyond what a `Date` can say. */
export function timeOf(count: bigint, perMs: 1n | 1000n | 1_000_000n): Date | bigint {
  const ms = Number((count - (((count % perMs) + perMs) % perMs)) / perMs)
  if (!(Math.abs(ms) <= dateMsMax)) return count
  const rest = Number(count - BigInt(ms) * perMs)
  return rest === 0 ? new Date(ms) : new FineTime(ms, perMs === 1000n ? rest * 1000 : rest)
}

/** A time by its milliseconds; the number itself beyond what a `Date` can say. */
export const timeOfMs = (ms: number): Date | number => (Math.abs(ms) <= dateMsMax ? new Date(ms) : ms)

/** Powers of ten that a double holds. */
const exactPowers = 22
/** Numbers of fifteen digits are apart as doubles too. */
const exactDigits = 10n ** 15n

/** `unscaled` by ten to the minus `scale`: a number where that is the nearest double to it, else its text. */
export function decimalOf(unscaled: bigint, scale: number): number | string {
  const size = unscaled < 0n ? -unscaled : unscaled
  if (size <= exactDigits && scale >= 0 && scale <= exactPowers) return Number(unscaled) / 10 ** scale
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale))
  const digits = String(size).padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
