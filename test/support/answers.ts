import { easStatus } from '@eas/base'
import type { Processor } from '@eas/processor'
import { compress, type EasRequest, tfPredict, torchPredict } from '@eas/protocol'
import { graphs } from './models.ts'
import { onnxModel, type scratch } from './onnx.ts'
import { processorOf } from './processor.ts'

/** Bytes to which a body may inflate in these tests: small, so that a bomb shows at once. */
export const inflatedBytesMax = 8 * 1024 * 1024

/** How a body can be packed, by name. `zstd` stores it as it is: no one needs an encoder to attack a decoder. */
export const packings: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  plain: (body) => body,
  gzip: (body) => compress('gzip', body),
  zlib: (body) => compress('zlib', body),
  snappy: (body) => compress('snappy', body),
  lz4: (body) => compress('lz4', body),
  lz4_frame: (body) => compress('lz4_frame', body),
  zstd: storedZstd,
}

/** RFC 8878, 3.1.1: one segment with its size in four bytes, and one raw block. */
function storedZstd(body: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12)
  head.writeUInt32LE(0xfd2fb528, 0)
  head[4] = 0xa0
  head.writeUInt32LE(body.length, 5)
  head.writeUIntLE(1 | (body.length << 3), 9, 3)
  return Buffer.concat([head, body])
}

/**
 * The core with small models that take every dtype: `torch_<packing>` and `tf_<packing>`, each with that decompressor, or
 * with none, so that it is recognised, for `plain`.
 */
export async function hardenedProcessor(files: ReturnType<typeof scratch>): Promise<Processor> {
  const model = files.write('echo.onnx', onnxModel(graphs.echo))
  const fallible = files.write('gather.onnx', onnxModel(graphs.gather))
  const decompressors = Object.keys(packings).filter((name) => name !== 'lz4_frame')
  const services = decompressors.flatMap((packing) =>
    (['torch', 'tf'] as const).map((kind) => ({
      name: `${kind}_${packing}`,
      model,
      kind,
      rpc: packing === 'plain' ? {} : { decompressor: packing },
    })),
  )
  return processorOf(
    [...services, { name: 'gather', model: fallible }, { name: 'gather_tf', model: fallible, kind: 'tf' }],
    { env: { EAS_MAX_INFLATED_BYTES: String(inflatedBytesMax) } },
  )
}

/** The service whose decompressor is for a packing. */
export const serviceOf = (kind: 'torch' | 'tf', packing: string) =>
  `${kind}_${packing === 'lz4_frame' ? 'lz4' : packing}`

const statuses: ReadonlySet<number> = new Set([200, ...Object.values(easStatus)])

/**
 * What is wrong with how the core answered, or undefined. A failure must be one short line without control characters,
 * stack or path; a success must be the response message; and either must come in time.
 */
export async function faultOf(processor: Processor, request: EasRequest, msMax: number): Promise<string | undefined> {
  const start = performance.now()
  const { status, body, headers } = await processor.handle(request)
  const ms = performance.now() - start
  if (ms > msMax) return `took ${Math.round(ms)} ms`
  if (!statuses.has(status) || status === easStatus.client_closed) return `status ${status}`
  if (status === 200) {
    if (headers['content-type'] !== 'application/octet-stream') return undefined
    const decode = request.target.includes('tf') ? tfPredict.decodeResponse : torchPredict.decodeResponse
    try {
      decode(body)
      return undefined
    } catch (thrown) {
      return `a response that cannot be read: ${thrown}`
    }
  }
  const text = Buffer.from(body).toString('utf8')
  if (text.length === 0 || text.length > 2000) return `an error of ${text.length} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return `control characters in ${JSON.stringify(text)}`
  if (/\.[jt]s:\d|node_modules|\/tmp\/|Assertion failed/.test(text)) return `internals in ${text}`
  // Only a model may fail, and it says so; any other 500 is a fault of the server's own.
  if (status === easStatus.internal && !/^Prediction failed: \w+ node: /.test(text)) return `500: ${text}`
  return undefined
}
