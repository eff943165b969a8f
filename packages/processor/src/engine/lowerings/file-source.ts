import { open } from 'node:fs/promises'
import type { ModelSource } from '@eas/onnx'

/** A file that is read where it is needed, until it is closed. */
export async function fileSource(path: string): Promise<ModelSource & { close(): Promise<void> }> {
  const file = await open(path)
  const { size } = await file.stat()
  return {
    size,
    async read(start, end) {
      const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(end, size) - start))
      let filled = 0
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, start + filled)
        if (bytesRead === 0) break // it has been cut off since
        filled += bytesRead
      }
      return buffer.subarray(0, filled)
    },
    close: () => file.close(),
  }
}
