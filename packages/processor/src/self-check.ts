import type { Tensor, TensorOf } from '@eas/base'
import { type ImportedInput, type ImportedModel, joinChunks } from '@eas/onnx'
import type { Lowering } from './engine/lowered-model.ts'
import { createSession } from './session.ts'

/** Largest difference, relative to the largest value of an output, that is rounding. */
const toleranceOf = 1e-4

export interface SelfCheck {
  /** Of the output that differs most: its largest difference, relative to its largest value. */
  readonly relativeError: number
  readonly output: string
  readonly agrees: boolean
}

/**
 * Lowers a model a second time, for nothing but the sizes of the example, and compares what both compute of the same random
 * inputs. A mistake in how free sizes are followed shows here, with no reference needed.
 *
 * @returns `undefined` where there is nothing to compare: no size of the model is free.
 */
export async function selfCheck(
  lowering: Lowering,
  imported: ImportedModel,
  sizes: ReadonlyMap<string, number>,
): Promise<SelfCheck | undefined> {
  const fixed = imported.inputs.map((input) => ({ ...input, shape: input.shape.map((dim) => sizeOf(dim, sizes)) }))
  if (imported.inputs.every(({ shape }) => shape.every((dim) => typeof dim === 'number'))) return undefined
  const specs = fixed.map(({ name, dtype, shape, position, key }) => ({
    input: key === undefined ? position : typeof key === 'number' ? key : name,
    dtype,
    shape,
    example: shape,
  }))
  const twin = await lowering.lower(specs)
  const feeds = new Map(fixed.map((input) => [input.name, randomTensor(input)]))
  const [symbolic, static_] = [await run(lowering, imported, feeds), await run(lowering, twin, feeds)]
  let worst: SelfCheck = { relativeError: 0, output: imported.outputs[0]?.name ?? '', agrees: true }
  for (const [i, { name }] of imported.outputs.entries()) {
    const [a, b] = [symbolic.get(name), static_.get(twin.outputs[i]?.name ?? '')]
    const relativeError = a && b ? differenceOf(a, b) : Number.POSITIVE_INFINITY
    if (relativeError > worst.relativeError)
      worst = { relativeError, output: name, agrees: relativeError <= toleranceOf }
  }
  return worst
}

async function run({ folder }: Lowering, imported: ImportedModel, feeds: ReadonlyMap<string, Tensor>) {
  const onnx = { bytes: joinChunks(imported.model), folder }
  const session = await createSession(
    { onnx, isOptimised: false },
    { executionProviders: ['cpu'], intraOpNumThreads: 1 },
  )
  try {
    return session.run(
      feeds,
      imported.outputs.map(({ name }) => name),
    )
  } finally {
    session.release()
  }
}

const sizeOf = (dim: number | string, sizes: ReadonlyMap<string, number>) =>
  typeof dim === 'number' ? dim : (sizes.get(dim) ?? (Number(/^n(\d+)/.exec(dim)?.[1] ?? 0) || 3))

/** The same numbers every time. Integers are 0 and 1, which are indices of anything. */
function randomTensor({ dtype, shape }: Omit<ImportedInput, 'shape'> & { readonly shape: readonly number[] }): Tensor {
  const count = shape.reduce((product, size) => product * size, 1)
  let state = 1
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const floats = (): Float32Array => Float32Array.from({ length: count }, () => next() * 2 - 1)
  const bits = <A extends { [i: number]: number }>(array: A): A => {
    for (let i = 0; i < count; i++) array[i] = next() < 0.5 ? 0 : 1
    return array
  }
  switch (dtype) {
    case 'float32':
      return { dtype, shape, data: floats() }
    case 'float64':
      return { dtype, shape, data: Float64Array.from(floats()) }
    case 'int64':
      return { dtype, shape, data: BigInt64Array.from({ length: count }, () => (next() < 0.5 ? 0n : 1n)) }
    case 'int32':
      return { dtype, shape, data: bits(new Int32Array(count)) }
    case 'bool':
    case 'uint8':
      return { dtype, shape, data: bits(new Uint8Array(count)) } as TensorOf<'uint8'> // both are held in bytes
    case 'int8':
      return { dtype, shape, data: bits(new Int8Array(count)) }
    case 'int16':
      return { dtype, shape, data: bits(new Int16Array(count)) }
    default:
      throw new RangeError(`no random ${dtype}`)
  }
}

function differenceOf(a: Tensor, b: Tensor): number {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return Number.POSITIVE_INFINITY
  if (a.dtype === 'string') return 0
  let difference = 0
  let largest = 0
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [Number(a.data[i]), Number(b.data[i])]
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.POSITIVE_INFINITY
    if (Number.isNaN(x) || x === y) continue
    difference = Math.max(difference, Math.abs(x - y))
    largest = Math.max(largest, Math.abs(y))
  }
  return difference === 0 ? 0 : difference / (largest || 1)
}
