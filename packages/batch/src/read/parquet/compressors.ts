import * as zlib from 'node:zlib'
import { decompress } from '@eas/protocol'
import type { Compressors } from './leaf.ts'

/** By Node's own, which are several times as fast; its zstd alone would end behind a first frame. No page is longer than its header says. */
const native: Compressors = {
  GZIP: (input, maxOutputLength) => zlib.gunzipSync(input, { maxOutputLength }),
  BROTLI: (input, maxOutputLength) => zlib.brotliDecompressSync(input, { maxOutputLength }),
  ZSTD: (input, sizeMax) => decompress('zstd', input, sizeMax),
}

/**
 * What undoes each compression, for pages that hold something: of nothing there may be any bytes, such as the dictionary of
 * a column without a value has, which not every decompressor takes.
 */
export function pageCompressors(portable: Compressors): Compressors {
  const all = Object.entries({ ...portable, ...native })
  return Object.fromEntries(
    all.map(([codec, inflate]) => [
      codec,
      (input: Uint8Array, size: number) => (size === 0 ? new Uint8Array() : inflate(input, size)),
    ]),
  )
}
