/**
 * Reads as many values as `into` holds, of `width` bits each: runs of one value, and groups of eight packed bit by bit. The
 * last group may be cut behind the values that count.
 *
 * @throws when they do not lie between `from` and `to`.
 * @see Apache Parquet "Encodings", "Run Length Encoding / Bit-Packing Hybrid"
 */
export function readHybrid(
  bytes: Uint8Array,
  from: number,
  to: number,
  width: number,
  into: Uint8Array | Int32Array,
): void {
  if (width > 32 || to > bytes.length) throw cutShort()
  const count = into.length
  const valueBytes = (width + 7) >> 3
  let at = from
  for (let seen = 0; seen < count; ) {
    const { header, next } = headerAt(bytes, at, to)
    at = next
    const left = count - seen
    if (header & 1) {
      const groups = header >>> 1
      const values = Math.min(groups * 8, left)
      if (at + Math.ceil((values * width) / 8) > to) throw cutShort()
      if (width === 1) unpackBits(bytes, at, into, seen, values)
      else if (width <= narrow) unpack(bytes, at, width, into, seen, values)
      else unpackWide(bytes, at, width, into, seen, values)
      seen += values
      at += groups * width
    } else {
      const values = Math.min(header >>> 1, left)
      if (at + valueBytes > to) throw cutShort()
      let value = 0
      for (let i = 0; i < valueBytes; i++) value |= (bytes[at++] as number) << (8 * i) // before the end
      into.fill(value, seen, seen + values)
      seen += values
    }
  }
}

/**
 * Where the zeros are among `count` levels of one bit, read as by `readHybrid`, but without a place for each level: most are
 * ones where lists are long.
 */
export function zerosOf(bytes: Uint8Array, from: number, to: number, count: number): Int32Array {
  if (to > bytes.length) throw cutShort()
  let zeros = new Int32Array(Math.min(count, 1024))
  let found = 0
  function reserve(more: number): void {
    if (found + more <= zeros.length || zeros.length === count) return
    const larger = new Int32Array(Math.min(count, Math.max(found + more, zeros.length * 2)))
    larger.set(zeros)
    zeros = larger
  }
  let at = from
  for (let seen = 0; seen < count; ) {
    const { header, next } = headerAt(bytes, at, to)
    at = next
    const left = count - seen
    if (header & 1) {
      const groups = header >>> 1
      const values = Math.min(groups * 8, left)
      if (at + Math.ceil(values / 8) > to) throw cutShort()
      for (let first = 0; first < values; first += 8) {
        const within = values - first < 8 ? (1 << (values - first)) - 1 : 0xff
        let open = ~(bytes[at + (first >> 3)] as number) & within // checked
        if (open === 0) continue
        reserve(8)
        for (; open !== 0; open &= open - 1) zeros[found++] = seen + first + 31 - Math.clz32(open & -open)
      }
      seen += values
      at += groups
    } else {
      const values = Math.min(header >>> 1, left)
      if (at + 1 > to) throw cutShort()
      if (bytes[at++] === 0) {
        reserve(values)
        for (let i = 0; i < values; i++) zeros[found++] = seen + i
      }
      seen += values
    }
  }
  return zeros.subarray(0, found)
}

/** Whether so many levels are all this one, as a single run says it. Of what else says the same it knows nothing. */
export function isRunOf(level: number, bytes: Uint8Array, from: number, to: number, count: number): boolean {
  if (from >= to || to > bytes.length) return false
  const { header, next } = headerAt(bytes, from, to)
  return (header & 1) === 0 && header >>> 1 >= count && next < to && bytes[next] === level
}

/** The varint before a run or before groups, and what is behind it. */
function headerAt(bytes: Uint8Array, from: number, to: number): { readonly header: number; readonly next: number } {
  let header = 0
  let at = from
  for (let shift = 0; ; shift += 7) {
    if (at >= to || shift > 28) throw cutShort()
    const byte = bytes[at++] as number // before the end
    header |= (byte & 0x7f) << shift
    if (byte < 0x80) return { header: header >>> 0, next: at }
  }
}

/** Bits of a value up to which those of one and of a byte more fit into 32. */
const narrow = 25

type Into = Uint8Array | Int32Array

function unpackBits(bytes: Uint8Array, from: number, into: Into, first: number, count: number): void {
  for (let i = 0; i < count; i++) into[first + i] = ((bytes[from + (i >> 3)] as number) >> (i & 7)) & 1 // checked
}

function unpack(bytes: Uint8Array, from: number, width: number, into: Into, first: number, count: number): void {
  const mask = 2 ** width - 1
  let at = from
  let held = 0
  let bits = 0
  for (let i = first; i < first + count; i++) {
    while (bits < width) {
      held |= (bytes[at++] as number) << bits // checked
      bits += 8
    }
    into[i] = held & mask
    held >>>= width
    bits -= width
  }
}

/** Of dictionaries with more than 33 million entries. */
function unpackWide(bytes: Uint8Array, from: number, width: number, into: Into, first: number, count: number): void {
  let bit = from * 8
  for (let i = first; i < first + count; i++) {
    let value = 0
    for (let j = 0; j < width; j++, bit++) {
      value |= (((bytes[Math.floor(bit / 8)] as number) >> (bit % 8)) & 1) << j // checked
    }
    into[i] = value
  }
}

const cutShort = () => new Error('levels or indices of a page are cut short')
