import { describeTorchScript, importTorchScript } from '@eas/import-torchscript'
import { guardsHold, type ImportedModel, type InputSpec, joinChunks, type OutputStructure, sourceOf } from '@eas/onnx'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { ortTensor } from '../../support/ort-tensor.ts'
import { type Call, type Case, leavesOf, type Nest, type RawTensor } from './cases.ts'
import { compare, type Verdict, valuesOf } from './compare.ts'

/** Which sizes of the inputs are fixed when a model is lowered. */
export type Dynamics =
  /** All, to those of the first call. */
  | 'static'
  /** Those that no two calls differ in. */
  | 'across-calls'
  /** None but 0 and 1: equal sizes get one label. */
  | 'symbolic'

/** An archive lowered to ONNX and opened in ONNX Runtime. */
export interface Converted {
  readonly imported: ImportedModel
  readonly importMs: number
  /** Whether the model was lowered for calls of these sizes. */
  admits(call: Call): boolean
  run(call: Call): Promise<Nest>
  release(): Promise<void>
}

/** The ONNX file says that weights lie beside it under this name; they are handed over in memory. */
const archiveName = 'model.pt'

/** @throws {ImportRefusal} And whatever ONNX Runtime says of a graph it cannot open. */
export async function convert(
  { archive, calls }: Pick<Case, 'archive' | 'calls'>,
  dynamics: Dynamics,
): Promise<Converted> {
  const source = sourceOf(archive)
  const { methods } = await describeTorchScript(source)
  const names = methods[0]?.parameters.map(({ name }) => name) ?? []
  const start = performance.now()
  const imported = await importTorchScript(source, {
    location: archiveName,
    inputs: inputSpecs(calls, dynamics, names),
  })
  const importMs = performance.now() - start
  const session = await InferenceSession.create(joinChunks(imported.model), {
    externalData: imported.externalData.map((path) => ({ path, data: archive })),
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  })
  /** Tensors of a call in the order of the model's inputs. */
  const tensorsOf = (call: Call): RawTensor[] => {
    const leaves = new Map(call.inputs.flatMap((input, i) => leavesOf(input, [i])).map(([path, t]) => [`${path}`, t]))
    return imported.inputs.map(({ name, position, key }) => {
      const tensor = leaves.get(`${key === undefined ? [position] : [position, key]}`)
      if (!tensor) throw new Error(`the call has no ${name}`)
      return tensor
    })
  }
  return {
    imported,
    importMs,
    admits: (call) =>
      guardsHold(
        imported.guards,
        imported.inputs.map(({ shape }) => shape),
        tensorsOf(call).map(({ shape }) => shape),
      ),
    run: async (call) => {
      const tensors = tensorsOf(call)
      const feeds: Record<string, Tensor> = {}
      for (const [i, { name }] of imported.inputs.entries()) feeds[name] = toOrt(tensors[i] as RawTensor) // one per input
      const fetches = await session.run(feeds)
      return restore(
        imported.structure,
        imported.outputs.map(({ name }) => fromOrt(fetches[name])),
      )
    },
    release: () => session.release(),
  }
}

/** What lowering a case came to: a verdict per call, and what was taken for granted on the way. */
export interface Outcome {
  readonly verdicts: readonly Verdict[]
  readonly importMs: number
  readonly notes: readonly string[]
  /** Operators that were lowered, as `aten::relu`. */
  readonly ops: readonly string[]
}

/**
 * Lowers a case and runs its calls. A call whose sizes the guards do not admit is run by a model lowered for it, as a server
 * would.
 */
export async function runCase(one: Case, dynamics: Dynamics): Promise<Outcome> {
  const general = await convert(one, dynamics)
  const verdicts: Verdict[] = []
  try {
    for (const call of dynamics === 'static' ? one.calls.slice(0, 1) : one.calls) {
      const own = general.admits(call) ? general : await convert({ ...one, calls: [call] }, 'static')
      try {
        verdicts.push(compare(await own.run(call), call, one))
      } finally {
        if (own !== general) await own.release()
      }
    }
  } finally {
    await general.release()
  }
  const { guards, assumptions, ops } = general.imported
  return { verdicts, importMs: general.importMs, notes: [...guards.map(({ text }) => text), ...assumptions], ops }
}

function inputSpecs(calls: readonly Call[], dynamics: Dynamics, names: readonly string[]): InputSpec[] {
  const leaves = calls.map(({ inputs }) => inputs.flatMap((input, i) => leavesOf(input, [i])))
  return (leaves[0] ?? []).map(([path, tensor], i) => {
    const shape = tensor.shape.map((size, axis) => {
      const sizes = leaves.map((call) => call[i]?.[1].shape[axis])
      if (dynamics === 'symbolic') return size > 1 ? `d${size}` : size
      return dynamics === 'static' || new Set(sizes).size === 1 ? size : `d${sizes.join('_')}`
    })
    const [position, ...keys] = path as [number, ...(string | number)[]] // `leavesOf` begins with the position
    const input = keys.length === 0 ? position : [names[position], ...keys].join('.')
    return { input, dtype: tensor.dtype, shape, example: tensor.shape }
  })
}

function restore(structure: OutputStructure, outputs: readonly RawTensor[]): Nest {
  switch (structure.kind) {
    case 'tensor':
      return outputs[structure.output] ?? null
    case 'none':
      return null
    case 'constant':
      return structure.value
    case 'list':
    case 'tuple':
      return structure.items.map((item) => restore(item, outputs))
    case 'dict':
      return { dict: Object.fromEntries(structure.entries.map(([key, value]) => [key, restore(value, outputs)])) }
  }
}

/** ONNX Runtime's arrays: one per element type. */
const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

function toOrt({ dtype, shape, bytes }: RawTensor): Tensor {
  if (dtype === 'bfloat16') return new Tensor('float32', Float32Array.from(valuesOf({ dtype, shape, bytes })), shape)
  const ArrayType = arrays[dtype as keyof typeof arrays] // every element type that the cases use has a row
  const { buffer } = Uint8Array.from(bytes)
  return ortTensor(dtype, new ArrayType(buffer), shape)
}

function fromOrt(tensor: Tensor | undefined): RawTensor {
  const { type, dims, data } = tensor as Tensor // every output was fetched
  const { buffer, byteOffset, byteLength } = data as Float32Array // or another array of numbers: no case has strings
  return { dtype: type as RawTensor['dtype'], shape: dims, bytes: new Uint8Array(buffer, byteOffset, byteLength) }
}
