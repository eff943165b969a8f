import type { TextColumn } from '../columns/column.ts'
import { type AskedKeys, blockIds } from './asked-keys.ts'
import { hashText } from './hash.ts'

/** The longest id that is looked for. A longer one in the catalogue would never be asked for. */
const maxIdBytes = 4096

// A search ends before another begins: all of a thread's share these.
const texts = new Uint8Array(blockIds * maxIdBytes)
/** Where each text of the block starts, and where the last one ends. */
const bounds = new Int32Array(blockIds + 1)
const fetched = new Uint32Array(blockIds)

/** Ids against a column of texts, as UTF-8. */
export function textKeys({ bytes, starts }: TextColumn): AskedKeys {
  return {
    read(ids, first, count, hashes) {
      let end = 0
      for (let i = 0; i < count; i++) {
        const start = end
        end = writeId(ids[first + i] as string, texts, start) // first + i < length
        bounds[i + 1] = end
        hashes[i] = hashText(texts, start, end)
      }
    },

    touch(rows, count) {
      for (let i = 0; i < count; i++) fetched[i] = starts[rows[i] as number] ?? 0 // i < count, below too
      // Nobody looks at what is kept; without it nothing would be read.
      for (let i = 0; i < count; i++) fetched[i] = bytes[fetched[i] as number] ?? 0
    },

    isIn(row, i) {
      const [from, to] = [bounds[i] as number, bounds[i + 1] as number] // i < count
      const start = starts[row] ?? 0
      if ((starts[row + 1] ?? 0) - start !== to - from) return false
      for (let at = from; at < to; at++) if (bytes[start + at - from] !== texts[at]) return false
      return true
    },
  }
}

const encoder = new TextEncoder()

/** Writes an id as UTF-8; gives where it ends. One that is too long or no text at all is none, of no bytes. */
function writeId(id: string, into: Uint8Array, start: number): number {
  if (id.length > maxIdBytes) return start
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code >= 0x80) {
      const { read, written } = encoder.encodeInto(id, into.subarray(start, start + maxIdBytes))
      return read < id.length ? start : start + written
    }
    into[start + i] = code
  }
  return start + id.length
}
