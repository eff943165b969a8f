import type { Sink } from './object-store.ts'
import { StoreError } from './store-error.ts'

/** Copies chunks to where a sink wants them. @throws {StoreError} `corrupt` for more than it has room for. */
export async function pourStream(body: AsyncIterable<Uint8Array>, sink: Sink, doing: string): Promise<void> {
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      const room = sink.room()
      if (room.length === 0) throw new StoreError('corrupt', `Cannot ${doing}: more bytes came than asked for`)
      const part = chunk.subarray(at, at + room.length)
      room.set(part)
      at += part.length
      await sink.took(part.length)
    }
  }
}
