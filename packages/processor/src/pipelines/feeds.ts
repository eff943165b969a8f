import { EasError, formatShape, oneLine, type Tensor } from '@eas/base'
import { IndexError } from '../index-error.ts'
import type { ModelInfo, ValueInfo } from '../session.ts'
import type { CarrierTable } from './carriers.ts'

/**
 * The tensor as a feed of one model input, once it is known to fit: dtype (its own or the one that carries it), rank, and
 * every fixed dimension.
 */
export function toFeed(input: ValueInfo, label: string, tensor: Tensor, carriers: CarrierTable): Tensor {
  const takes = input.dtype ?? tensor.dtype
  const carrier = tensor.dtype === takes ? undefined : carriers[takes]
  if (tensor.dtype !== takes && carrier?.as !== tensor.dtype) {
    throw doesNotFit(label, input, `got ${tensor.dtype}`)
  }
  const { shape } = input
  if (shape) {
    if (shape.length !== tensor.shape.length) throw doesNotFit(label, input, `got ${formatShape(tensor.shape)}`)
    for (let i = 0; i < shape.length; i++) {
      const dim = shape[i]
      if (typeof dim === 'number' && dim !== tensor.shape[i]) {
        throw doesNotFit(label, input, `got ${formatShape(tensor.shape)}`)
      }
    }
  }
  return carrier ? carrier.narrow(tensor, label) : tensor
}

const doesNotFit = (label: string, input: ValueInfo, got: string) =>
  new EasError('invalid_request', `Cannot use ${oneLine(label)}: expected ${describe(input)}, ${got}`)

const describe = ({ dtype, shape }: ValueInfo) =>
  [dtype ?? 'a tensor', ...(shape ? [formatShape(shape.map((dim) => (dim === '' ? '?' : dim)))] : [])].join(' ')

/** The feeds of a request whose inputs have names: each of the model's inputs once, and nothing else. */
export function namedFeeds(
  model: ModelInfo,
  given: ReadonlyMap<string, Tensor>,
  carriers: CarrierTable,
): Map<string, Tensor> {
  const feeds = new Map<string, Tensor>()
  for (const input of model.inputs) {
    const tensor = given.get(input.name)
    if (!tensor)
      throw new EasError('invalid_request', `Missing input ${oneLine(input.name)}: expected ${describe(input)}`)
    feeds.set(input.name, toFeed(input, `input ${input.name}`, tensor, carriers))
  }
  if (feeds.size !== given.size) {
    for (const name of given.keys()) {
      if (feeds.has(name)) continue
      throw new EasError('invalid_request', `Unknown input ${oneLine(name)}: the model has ${namesOf(model.inputs)}`)
    }
  }
  return feeds
}

/** A failure over an index as a refusal of the request, if an input holds that very index; else the model is to blame. */
export function refusedIndex(thrown: unknown, feeds: ReadonlyMap<string, Tensor>): EasError | undefined {
  if (!(thrown instanceof IndexError)) return undefined
  const { index, message } = thrown
  const facts = message.replace(/^Prediction failed: /, '')
  return (
    heldIndex(thrown, feeds, index, facts) ??
    // The importers take the bit of 2^62 from an index below zero, where the framework takes none: strictIndex.
    heldIndex(thrown, feeds, index + 2n ** 62n, 'the model takes no index below 0')
  )
}

function heldIndex(cause: IndexError, feeds: ReadonlyMap<string, Tensor>, index: bigint, why: string) {
  for (const [name, { dtype, data }] of feeds) {
    const at = dtype === 'int64' ? data.indexOf(index) : dtype === 'int32' ? data.indexOf(Number(index)) : -1
    if (at < 0) continue
    const text = `Cannot use input ${oneLine(name)}: element ${at} is ${index}; ${why}`
    return new EasError('invalid_request', text, { cause })
  }
  return undefined
}

/** The first names of a list of values, for an error message. */
export const namesOf = (values: readonly ValueInfo[]) => {
  const shown = values.slice(0, 20).map((value) => oneLine(value.name))
  return shown.join(', ') + (values.length > shown.length ? `, … (${values.length} in all)` : '')
}
