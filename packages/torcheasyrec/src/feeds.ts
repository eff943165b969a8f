import { EasError, formatShape, type Tensor } from '@eas/base'
import type { TensorType } from '@eas/fg'
import type { ModelIo, ModelValue } from './model-io.ts'

const tensorTypes: ReadonlySet<string> = new Set<TensorType>(['int32', 'int64', 'float32', 'float64'])

/** The types that feature generation is to make each tensor in: those of the model's inputs, where it has the choice. */
export const tensorTypesOf = ({ inputs }: ModelIo): ReadonlyMap<string, TensorType> =>
  new Map(
    inputs.flatMap(
      ({ name, dtype }) =>
        dtype !== undefined && tensorTypes.has(dtype) ? [[name, dtype as TensorType] as const] : [], // just looked up
    ),
  )

/**
 * The tensors that the model takes, of those that there are.
 * @throws {EasError} `internal` when the model takes something that fg.json does not make, or in another form.
 */
export function feedsOf({ inputs }: ModelIo, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const feeds = new Map<string, Tensor>()
  for (const input of inputs) {
    const tensor = tensors.get(input.name)
    if (!tensor) throw doesNotFit(input, 'fg.json has no feature for it')
    feeds.set(input.name, shaped(input, typed(input, tensor)))
  }
  return feeds
}

/** Whole numbers in the type that the model takes; what features generate is in it already. */
function typed(input: ModelValue, tensor: Tensor): Tensor {
  const { dtype } = input
  const { shape, data } = tensor
  if (dtype === undefined || dtype === tensor.dtype) return tensor
  if (dtype === 'int32' && data instanceof BigInt64Array) return { dtype, shape, data: Int32Array.from(data, Number) }
  if (dtype === 'int64' && data instanceof Int32Array) return { dtype, shape, data: BigInt64Array.from(data, BigInt) }
  throw doesNotFit(input, `features make ${tensor.dtype}`)
}

/** A dense feature of one value is `[rows, 1]`, and some exports take it as `[rows]`. */
function shaped(input: ModelValue, tensor: Tensor): Tensor {
  const { shape } = input
  if (!shape || shape.length === tensor.shape.length) return tensor
  const [rows = 0] = tensor.shape
  if (shape.length === 1 && tensor.shape[1] === 1) return { ...tensor, shape: [rows] }
  throw doesNotFit(input, `features make ${formatShape(tensor.shape)}`)
}

const doesNotFit = ({ name, dtype, shape }: ModelValue, facts: string) =>
  new EasError(
    'internal',
    `Prediction failed: the model takes ${name} ${dtype ?? ''}${formatShape((shape ?? []).map((dim) => dim || '?'))}, and ${facts}`,
  )
