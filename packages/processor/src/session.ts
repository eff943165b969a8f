import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import type { DType, Tensor } from '@eas/base'
import { EasError, once, oneLine } from '@eas/base'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-common'
import type { Binding } from 'onnxruntime-node/dist/binding.js'
import { disableTelemetry } from './engine/telemetry.ts'
import { fatalOpsOf } from './fatal-kernels.ts'
import { IndexError } from './index-error.ts'

/** An input or an output of a model. */
export interface ValueInfo {
  readonly name: string
  /** `undefined`: only a request will tell, of a model that is lowered for its inputs. */
  readonly dtype: DType | undefined
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
  /** Weights have been left as they are, so that the session was there early; one that computes faster can follow. */
  readonly isProvisional: boolean
  /** Of a model that has signatures: the one that this is, and the one that a request means which names none. */
  readonly signature?: string
  readonly defaultSignature?: string
  /** Requests have to name the outputs that they ask for. */
  readonly mustNameOutputs?: boolean
}

export interface ModelSession {
  readonly info: ModelInfo
  /**
   * Computes the named outputs. Blocks the thread it is called on until they are there.
   * @throws {EasError} `internal` with ONNX Runtime's reason when the model cannot be run on these feeds.
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Map<string, Tensor>
  release(): void
}

/** A model as ONNX Runtime is given it. */
export interface OpenableModel {
  /** The file, or its bytes and the folder its external data is in. */
  readonly onnx: string | { readonly bytes: Uint8Array; readonly folder: string }
  /** Whether ONNX Runtime has optimised it already. */
  readonly isOptimised: boolean
  /** Leaves weights as they are, mapped: the session is there much earlier, and slower. */
  readonly skipsPrepacking?: boolean
  /** Whether what it computes is made for sizes of 0; another model that would end the process is not given any. */
  readonly takesEmpty?: boolean
}

export interface SessionOptions {
  /** Tried in this order; those that cannot be had are left out with a warning. Ends with `cpu`. */
  readonly executionProviders: readonly string[]
  /** Threads of one inference. */
  readonly intraOpNumThreads: number
}

/** ONNX Runtime's name of each dtype it can take or give, and its number in `TensorProto.DataType` of onnx.proto. */
const ortTypes: { readonly [D in DType]?: { readonly type: OrtTensor.Type; readonly number: number } } = {
  float32: { type: 'float32', number: 1 },
  uint8: { type: 'uint8', number: 2 },
  int8: { type: 'int8', number: 3 },
  uint16: { type: 'uint16', number: 4 },
  int16: { type: 'int16', number: 5 },
  int32: { type: 'int32', number: 6 },
  int64: { type: 'int64', number: 7 },
  string: { type: 'string', number: 8 },
  bool: { type: 'bool', number: 9 },
  float16: { type: 'float16', number: 10 },
  float64: { type: 'float64', number: 11 },
  uint32: { type: 'uint32', number: 12 },
  uint64: { type: 'uint64', number: 13 },
}
const rows = Object.entries(ortTypes) as [DType, { type: OrtTensor.Type; number: number }][] // keys of ortTypes
const dtypeOfName = new Map(rows.map(([dtype, { type }]) => [type, dtype]))
const dtypeOfNumber = new Map(rows.map(([dtype, { number }]) => [number, dtype]))

/** Of ONNX Runtime, as a prepared model names it. */
export const onnxRuntimeVersion = (): string => '1.30.0' // pinned in package.json; session.test.ts compares

/** Brings ONNX Runtime's native library into the process: most of what a first session waits for, but for its model. */
export async function preloadOnnxRuntime(): Promise<void> {
  await onnxRuntime()
}

/**
 * What onnxruntime-node's own JavaScript does when it is loaded, without reading its two dozen files: the bundle has
 * onnxruntime-common in it, and the library is asked for by its place.
 */
const onnxRuntime = once(async () => {
  disableTelemetry()
  const { Tensor } = await import('onnxruntime-common')
  const place = `onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`
  const binding = createRequire(import.meta.url)(place) as NativeBinding // 1.30.0, as package.json pins it
  binding.initOrtOnce(logLevels.warning, Tensor, isMainThread)
  return { binding, Tensor }
})

interface NativeBinding {
  readonly InferenceSession: Binding.InferenceSessionConstructor
  /** Does nothing when it is called again. */
  initOrtOnce(logLevel: number, Tensor: typeof OrtTensor, isMainThread: boolean): void
}

/** `OrtLoggingLevel`, of those that are used. */
const logLevels = { warning: 2 } as const

/**
 * Opens an ONNX model. Weights in an external-data file are mapped, and shared by every session on the same file.
 *
 * onnxruntime-node's own API wraps the two native calls, which block either way, in promises and turns of the event loop.
 * On a thread of its own a model needs neither, and they would be most of what a small inference costs; so its binding is
 * called directly. Its version is pinned in package.json.
 *
 * @throws {EasError} `not_ready` when the model cannot be loaded, takes something other than tensors or gives nothing else.
 */
export async function createSession(model: OpenableModel, options: SessionOptions): Promise<ModelSession> {
  const start = performance.now()
  const { binding, Tensor } = await onnxRuntime()
  const warnings: string[] = []
  const { session, execution_provider } = open(binding.InferenceSession, model, options, warnings)
  const info: ModelInfo = {
    inputs: session.inputMetadata.map((value) => valueInfo('input', value)),
    outputs: outputsOf(session.outputMetadata, warnings),
    execution_provider,
    warnings,
    loadMs: performance.now() - start,
    isProvisional: model.skipsPrepacking ?? false,
  }
  let fatal: readonly string[] | undefined

  /** @throws {EasError} `invalid_request` rather than have one request end the process. */
  function checkEmpty(name: string, shape: readonly number[]): void {
    if (model.takesEmpty || !shape.includes(0)) return
    fatal ??= fatalOpsOf(model.onnx)
    if (fatal.length === 0) return
    throw new EasError(
      'invalid_request',
      `Cannot use input ${name}: its shape is [${shape}], and ONNX Runtime cannot compute ${fatal.join(', ')} of nothing`,
    )
  }

  return {
    info,
    run(feeds, fetches) {
      const ortFeeds: Record<string, OrtTensor> = Object.create(null)
      for (const [name, tensor] of feeds) {
        checkEmpty(name, tensor.shape)
        ortFeeds[name] = toOrt(Tensor, name, tensor)
      }
      const ortFetches: Record<string, null> = Object.create(null)
      for (const name of fetches) ortFetches[name] = null
      let results: ReturnType<typeof session.run>
      try {
        results = session.run(ortFeeds, ortFetches, {})
      } catch (cause) {
        throw failed(reasonOf(cause), cause)
      }
      const outputs = new Map<string, Tensor>()
      for (const name of fetches) outputs.set(name, fromOrt(results[name] as OrtTensor)) // only tensors pass valueInfo
      return outputs
    },
    release: () => session.dispose(),
  }
}

/**
 * Writes what ONNX Runtime makes of a model when it opens it, so that this need not be done again: `model` and its weights,
 * in the folder, under the names given.
 *
 * @param level `disabled` is the model as it is, `all` has layouts in it for this kind of processor, as convolutions want them; `extended` runs on any.
 * @throws {EasError} `not_ready` when the model cannot be loaded.
 */
export async function optimiseModel(
  model: OpenableModel,
  to: { readonly folder: string; readonly model: string; readonly weights: string },
  level: 'disabled' | 'extended' | 'all',
): Promise<void> {
  const { binding } = await onnxRuntime()
  const session = new binding.InferenceSession()
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    graphOptimizationLevel: level,
    optimizedModelFilePath: join(to.folder, to.model),
    logSeverityLevel: 4,
  }
  try {
    loadInto(session, model, options, {
      optimized_model_external_initializers_file_name: to.weights,
      optimized_model_external_initializers_min_size_in_bytes: '1024',
    })
  } catch (cause) {
    throw new EasError('not_ready', `Cannot load the model: ${reasonOf(cause, folderOf(model))}`, { cause })
  }
  session.dispose()
}

function open(
  Session: Binding.InferenceSessionConstructor,
  model: OpenableModel,
  { executionProviders, intraOpNumThreads }: SessionOptions,
  warnings: string[],
) {
  // The binding gives up when any provider of the list cannot be had, so the list is shortened from its front.
  for (let first = 0; ; first++) {
    const providers = executionProviders.slice(first)
    const execution_provider = providers[0] ?? 'cpu'
    try {
      const session = new Session()
      const options: InferenceSession.SessionOptions = {
        executionProviders: providers.length > 0 ? providers : ['cpu'],
        intraOpNumThreads,
        graphOptimizationLevel: model.isOptimised ? 'disabled' : 'all',
        // Only what ends the process: a failed inference is thrown too, and logged with its request.
        logSeverityLevel: 4,
      }
      loadInto(session, model, options, {
        // A thread per session computes; idle helper threads must not spin on the cores that serve HTTP.
        'intra_op.allow_spinning': '0',
        disable_prepacking: model.skipsPrepacking ? '1' : '0',
      })
      return { session, execution_provider }
    } catch (cause) {
      if (first + 1 < executionProviders.length) {
        warnings.push(
          `Execution provider ${execution_provider} cannot be used, falling back to ${executionProviders[first + 1]}: ${reasonOf(cause)}`,
        )
        continue
      }
      throw new EasError('not_ready', `Cannot load the model: ${reasonOf(cause, folderOf(model))}`, { cause })
    }
  }
}

/** @param entries Configuration of `onnxruntime_session_options_config_keys.h`, without their `session.`. */
function loadInto(
  session: Binding.InferenceSession,
  { onnx }: OpenableModel,
  options: InferenceSession.SessionOptions,
  entries: Readonly<Record<string, string>>,
): void {
  if (typeof onnx === 'string') {
    session.loadModel(onnx, { ...options, extra: { session: entries } })
    return
  }
  const { bytes, folder } = onnx
  // Where a model that is no file looks for its external data.
  const extra = { session: { ...entries, model_external_initializers_file_folder_path: folder } }
  const { buffer, byteOffset, byteLength } = bytes
  session.loadModel(buffer as ArrayBuffer, byteOffset, byteLength, { ...options, extra }) // never shared memory
}

const folderOf = ({ onnx }: OpenableModel) => (typeof onnx === 'string' ? dirname(onnx) : onnx.folder)

/**
 * Outputs that are tensors. ONNX Runtime computes sequences and maps but cannot hand them to Node, such as the probabilities of
 * a classifier of scikit-learn that was exported with `zipmap`.
 */
function outputsOf(values: readonly Binding.ValueMetadata[], warnings: string[]): readonly ValueInfo[] {
  const tensors = values.filter(({ isTensor }) => isTensor)
  // Better refused now than after a run.
  if (tensors.length === 0) return values.map((value) => valueInfo('output', value))
  for (const { name, isTensor } of values)
    if (!isTensor) warnings.push(`Output ${oneLine(name)} is not a tensor and cannot be answered`)
  return tensors.map((value) => valueInfo('output', value))
}

function valueInfo(side: 'input' | 'output', value: Binding.ValueMetadata): ValueInfo {
  const { name, isTensor, type, shape, symbolicDimensions } = value
  if (!isTensor) throw new EasError('not_ready', `Cannot load the model: ${side} ${name} is not a tensor`)
  const dtype = dtypeOfNumber.get(type)
  if (!dtype) {
    const what = otherTypes.get(type) ?? `of data type ${type}`
    throw new EasError('not_ready', `Cannot load the model: ${side} ${name} is ${what}, and Node has no tensors of it`)
  }
  const dims = shape.map((dim, i) => (dim >= 0 ? dim : (symbolicDimensions[i] ?? '')))
  return { name, dtype, shape: dims.length > 0 ? dims : undefined }
}

/** Of `TensorProto.DataType`: what a model may name and onnxruntime-node has nothing for. */
const otherTypes: ReadonlyMap<number, string> = new Map([
  [14, 'complex64'],
  [15, 'complex128'],
  [16, 'bfloat16'],
])

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf8Bytes = new TextEncoder()

function toOrt(Tensor: typeof OrtTensor, name: string, { dtype, shape, data }: Tensor): OrtTensor {
  if (dtype === 'string') {
    const texts = data.map((bytes, i) => {
      // onnxruntime-node hands strings over as C does, ending at the first NUL; better refused than cut short.
      if (bytes.includes(0)) throw new EasError('invalid_request', `Cannot use input ${name}: element ${i} holds a NUL`)
      try {
        return utf8.decode(bytes)
      } catch {
        throw new EasError('invalid_request', `Cannot use input ${name}: element ${i} is not UTF-8`)
      }
    })
    return new Tensor('string', texts, shape)
  }
  const type = ortTypes[dtype]?.type
  if (!type) throw new EasError('invalid_request', `Cannot use input ${name}: ONNX Runtime takes no ${dtype}`)
  if (type === 'float16') return halves(new Tensor('uint16', data as Uint16Array, shape)) // as base's DType has them
  return new Tensor(type, data as Float32Array, shape) // every row of ortTypes is the array type ONNX Runtime wants
}

/** From Node 24 on, ONNX Runtime's Tensor makes a Float16Array of halves, in which its binding then finds no bytes. */
const halves = (bits: OrtTensor): OrtTensor => Object.assign(bits, { type: 'float16' })

function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  if (type === 'string') {
    return { dtype: 'string', shape: dims, data: (data as string[]).map((text) => utf8Bytes.encode(text)) }
  }
  const dtype = dtypeOfName.get(type)
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
function reasonOf(thrown: unknown, folder = ''): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  // The model's own folder by name first: a path with spaces has no end that could be seen.
  const text = (folder ? message.replaceAll(`${folder}${sep}`, '') : message).slice(0, reasonCharsMax)
  const [, node, status] = /running (\S+ node)\..*?Status Message: (.*)/s.exec(text) ?? []
  const reason = (node && status ? `${node}: ${status}` : text)
    .replace(/(?:\b[A-Za-z]:)?(?:\/[^\s/:'"]+){2,}\/?/g, (path) => path.slice(path.lastIndexOf('/') + 1))
    .replace(/\s+/g, ' ')
    .replace(sourcePlace, '')
    .replace(/failed: ?Protobuf parsing failed\./, 'failed: it is no ONNX file, or not the whole of one')
    .trim()
  return oneLine(reason, 300)
}

function failed(reason: string, cause: unknown): EasError {
  const message = `Prediction failed: ${reason}`
  const [, index] = indexNamed.exec(reason) ?? []
  return index === undefined
    ? new EasError('internal', message, { cause })
    : new IndexError(message, BigInt(index), { cause })
}

/** What Gather and ScatterElements say of an index, and GatherND and ScatterND; GatherElements does not name it. */
const indexNamed =
  /^\w+ node: (?:indices element out of data bounds, idx=|invalid ind(?:ex|ice) found, ind(?:ex|ice) = )(-?\d{1,19})\b/

/** Of a message that may quote what a client sent, enough to find the reason in. */
const reasonCharsMax = 2000

/**
 * Where in ONNX Runtime's own code a message comes from: file and line, the function with or without its signature, and perhaps
 * the condition that did not hold, as `matmul_helper.h:59 Compute MatMul dimension mismatch` begins.
 */
const sourcePlace =
  /[\w.-]+\.(?:cc|cpp|h):\d+ (?:[^()]*::[^()]*\((?:[^()]|\([^()]*\))*\)(?: const)?(?: \[with [^\]]*\])? |\w+ )(?:[^.]* was false\. (?=\S))?/
