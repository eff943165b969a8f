import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { StoreError } from '@eas/storage'
import { Decompress } from 'fzstd'
import { BatchError, reasonOf } from '../batch-error.ts'

type Bytes = AsyncIterable<Uint8Array>

/** How a stream is compressed, by the bytes it begins with. @see RFC 1952, RFC 8878 */
export const compressions: readonly {
  readonly name: string
  readonly magic: readonly number[]
  readonly inflate: (bytes: Bytes) => Bytes
}[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], inflate: (bytes) => through(bytes, zlib.createGunzip(), 'gzip') },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], inflate: inflateZstd },
  // Behind a frame that is skipped, of any of sixteen kinds: pzstd begins with one.
  ...Array.from({ length: 16 }, (_, i) => ({
    name: 'zstd',
    magic: [0x50 + i, 0x2a, 0x4d, 0x18],
    inflate: inflateZstd,
  })),
]

async function* through(bytes: Bytes, inflater: NodeJS.ReadWriteStream, name: string): AsyncGenerator<Uint8Array> {
  const source = Readable.from(bytes, { objectMode: false })
  let broken: unknown
  source.on('error', (error) => {
    broken = error
    ;(inflater as NodeJS.ReadWriteStream & { destroy(error: Error): void }).destroy(error) // every stream of zlib has it
  })
  try {
    for await (const piece of source.pipe(inflater) as AsyncIterable<Uint8Array>) yield piece // zlib gives bytes
  } catch (thrown) {
    if (broken !== undefined) throw broken
    throw malformed(name, thrown)
  } finally {
    source.destroy()
  }
}

/**
 * By a library on every version of Node: the decoder that Node has from 22.15 on ends behind the first of several frames, and
 * takes one that is cut short for whole.
 */
async function* inflateZstd(bytes: Bytes): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = []
  const inflater = new Decompress((piece) => pieces.push(piece.slice()))
  let held: Uint8Array | undefined
  try {
    for await (const piece of bytes) {
      if (held) inflater.push(held)
      held = piece.slice()
      yield* pieces
      pieces = []
    }
    inflater.push(held ?? new Uint8Array(), true)
  } catch (thrown) {
    if (thrown instanceof StoreError) throw thrown
    throw malformed('zstd', thrown)
  }
  yield* pieces
}

const malformed = (name: string, thrown: unknown) =>
  new BatchError('bad_object', `Cannot read the object: it is no sound ${name}: ${reasonOf(thrown)}`, { cause: thrown })

/** The stream from `offset` on, for one that cannot be entered in its middle. */
export async function* behind(bytes: Bytes, offset: number): AsyncGenerator<Uint8Array> {
  let left = offset
  for await (const piece of bytes) {
    if (left >= piece.length) left -= piece.length
    else {
      yield left > 0 ? piece.subarray(left) : piece
      left = 0
    }
  }
}
