/** `0x184D2A50` to `0x184D2A5F`, of LZ4 and of Zstandard alike: a frame of the writer's own, which a reader passes over. */
export const skippableMagic = 0x184d2a5

/** `pzstd` writes one. More than this before the data is nothing that a client sends. */
const maxFrames = 16

/**
 * Where the data begins: behind the skippable frames that stand first. May lie behind the end of the bytes.
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
 */
export function afterSkippableFrames(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  for (let i = 0; i < maxFrames && at + 8 <= bytes.length; i++) {
    if (view.getUint32(at, true) >>> 4 !== skippableMagic) break
    at += 8 + view.getUint32(at + 4, true)
  }
  return at
}
