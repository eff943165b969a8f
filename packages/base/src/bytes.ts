/** Pieces end to end, `size` bytes in all, in a buffer of their own: Node's are parts of larger ones. */
export function joinBytes(pieces: Iterable<Uint8Array>, size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
