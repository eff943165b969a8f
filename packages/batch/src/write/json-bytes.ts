import { float32TextBytes, writeFloat32 } from './float-text.ts'

/** Large enough that few are joined; a part of 32,768 rows of ten numbers has some fifty. */
const pageBytes = 128 * 1024
/** Numbers that room is made for at once. */
const runLength = 1024
/** Longer texts are encoded as a whole, which costs a call. */
const shortText = 32
/** Of longer texts it is worth to find out first how many bytes they are. */
const longText = 4096
const comma = 0x2c

/** JSON under way, as bytes: in pages, so that what has been written is copied once, when all is joined. */
export class JsonBytes {
  private page: Buffer = Buffer.alloc(0)
  private at = 0
  private readonly full: Buffer[] = []

  byte(c: number): void {
    this.reserve(1)
    this.page[this.at++] = c
  }

  bytes(given: Uint8Array): void {
    this.reserve(given.length)
    const { page, at } = this
    if (given.length > shortText) page.set(given, at)
    else for (let i = 0; i < given.length; i++) page[at + i] = given[i] as number // so many
    this.at += given.length
  }

  text(text: string): void {
    const { length } = text
    if (length > longText) {
      this.bytes(Buffer.from(text))
      return
    }
    this.reserve(3 * length) // the most that UTF-8 takes
    const { page, at } = this
    let i = 0
    if (length <= shortText) {
      for (; i < length; i++) {
        const c = text.charCodeAt(i)
        if (c > 0x7f) break
        page[at + i] = c
      }
    }
    this.at += i === length ? length : page.write(text, at, 'utf8')
  }

  /** Numbers with commas between, `null` for what JSON has no number for. */
  float32s(data: ArrayLike<number>, from: number, count: number): void {
    for (let done = 0; done < count; ) {
      const end = Math.min(count, done + runLength)
      this.reserve((end - done) * (float32TextBytes + 1))
      const { page } = this
      let { at } = this
      for (; done < end; done++) {
        if (done > 0) page[at++] = comma
        const value = data[from + done] as number // inside
        const next = writeFloat32(page, at, value)
        at = next >= 0 ? next : at + page.write(Number.isFinite(value) ? String(value) : 'null', at, 'latin1')
      }
      this.at = at
    }
  }

  /** All that has been written; `undefined` when that is nothing. What follows begins anew. */
  take(): Buffer | undefined {
    const { full } = this
    if (this.at > 0) full.push(this.page.subarray(0, this.at))
    const joined = full.length > 1 ? Buffer.concat(full) : full[0]
    full.length = 0
    this.page = Buffer.alloc(0)
    this.at = 0
    return joined
  }

  /** As `take`, as a text. */
  takeText(): string {
    if (this.full.length > 0 || this.page.length > pageBytes) return this.take()?.toString('utf8') ?? ''
    const text = this.page.toString('utf8', 0, this.at)
    this.at = 0
    return text
  }

  private reserve(bytes: number): void {
    if (this.page.length - this.at >= bytes) return
    if (this.at > 0) this.full.push(this.page.subarray(0, this.at))
    this.page = Buffer.allocUnsafeSlow(Math.max(pageBytes, bytes))
    this.at = 0
  }
}
