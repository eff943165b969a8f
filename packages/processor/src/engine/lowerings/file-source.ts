import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ModelSource } from '@eas/onnx'

/** A file that is read where it is needed, until it is closed. Blocks, as all that a worker's thread does. */
export function fileSource(path: string): ModelSource & { close(): void } {
  const file = openSync(path, 'r')
  const { size } = fstatSync(file)
  return {
    size,
    async read(start, end) {
      const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(end, size) - start))
      let filled = 0
      while (filled < buffer.length) {
        const bytesRead = readSync(file, buffer, filled, buffer.length - filled, start + filled)
        if (bytesRead === 0) break // it has been cut off since
        filled += bytesRead
      }
      return buffer.subarray(0, filled)
    },
    close: () => closeSync(file),
  }
}
