import type { Manifest } from '@eas/batch'
import type { ObjectStore } from '@eas/storage'

/** An object, whole. */
export async function bytesOf(store: ObjectStore, key: string): Promise<Buffer> {
  const { body } = await store.stream(key)
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** The result of an input: its newest manifest, the text of its parts, and of its errors. */
export async function resultOf(store: ObjectStore, root: string, key: string) {
  const prefix = `${root === '' ? '' : `${root}/`}${key}/manifest-`
  const manifests: string[] = []
  for await (const info of store.list(prefix)) manifests.push(info.key)
  const newest = manifests.at(-1)
  if (newest === undefined) throw new Error(`${key} has no result`)
  const manifest: Manifest = JSON.parse((await bytesOf(store, newest)).toString())
  const parts = await Promise.all(manifest.parts.map((part) => bytesOf(store, part.key)))
  const errors = manifest.errors === undefined ? '' : (await bytesOf(store, manifest.errors)).toString()
  return { manifest, manifests, parts, text: Buffer.concat(parts).toString(), errors: linesOf(errors) }
}

export const linesOf = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
