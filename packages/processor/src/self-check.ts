import type { Tensor, TensorOf } from '@eas/base'
import { type ElementType, joinChunks } from '@eas/onnx'
import { createEntrySession } from './engine/entry-session.ts'
import type { EntryInput, Lowered, Lowering } from './engine/lowering.ts'

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
 * @returns `undefined` where there is nothing to compare: no size of the model is free, or none of them is followed by name, or
 *   the model computes something else each time.
 */
export async function selfCheck(
  lowering: Lowering,
  lowered: Lowered,
  sizes: ReadonlyMap<string, number>,
): Promise<SelfCheck | undefined> {
  const { inputs, outputs, name } = lowered.entry
  const free = inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === 'string'))
  if (free.length === 0 || free.includes('') || lowered.isRandom) return undefined
  const fixed = inputs.map((input) => ({ ...input, shape: input.shape.map((dim) => sizeOf(dim, sizes)) }))
  const specs = fixed.map(({ input, dtype, shape }) => ({ input, dtype: dtype as ElementType, shape, example: shape })) // it was lowered with it
  const twin = await lowering.lower(name, specs)
  const feeds = new Map(fixed.map((input) => [input.name, randomTensor(input)]))
  const [symbolic, static_] = [await run(lowering, lowered, feeds), await run(lowering, twin, feeds)]
  let worst: SelfCheck = { relativeError: 0, output: outputs[0]?.name ?? '', agrees: true }
  for (const [i, output] of outputs.entries()) {
    const [a, b] = [symbolic.get(output.name), static_.get(twin.entry.outputs[i]?.name ?? '')]
    const relativeError = a && b ? differenceOf(a, b) : Number.POSITIVE_INFINITY
    if (relativeError > worst.relativeError)
      worst = { relativeError, output: output.name, agrees: relativeError <= toleranceOf }
  }
  return worst
}

async function run({ folder }: Lowering, { entry, model }: Lowered, feeds: ReadonlyMap<string, Tensor>) {
  const onnx = { bytes: joinChunks(model), folder }
  const options = { executionProviders: ['cpu'], intraOpNumThreads: 1 }
  const session = await createEntrySession(entry, { onnx, isOptimised: false }, options)
  try {
    return session.run(
      feeds,
      entry.outputs.map(({ name }) => name),
    )
  } finally {
    session.release()
  }
}

const sizeOf = (dim: number | string, sizes: ReadonlyMap<string, number>) =>
  typeof dim === 'number' ? dim : (sizes.get(dim) ?? (Number(/^n(\d+)/.exec(dim)?.[1] ?? 0) || 3))

/** The same numbers every time. Integers are 0 and 1, which are indices of anything. */
function randomTensor({ dtype, shape }: Omit<EntryInput, 'shape'> & { readonly shape: readonly number[] }): Tensor {
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
