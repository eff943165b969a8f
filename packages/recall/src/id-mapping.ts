import { readFile } from 'node:fs/promises'
import { RecallError } from './recall-error.ts'

/** The item ids of an index's rows: TorchEasyRec's `id_mapping`, one item id per line, in the order of FAISS ids. */
export interface IdMapping {
  readonly count: number
  /** @throws {RecallError} `corrupt_index` for an id that has no line. */
  itemId(id: bigint): string
}

/**
 * Reads `id_mapping` from its bytes or its path. Text is decoded when it is asked for: a million ids cost their bytes and
 * four more each.
 *
 * @throws {RecallError} `io`, or `too_large` from 4 GiB on.
 * @see tzrec/tools/create_faiss_index.py of TorchEasyRec 1.3
 */
export async function openIdMapping(source: Uint8Array | string): Promise<IdMapping> {
  if (typeof source !== 'string') return idMapping(source)
  try {
    return idMapping(await readFile(source))
  } catch (cause) {
    if (cause instanceof RecallError) throw cause
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new RecallError('io', `Cannot read id_mapping: ${code}`, { cause })
  }
}

function idMapping(bytes: Uint8Array): IdMapping {
  if (bytes.length > 2 ** 32) throw new RecallError('too_large', `Cannot read id_mapping: it has ${bytes.length} bytes`)
  const [newline, carriageReturn] = [0x0a, 0x0d]
  let count = 0
  for (const byte of bytes) if (byte === newline) count++
  const isLastOpen = bytes.length > 0 && bytes.at(-1) !== newline
  if (isLastOpen) count++
  const starts = new Uint32Array(count)
  for (let line = 1, at = bytes.indexOf(newline); line < count; at = bytes.indexOf(newline, at + 1))
    starts[line++] = at + 1

  const decoder = new TextDecoder()
  return {
    count,
    itemId(id) {
      if (id < 0n || id >= BigInt(count)) {
        throw new RecallError('corrupt_index', `Cannot name item ${id}: id_mapping has ${count} lines`)
      }
      const line = Number(id)
      const start = starts[line] as number // line < count
      let end = line + 1 < count ? (starts[line + 1] as number) - 1 : bytes.length - (isLastOpen ? 0 : 1)
      if (end > start && bytes[end - 1] === carriageReturn) end--
      return decoder.decode(bytes.subarray(start, end))
    },
  }
}
