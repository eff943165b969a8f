import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { posix } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { readVarint } from '@eas/base'

/** Messages that tensors are in, and the fields that lead to them. onnx/onnx.proto of ONNX 1.16. */
const messages = {
  model: { 7: 'graph', 25: 'function' },
  function: { 7: 'node', 11: 'attribute' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
} as const satisfies { readonly [message: string]: { readonly [field: number]: string } }
type MessageName = keyof typeof messages

/** `TensorProto.external_data`: entries of a key and a value. */
const externalData = 13

/** Of an entry; a path has at most 4,096 bytes on Linux. */
const entryBytesMax = 8192
/** Graphs within graphs, five messages each. Exporters make a handful. */
const depthMax = 100
/** Some exporters write a file for each weight; the largest models have some thousands. */
const filesMax = 100_000

/**
 * The files that an ONNX model's weights are in, as paths below its folder, in order: none for a model that holds them itself.
 * What is in the file of the weights is stepped over, so that one of gigabytes takes some reads of its graph. Paths that lead out
 * of the folder are left out, which ONNX Runtime refuses; of a file that is no ONNX, so is what cannot be read.
 *
 * @see https://github.com/onnx/onnx/blob/v1.16.0/docs/ExternalData.md
 */
export async function weightFiles(model: string): Promise<readonly string[]> {
  const file = openSync(model, 'r')
  try {
    const found = new Set<string>()
    await findLocations(new Window(file), fstatSync(file).size, found)
    return [...found].sort()
  } finally {
    closeSync(file)
  }
}

async function findLocations(window: Window, fileBytes: number, found: Set<string>): Promise<void> {
  const within: { readonly message: MessageName; readonly end: number }[] = [{ message: 'model', end: fileBytes }]
  for (let at = 0; found.size < filesMax; ) {
    while (within.length > 0 && (within.at(-1)?.end ?? 0) <= at) within.pop()
    const current = within.at(-1)
    if (!current) return
    if (!window.has(at, fieldHeadMax)) await window.moveTo(at)
    const field = readFieldHead(window.from(at))
    if (!field) return
    const start = at + field.size
    const end = start + field.length
    if (end > current.end) return
    at = end
    const { [field.number]: inner }: { readonly [field: number]: MessageName } = messages[current.message]
    if (current.message === 'tensor' && field.number === externalData && field.length <= entryBytesMax) {
      if (!window.has(start, field.length)) await window.moveTo(start)
      const location = locationIn(window.from(start).subarray(0, field.length))
      if (location !== undefined) found.add(location)
    } else if (inner && field.isNested) {
      if (within.length === depthMax) return
      within.push({ message: inner, end })
      at = start
    }
  }
}

/** The path of an entry, if it is of that and stays below the folder. */
function locationIn(entry: Uint8Array): string | undefined {
  const texts = new Map<number, string>()
  for (let at = 0; at < entry.length; ) {
    const field = readFieldHead(entry.subarray(at))
    if (!field?.isNested) return undefined
    const start = at + field.size
    at = start + field.length
    texts.set(field.number, Buffer.from(entry.subarray(start, at)).toString())
  }
  const path = texts.get(1) === 'location' ? posix.normalize(texts.get(2) ?? '') : '.'
  return /^(?:\.{0,2}$|\.\.\/|\/)/.test(path) || path.includes('\0') ? undefined : path
}

interface FieldHead {
  readonly number: number
  /** Of the tag and, where there is one, the length. */
  readonly size: number
  /** Of what follows. */
  readonly length: number
  /** Whether that may be a message. */
  readonly isNested: boolean
}

/** A tag and a varint, of ten bytes each at most. */
const fieldHeadMax = 20

/** @see https://protobuf.dev/programming-guides/encoding */
function readFieldHead(bytes: Uint8Array): FieldHead | undefined {
  const tag = readVarint(bytes, 0)
  if (!tag || tag.value < 8) return undefined
  const number = Math.floor(tag.value / 8)
  const head = { number, size: tag.end, isNested: false }
  const kind = tag.value % 8
  if (kind === 1) return { ...head, length: 8 }
  if (kind === 5) return { ...head, length: 4 }
  const next = readVarint(bytes, tag.end)
  if (!next) return undefined
  if (kind === 0) return { ...head, length: next.end - tag.end }
  return kind === 2 ? { number, size: next.end, length: next.value, isNested: true } : undefined
}

/** Of a file's part in memory. Large enough for the nodes of a graph, and little to read for what is around a weight. */
const windowBytes = 16 * 1024

/** Milliseconds of reading after which others have their turn. */
const turnMs = 5

/** A part of a file that is in memory. A read that waits for a thread of the pool takes ten times the processor's time. */
class Window {
  private readonly file: number
  private readonly buffer = Buffer.alloc(windowBytes)
  private start = 0
  private bytes = 0
  private sinceMs = performance.now()

  constructor(file: number) {
    this.file = file
  }

  has(at: number, bytes: number): boolean {
    return at >= this.start && at + bytes <= this.start + this.bytes
  }

  /** What is in memory from there on. */
  from(at: number): Uint8Array {
    return this.buffer.subarray(at - this.start, this.bytes)
  }

  async moveTo(at: number): Promise<void> {
    if (performance.now() - this.sinceMs > turnMs) {
      await setImmediate()
      this.sinceMs = performance.now()
    }
    this.bytes = readSync(this.file, this.buffer, 0, windowBytes, at)
    this.start = at
  }
}
