import type { PageHeader } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { batchLimits } from '../../limits.ts'

/** A page as it lies in the file, compressed. */
export interface RawPage {
  readonly header: PageHeader
  readonly bytes: Uint8Array
}

export interface ChunkRange {
  readonly start: number
  readonly end: number
  /** Entries of all its data pages. */
  readonly entries: number
}

/** Of a page's header, which holds statistics: texts as long as the writer likes. */
const headerBytesMax = 8 * 1024 * 1024

/**
 * The pages of a column chunk one after the other, read in windows, the next of which is on its way meanwhile.
 * @throws what is wrong with the bytes.
 */
export async function* chunkPages(
  read: (start: number, end: number) => Promise<Uint8Array>,
  { start, end, entries }: ChunkRange,
  windowBytes: number,
): AsyncGenerator<RawPage, void, void> {
  let held: Uint8Array = new Uint8Array()
  let fetched = start
  let ahead: Promise<Uint8Array> | undefined

  function fetchNext(): Promise<Uint8Array> | undefined {
    if (fetched >= end) return undefined
    const from = fetched
    fetched = Math.min(end, from + windowBytes)
    const reading = read(from, fetched)
    reading.catch(() => {}) // told when it is its turn
    return reading
  }
  /** Has `size` bytes held, or all there are. */
  async function hold(size: number): Promise<void> {
    if (held.length >= size) return
    const pieces = [held]
    let bytes = held.length
    while (bytes < size) {
      const reading = ahead ?? fetchNext()
      if (!reading) break
      ahead = fetchNext()
      const piece = await reading
      pieces.push(piece)
      bytes += piece.length
    }
    held = held.length === 0 && pieces.length === 2 ? (pieces[1] as Uint8Array) : Buffer.concat(pieces) // there are two
  }
  /** The next header, and where it ends. */
  async function headerAhead(): Promise<{ readonly header: PageHeader; readonly size: number }> {
    for (let size = 64; ; size *= 8) {
      await hold(size)
      try {
        const reader = { view: new DataView(held.buffer, held.byteOffset, held.byteLength), offset: 0 }
        const header = parquetHeader(reader)
        return { header, size: reader.offset }
      } catch (thrown) {
        if (held.length < size || size > headerBytesMax) throw thrown
      }
    }
  }

  for (let seen = 0; seen < entries; ) {
    await hold(1)
    if (held.length === 0) return
    const { header, size } = await headerAhead()
    const { compressed_page_size: bytes, uncompressed_page_size: plainBytes } = header
    if (!(bytes >= 0 && plainBytes >= 0 && plainBytes <= batchLimits.groupBytes)) {
      throw new Error(`a page says that it takes ${bytes} bytes, and ${plainBytes} without its compression`)
    }
    await hold(size + bytes)
    if (held.length < size + bytes) throw new Error('a page is cut short')
    const count = (header.data_page_header ?? header.data_page_header_v2)?.num_values
    if (count !== undefined && !(count >= 0 && seen + count <= entries && count <= batchLimits.pageEntries)) {
      throw new Error(`a page says that it has ${count} of its column's ${entries} values`)
    }
    seen += count ?? 0
    yield { header, bytes: held.subarray(size, size + bytes) }
    held = held.subarray(size + bytes)
  }
}
