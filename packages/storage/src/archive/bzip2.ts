import { Duplex } from 'node:stream'
import unbzip2 from 'unbzip2-stream'
import { StoreError } from '../store-error.ts'

/** Input that is given to the decoder at once; it decodes all it has before it looks at anything else. */
const inputBytes = 64 * 1024

/**
 * A stream that decodes bzip2. The library knows no back-pressure: it holds up to 925 kB of input and decodes that in one go.
 * What comes out is kept until it has been read, and no input is taken meanwhile, so `refuse` is asked about every block.
 */
export function bunzip2(refuse: (bytes: number) => void = () => {}): Duplex {
  const decoder = unbzip2()
  let bytes = 0
  let taken: (() => void) | undefined
  const stream = new Duplex({
    readableHighWaterMark: inputBytes,
    write(chunk, _, callback) {
      decoder.write(chunk)
      if (stream.readableLength < inputBytes) callback()
      else taken = callback
    },
    final(callback) {
      decoder.end()
      callback()
    },
    read() {
      const go = taken
      taken = undefined
      go?.()
    },
  })
  decoder.on('data', (block: Buffer) => {
    bytes += block.length
    refuse(bytes) // throws into the decoder, which ends with that error
    stream.push(block)
  })
  decoder.on('end', () => stream.push(null))
  decoder.on('error', (error: Error) => {
    // The library finds out about damage by stumbling over it: what it says means nothing to anybody.
    const cause = new StoreError('corrupt', 'Cannot unpack: the bzip2 data is damaged or cut off', { cause: error })
    stream.destroy(error instanceof StoreError ? error : cause)
  })
  return stream
}
