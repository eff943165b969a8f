import { type FileHandle, open } from 'node:fs/promises'
import { limits, readVarint } from '@eas/base'
import { fileError } from '../read-file.ts'

/** What a model says of itself beside its graph. */
export interface OnnxHead {
  readonly ir_version?: number
  readonly producer?: string
  /** Versions by domain; ONNX's own is `ai.onnx`. */
  readonly opsets: ReadonlyMap<string, number>
}

/**
 * The fields around the graph of an ONNX file. The graph, which is nearly all of it, is stepped over, so that a file of
 * gigabytes takes a few reads. `undefined` when the file does not begin as a ModelProto.
 *
 * @see onnx/onnx.proto of ONNX 1.16: ModelProto, OperatorSetIdProto
 */
export async function readOnnxHead(file: string): Promise<OnnxHead | undefined> {
  try {
    const handle = await open(file)
    try {
      return await readFields(handle, (await handle.stat()).size)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw fileError('read', file, cause)
  }
}

/** Fields of a ModelProto are few; a file with more is none. */
const fieldsMax = 10_000

async function readFields(handle: FileHandle, fileBytes: number): Promise<OnnxHead | undefined> {
  const opsets = new Map<string, number>()
  let ir_version: number | undefined
  let producer: string | undefined
  let offset = 0
  for (let count = 0; offset < fileBytes; count++) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, offset)
    const field = readTag(buffer.subarray(0, bytesRead))
    if (!field || count === fieldsMax) return undefined
    const { number, length, value } = field
    const start = offset + field.size
    if (number === 1 && length === undefined) ir_version = value
    if (length !== undefined && length <= limits.onnxFieldBytes && (number === 2 || number === 3 || number === 8)) {
      const content = Buffer.alloc(length)
      await handle.read(content, 0, length, start)
      if (number === 2) producer = content.toString()
      else if (number === 3) producer = `${producer ?? ''} ${content}`.trim()
      else readOpset(content, opsets)
    }
    offset = start + (length ?? 0)
  }
  return offset === fileBytes
    ? { ...(ir_version !== undefined && { ir_version }), ...(producer && { producer }), opsets }
    : undefined
}

interface Field {
  readonly number: number
  /** Of the tag and what follows it, without the content of `length` bytes. */
  readonly size: number
  readonly length?: number
  readonly value?: number
}

/** A tag with its varint or its length. ModelProto has no field of a fixed size. */
function readTag(bytes: Uint8Array): Field | undefined {
  const tag = readVarint(bytes, 0)
  const second = tag && readVarint(bytes, tag.end)
  if (!second || tag.value < 8) return undefined
  const number = Math.floor(tag.value / 8)
  if (tag.value % 8 === 0) return { number, size: second.end, value: second.value }
  return tag.value % 8 === 2 ? { number, size: second.end, length: second.value } : undefined
}

function readOpset(content: Uint8Array, into: Map<string, number>): void {
  let domain = ''
  let version = 0
  for (let at = 0; at < content.length; ) {
    const field = readTag(content.subarray(at))
    if (!field) return
    const start = at + field.size
    at = start + (field.length ?? 0)
    if (field.number === 1 && field.length !== undefined) domain = Buffer.from(content.subarray(start, at)).toString()
    if (field.number === 2 && field.value !== undefined) version = field.value
  }
  into.set(domain || 'ai.onnx', version)
}
