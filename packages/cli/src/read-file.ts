import { open } from 'node:fs/promises'
import { EasError, joinBytes } from '@eas/base'

/** What the system's codes mean to a person. */
const reasons: { readonly [code: string]: string } = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  EROFS: 'it can only be read',
}

/** Of those, what they mean where something is written. */
const writeReasons: { readonly [code: string]: string } = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
}

/** `Cannot read digit.npy: no such file`, for a failure of the file system. */
export function fileError(attempt: 'read' | 'inspect' | 'write', file: string, cause: unknown): EasError {
  const { code, message } = cause as NodeJS.ErrnoException // node:fs throws nothing else
  const of = attempt === 'write' ? { ...reasons, ...writeReasons } : reasons
  const reason = code !== undefined && Object.hasOwn(of, code) ? of[code] : message
  return new EasError(code === 'ENOENT' ? 'not_found' : 'internal', `Cannot ${attempt} ${file}: ${reason}`, { cause })
}

/**
 * A whole file or pipe, in a buffer of its own; `-` is standard input.
 * @throws {EasError} `not_found`; `too_large` for more than `maxBytes`, before they were read.
 */
export async function readBounded(file: string, maxBytes: number): Promise<Uint8Array> {
  try {
    if (file === '-') return await readStandardInput(maxBytes)
    const handle = await open(file)
    try {
      const { size } = await handle.stat()
      if (size > maxBytes) throw tooLarge(file, maxBytes)
      const chunks: Buffer[] = []
      let bytes = 0
      // A pipe has no size, and a file may grow: what counts is what comes.
      for (let wanted = size + 1; ; wanted = pipeBytes) {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(wanted))
        if (bytesRead === 0) break
        chunks.push(buffer.subarray(0, bytesRead))
        bytes += bytesRead
        if (bytes > maxBytes) throw tooLarge(file, maxBytes)
      }
      return joinBytes(chunks, bytes)
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    throw thrown instanceof EasError ? thrown : fileError('read', file, thrown)
  }
}

/** Of any kind: who starts a program may give it a socket, which `/dev/stdin` does not open. */
async function readStandardInput(maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge('standard input', maxBytes)
  }
  return joinBytes(chunks, bytes)
}

/** As many as a pipe holds. */
const pipeBytes = 64 * 1024

const tooLarge = (file: string, maxBytes: number) =>
  new EasError('too_large', `Cannot read ${file}: it is over ${maxBytes / 1024 / 1024} MiB`)

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A file of text as `readBounded` reads it; a byte order mark is left out. */
export async function readText(file: string, maxBytes: number): Promise<string> {
  return toText(await readBounded(file, maxBytes), file)
}

/** @throws {EasError} `invalid_request` naming the file when its bytes are not UTF-8. */
export function toText(bytes: Uint8Array, file: string): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new EasError('invalid_request', `Cannot read ${file}: it is not UTF-8 text`, { cause })
  }
}
