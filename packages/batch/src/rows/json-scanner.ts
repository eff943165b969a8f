import { RowError } from '../batch-error.ts'
import { batchLimits } from '../limits.ts'

const quote = 0x22
const backslash = 0x5c
const digit0 = 0x30
const digit9 = 0x39
const minus = 0x2d
const letterI = 0x49
const letterN = 0x4e
const powersOf10 = Array.from({ length: 23 }, (_, i) => 10 ** i)
/** Digits beyond which a double no longer holds every integer. */
const exactDigits = 15

/**
 * Reads JSON where it lies, in the bytes of a line, strictly as RFC 8259 says but for `NaN`, `Infinity` and `-Infinity`, which
 * Python's `json.dumps` writes: numbers go from their digits into a tensor without an object between, which is several times
 * faster than `JSON.parse`, and 64-bit integers stay exact.
 *
 * Whoever sets `bytes`, `at` and `end` has checked that they are UTF-8.
 */
export class JsonScanner {
  bytes: Uint8Array = new Uint8Array()
  at = 0
  end = 0
  /** Where there are numbers that JSON has no text for, in their order. Whoever wants to know empties it before. */
  readonly specials: { readonly from: number; readonly to: number }[] = []
  /** The same bytes, which texts are taken from, and several bytes at once. */
  private view: Buffer = Buffer.alloc(0)
  private dataView = new DataView(this.view.buffer, 0, 0)
  private viewed: Uint8Array = this.view

  /** The next byte that is not white space; -1 at the end. */
  peek(): number {
    const { bytes, end } = this
    let { at } = this
    while (at < end) {
      const c = bytes[at] as number // before the end
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) {
        this.at = at
        return c
      }
      at++
    }
    this.at = at
    return -1
  }

  expect(c: number): void {
    const next = this.peek()
    if (next !== c) throw this.wrong(`${next < 0 ? 'it ends, ' : ''}expected ${String.fromCharCode(c)}`)
    this.at++
  }

  /** Whether the next byte is `c`, which is then passed over. */
  take(c: number): boolean {
    if (this.peek() !== c) return false
    this.at++
    return true
  }

  /** Passes over a string. @returns whether it has escapes. */
  skipString(): boolean {
    this.expect(quote)
    const { bytes, end } = this
    let { at } = this
    let escaped = false
    for (;;) {
      if (at >= end) {
        this.at = at
        throw this.wrong('a text does not end')
      }
      const c = bytes[at++] as number // before the end
      if (c === quote) break
      if (c < 0x20) {
        this.at = at - 1
        throw this.wrong('a text holds a control character')
      }
      if (c !== backslash) continue
      escaped = true
      const next = bytes[at++]
      if (next === 0x75) {
        for (let i = 0; i < 4; i++) {
          if (!isHex(bytes[at++] ?? 0)) {
            this.at = at
            throw this.wrong('an escape is none')
          }
        }
      } else if (!isEscape(next ?? 0)) {
        this.at = at
        throw this.wrong('an escape is none')
      }
    }
    this.at = at
    return escaped
  }

  string(): string {
    this.peek()
    const start = this.at
    const escaped = this.skipString()
    return escaped ? (JSON.parse(this.text(start, this.at)) as string) : this.text(start + 1, this.at - 1) // a JSON text
  }

  /** Passes over a number. @returns whether it is written as an integer. */
  skipNumber(): boolean {
    const { bytes, end } = this
    let at = this.at
    if (bytes[at] === 0x2d) at++
    const first = at
    while (at < end && isDigit(bytes[at] as number)) at++ // before the end
    const isInvalid = at === first || (bytes[first] === digit0 && at > first + 1)
    let isInteger = true
    let isIncomplete = false
    if (at < end && bytes[at] === 0x2e) {
      isInteger = false
      const fraction = ++at
      while (at < end && isDigit(bytes[at] as number)) at++ // before the end
      isIncomplete = at === fraction
    }
    if (at < end && ((bytes[at] as number) | 0x20) === 0x65) {
      isInteger = false
      at++
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++
      const exponent = at
      while (at < end && isDigit(bytes[at] as number)) at++ // before the end
      isIncomplete ||= at === exponent
    }
    if (isInvalid || isIncomplete) throw this.wrong('a value is none')
    this.at = at
    return isInteger
  }

  /** A number, as `JSON.parse` would round it. */
  float64(): number {
    return this.number(false)
  }

  /** A number for a float32: rounded to a double first, as a client would have done it. */
  float32(): number {
    return this.number(true)
  }

  /** An integer of any size. @throws {RowError} for a fraction. */
  bigint(): bigint {
    this.peek()
    const start = this.at
    const special = this.special()
    if (special !== undefined) throw new RowError(`${special} is no whole number`)
    if (this.skipNumber()) {
      return this.at - start <= exactDigits ? BigInt(this.smallInteger(start)) : BigInt(this.ascii(start, this.at))
    }
    const value = Number(this.ascii(start, this.at))
    if (!Number.isSafeInteger(value)) throw new RowError(`${this.ascii(start, this.at)} is no whole number`)
    return BigInt(value)
  }

  /** Passes over any value. */
  skip(depth = 0): void {
    const c = this.peek()
    if (c === quote) this.skipString()
    else if (c === 0x7b || c === 0x5b) this.skipContainer(c === 0x7b, depth)
    else if (c === 0x74) this.word('true')
    else if (c === 0x66) this.word('false')
    else if (c === 0x6e) this.word('null')
    else if (this.special() === undefined) this.skipNumber()
  }

  /** `true` or `false`. */
  truth(): boolean {
    const isTrue = this.peek() === 0x74
    this.word(isTrue ? 'true' : 'false')
    return isTrue
  }

  word(text: string): void {
    for (let i = 0; i < text.length; i++) {
      if (this.bytes[this.at + i] !== text.charCodeAt(i)) throw this.wrong('a value is none')
    }
    this.at += text.length
    if (this.at > this.end) throw this.wrong('it ends too early')
  }

  /** The same bytes, several at once. */
  get words(): DataView {
    this.look()
    return this.dataView
  }

  /** The text between two offsets. */
  text(from: number, to: number): string {
    this.look()
    return this.view.toString('utf8', from, to)
  }

  /** The text from an offset up to here, with `null` for the `specials`, so that it is JSON. */
  json(from: number): string {
    if (this.specials.length === 0) return this.text(from, this.at)
    const pieces: string[] = []
    let at = from
    for (const special of this.specials) {
      // One that stands for several inputs has been met for each.
      if (special.from < at) continue
      pieces.push(this.text(at, special.from), 'null')
      at = special.to
    }
    return pieces.join('') + this.text(at, this.at)
  }

  wrong(what: string): RowError {
    return new RowError(`It is not JSON: ${what} at byte ${this.at}`)
  }

  /** Makes the views of `bytes`, which many rows lie in. */
  private look(): void {
    const { bytes } = this
    if (bytes === this.viewed) return
    this.viewed = bytes
    this.view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.dataView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  private ascii(from: number, to: number): string {
    this.look()
    return this.view.toString('latin1', from, to)
  }

  private smallInteger(start: number): number {
    const negative = this.bytes[start] === 0x2d
    let value = 0
    for (let at = negative ? start + 1 : start; at < this.at; at++)
      value = value * 10 + (this.bytes[at] as number) - digit0 // read before
    return negative ? -value : value
  }

  /**
   * Digits are summed in a double. Up to 15 of them and a power of ten up to 22 are exact, and one division rounds once.
   * Up to 19 digits are wrong by some units in the last place, which matters to a float32 only next to the middle between
   * two of them. Everything else, and what is no number, is left to `exactNumber`.
   */
  private number(single: boolean): number {
    let c = this.peek()
    const { bytes, end } = this
    const start = this.at
    let at = start
    const negative = c === 0x2d
    if (negative) c = ++at < end ? (bytes[at] as number) : 0 // before the end
    const first = at
    let value = 0
    while (c >= digit0 && c <= digit9) {
      value = value * 10 + (c - digit0)
      c = ++at < end ? (bytes[at] as number) : 0 // before the end
    }
    let digits = at - first
    if (digits === 0 || (digits > 1 && bytes[first] === digit0)) return this.exactNumber(start)
    let exponent = 0
    if (c === 0x2e) {
      const fraction = at + 1
      c = ++at < end ? (bytes[at] as number) : 0 // before the end
      while (c >= digit0 && c <= digit9) {
        value = value * 10 + (c - digit0)
        c = ++at < end ? (bytes[at] as number) : 0 // before the end
      }
      exponent = fraction - at
      if (exponent === 0) return this.exactNumber(start)
      digits -= exponent
    }
    if (c === 0x65 || c === 0x45) {
      c = ++at < end ? (bytes[at] as number) : 0 // before the end
      const sign = c === 0x2d ? -1 : 1
      if (c === 0x2d || c === 0x2b) c = ++at < end ? (bytes[at] as number) : 0 // before the end
      const from = at
      let written = 0
      while (c >= digit0 && c <= digit9 && at - from < 3) {
        written = written * 10 + (c - digit0)
        c = ++at < end ? (bytes[at] as number) : 0 // before the end
      }
      if (at === from || (c >= digit0 && c <= digit9)) return this.exactNumber(start)
      exponent += sign * written
    }
    if (digits > 19 || exponent > 22 || exponent < -22) return this.exactNumber(start)
    const power = powersOf10[exponent < 0 ? -exponent : exponent] as number // up to 22
    const size = exponent < 0 ? value / power : value * power
    if (digits > exactDigits) {
      const isClear = single && Math.fround(size * (1 - 2e-15)) === Math.fround(size * (1 + 2e-15))
      if (!isClear) return this.exactNumber(start)
    }
    this.at = at
    return negative ? -size : size
  }

  private exactNumber(start: number): number {
    this.at = start
    const special = this.special()
    if (special !== undefined) return special
    this.skipNumber()
    return Number(this.ascii(start, this.at))
  }

  /** A number that JSON has no text for, in Python's words. @see Python, json, "Infinite and NaN Number Values" */
  private special(): number | undefined {
    const { bytes, at } = this
    const isNegative = bytes[at] === minus
    const first = bytes[isNegative ? at + 1 : at]
    const isInfinite = first === letterI
    if (!isInfinite && (first !== letterN || isNegative)) return undefined
    if (isNegative) this.at++
    this.word(isInfinite ? 'Infinity' : 'NaN')
    this.specials.push({ from: at, to: this.at })
    return isInfinite ? (isNegative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY) : Number.NaN
  }

  private skipContainer(isObject: boolean, depth: number): void {
    if (depth >= batchLimits.depth) throw this.wrong(`lists are more than ${batchLimits.depth} deep`)
    this.at++
    const close = isObject ? 0x7d : 0x5d
    if (this.take(close)) return
    do {
      if (isObject) {
        this.skipString()
        this.expect(0x3a)
      }
      this.skip(depth + 1)
    } while (this.take(0x2c))
    this.expect(close)
  }
}

const isDigit = (c: number) => c >= digit0 && c <= digit9
const isHex = (c: number) => isDigit(c) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66)
const escapes = new Set([...'"\\/bfnrt'].map((c) => c.charCodeAt(0)))
const isEscape = (c: number) => escapes.has(c)
