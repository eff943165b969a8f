import type { DType, Tensor } from '@eas/base'
import { EasError } from '@eas/base'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'

/** An input or an output of a model. */
export interface ValueInfo {
  readonly name: string
  readonly dtype: DType
  /**
   * A fixed dimension is a number, a free one its symbol (`''` when it has none). `undefined`: the model declares no
   * shape, or declares a scalar; onnxruntime-node shows both alike, so nothing about the rank is known.
   */
  readonly shape: readonly (number | string)[] | undefined
}

/** What a loaded model is, as plain data that can cross to another thread. */
export interface ModelInfo {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /** The execution provider that took the model first, such as `cuda` or `cpu`. */
  readonly execution_provider: string
  /** One line each, for the log. */
  readonly warnings: readonly string[]
  readonly loadMs: number
}

export interface ModelSession {
  readonly info: ModelInfo
  /**
   * Computes the named outputs. Blocks the thread it is called on until they are there.
   * @throws {EasError} `internal` with ONNX Runtime's reason when the model cannot be run on these feeds.
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Promise<Map<string, Tensor>>
  release(): Promise<void>
}

export interface SessionOptions {
  /** Tried in this order; those that cannot be had are left out with a warning. Ends with `cpu`. */
  readonly executionProviders: readonly string[]
  /** Threads of one inference. */
  readonly intraOpNumThreads: number
}

/** ONNX Runtime's name of each dtype it can take or give. */
const ortTypes: { readonly [D in DType]?: OrtTensor.Type } = {
  float32: 'float32',
  float64: 'float64',
  float16: 'float16',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  bool: 'bool',
  string: 'string',
}
const dtypeOfOrt = new Map(Object.entries(ortTypes).map(([dtype, type]) => [type, dtype as DType])) // keys of ortTypes

/**
 * Opens an ONNX model file. The file's path is what ONNX Runtime gets, never its bytes: weights in an external-data file
 * are then mapped, and shared by every session on the same file.
 *
 * @throws {EasError} `not_ready` when the model cannot be loaded, or takes or gives something other than tensors.
 */
export async function createSession(modelPath: string, options: SessionOptions): Promise<ModelSession> {
  const start = performance.now()
  const ort = await import('onnxruntime-node')
  const warnings: string[] = []
  const { session, execution_provider } = await open(ort.InferenceSession, modelPath, options, warnings)
  const info: ModelInfo = {
    inputs: session.inputMetadata.map((value) => valueInfo('input', value)),
    outputs: session.outputMetadata.map((value) => valueInfo('output', value)),
    execution_provider,
    warnings,
    loadMs: performance.now() - start,
  }
  const { Tensor } = ort

  return {
    info,
    async run(feeds, fetches) {
      const ortFeeds: Record<string, OrtTensor> = Object.create(null)
      for (const [name, tensor] of feeds) ortFeeds[name] = toOrt(Tensor, name, tensor)
      let results: InferenceSession.OnnxValueMapType
      try {
        results = await session.run(ortFeeds, fetches)
      } catch (cause) {
        throw new EasError('internal', `Prediction failed: ${reasonOf(cause)}`, { cause })
      }
      const outputs = new Map<string, Tensor>()
      for (const name of fetches) outputs.set(name, fromOrt(results[name] as OrtTensor)) // only tensors pass valueInfo
      return outputs
    },
    release: () => session.release(),
  }
}

async function open(
  factory: typeof InferenceSession,
  modelPath: string,
  { executionProviders, intraOpNumThreads }: SessionOptions,
  warnings: string[],
) {
  // onnxruntime-node gives up when any provider of the list cannot be had, so the list is shortened from its front.
  for (let first = 0; ; first++) {
    const providers = executionProviders.slice(first)
    const execution_provider = providers[0] ?? 'cpu'
    try {
      const session = await factory.create(modelPath, {
        executionProviders: providers.length > 0 ? providers : ['cpu'],
        intraOpNumThreads,
        // A thread per session computes; idle helper threads must not spin on the cores that serve HTTP.
        extra: { session: { 'intra_op.allow_spinning': '0' } },
        logSeverityLevel: 3,
      })
      return { session, execution_provider }
    } catch (cause) {
      if (first + 1 < executionProviders.length) {
        warnings.push(
          `Execution provider ${execution_provider} cannot be used, falling back to ${executionProviders[first + 1]}: ${reasonOf(cause)}`,
        )
        continue
      }
      throw new EasError('not_ready', `Cannot load the model: ${reasonOf(cause)}`, { cause })
    }
  }
}

function valueInfo(side: 'input' | 'output', value: InferenceSession.ValueMetadata): ValueInfo {
  // ONNX Runtime computes sequences and maps but cannot hand them to Node; better refused now than after a run.
  if (!value.isTensor) {
    throw new EasError('not_ready', `Cannot load the model: ${side} ${value.name} is not a tensor`)
  }
  const dtype = dtypeOfOrt.get(value.type)
  if (!dtype) throw new EasError('not_ready', `Cannot load the model: ${side} ${value.name} is ${value.type}`)
  return { name: value.name, dtype, shape: value.shape.length > 0 ? value.shape : undefined }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf8Bytes = new TextEncoder()

function toOrt(Tensor: typeof OrtTensor, name: string, { dtype, shape, data }: Tensor): OrtTensor {
  if (dtype === 'string') {
    const texts = data.map((bytes, i) => {
      try {
        return utf8.decode(bytes)
      } catch {
        throw new EasError('invalid_request', `Cannot use input ${name}: element ${i} is not UTF-8`)
      }
    })
    return new Tensor('string', texts, shape)
  }
  const type = ortTypes[dtype]
  if (!type) throw new EasError('invalid_request', `Cannot use input ${name}: ONNX Runtime takes no ${dtype}`)
  return new Tensor(type, data as Float32Array, shape) // every row of ortTypes is the array type ONNX Runtime wants
}

function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  if (type === 'string') {
    return { dtype: 'string', shape: dims, data: (data as string[]).map((text) => utf8Bytes.encode(text)) }
  }
  const dtype = dtypeOfOrt.get(type)
  if (!dtype) throw new EasError('internal', `Prediction failed: an output is ${type}`)
  // The dtype of each ONNX Runtime type names the array that holds it; Node 24 has its own array for float16.
  const array = type === 'float16' && !(data instanceof Uint16Array) ? asUint16(data as ArrayBufferView) : data
  return { dtype, shape: dims, data: array } as Tensor
}

const asUint16 = (data: ArrayBufferView) => new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)

/**
 * ONNX Runtime's reason in one line, without the paths of the machine that built it or that runs it.
 * Its messages look like `Non-zero status code returned while running Gather node. Name:'' Status Message: indices …`.
 */
function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const [, node, status] = /running (\S+ node)\..*?Status Message: (.*)/s.exec(text) ?? []
  return (node && status ? `${node}: ${status}` : text)
    .replace(/(?:[A-Za-z]:)?(?:\/[^\s/:'"]+){2,}\/?/g, (path) => path.slice(path.lastIndexOf('/') + 1))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
}
