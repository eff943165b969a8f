import { EasError, type Tensor } from '@eas/base'
import { hostOps } from './index.ts'
import type { Prologue } from './program.ts'

/**
 * Feeds of the ONNX model from the tensors of a request.
 * @throws {EasError} `invalid_request` when an input is missing or a value cannot be taken.
 */
export function runPrologue(prologue: Prologue, feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const values = new Map<number, Tensor>()
  for (const { value, tensor } of prologue.constants) values.set(value, tensor)
  for (const { name, value } of prologue.inputs) values.set(value, fed(feeds, name))
  for (const { op, attrs, inputs, outputs } of prologue.steps) {
    const run = Object.hasOwn(hostOps, op) ? hostOps[op]?.run : undefined
    if (!run) throw new EasError('internal', `Cannot run the prologue: there is no operator ${op}`)
    const results = run(
      inputs.map((i) => known(values, i)),
      attrs,
    )
    for (const [i, output] of outputs.entries()) values.set(output, known(new Map(results.entries()), i))
  }
  const result: Record<string, Tensor> = {}
  for (const name of prologue.passed) result[name] = fed(feeds, name)
  for (const { name, value } of prologue.outputs) result[name] = known(values, value)
  return result
}

function fed(feeds: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = Object.hasOwn(feeds, name) ? feeds[name] : undefined
  if (!tensor) throw new EasError('invalid_request', `Cannot predict: the input ${JSON.stringify(name)} is missing`)
  return tensor
}

function known(values: ReadonlyMap<number, Tensor>, i: number): Tensor {
  const value = values.get(i)
  if (!value) throw new EasError('internal', `Cannot run the prologue: value ${i} is missing`)
  return value
}
