import type { Body } from '../object-store.ts'
import { StoreError } from '../store-error.ts'

export const sizeOfBody = (body: Body): number => (body instanceof Uint8Array ? body.length : body.size)

/**
 * The chunks of a body, which must be as many bytes as it says. The last chunk is given only once the stream has ended, so
 * that a body of another size is never complete on its way, and no store keeps a part of it.
 */
export async function* exactBody(body: Exclude<Body, Uint8Array>, doing: string): AsyncGenerator<Uint8Array> {
  let left = body.size
  let held: Uint8Array | undefined
  for await (const chunk of body.stream) {
    if (chunk.length === 0) continue
    left -= chunk.length
    if (left < 0) throw new StoreError('invalid', `Cannot ${doing}: the body has more than ${body.size} bytes`)
    if (held) yield held
    held = chunk
  }
  if (left > 0) throw new StoreError('invalid', `Cannot ${doing}: the body has fewer than ${body.size} bytes`)
  if (held) yield held
}
