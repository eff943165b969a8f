import { open, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { ModelSource } from '@eas/onnx'

/** Files of a SavedModel, by names relative to its directory, `/` between parts. */
export interface ModelDirectory {
  list(): Promise<readonly string[]>
  open(name: string): Promise<ModelSource>
}

/** A file as a `ModelSource`; each read opens it anew, so that nothing has to be closed. */
export async function fileSource(path: string): Promise<ModelSource> {
  const file = await open(path)
  const { size } = await file.stat()
  await file.close()
  return {
    size,
    async read(start, end) {
      const handle = await open(path)
      try {
        const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start))
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
        return bytes.subarray(0, bytesRead)
      } finally {
        await handle.close()
      }
    },
  }
}

/** A SavedModel in a folder of this machine. */
export const folderOf = (root: string): ModelDirectory => ({
  async list() {
    const entries = await readdir(root, { recursive: true, withFileTypes: true })
    return entries.filter((e) => e.isFile()).map((e) => relative(root, join(e.parentPath, e.name)).split(sep).join('/'))
  },
  open: (name) => fileSource(join(root, name)),
})
