import type { LoweredSignature, SignatureTensor } from '@eas/import-savedmodel'
import type { InputSpec } from '@eas/onnx'
import type { ValueInfo } from '../../session.ts'
import type { Lowered } from '../lowering.ts'

/** A lowered signature with the names and types that requests have for it. */
export function loweredSignature(
  kind: 'signature' | 'nodes',
  name: string,
  lowered: LoweredSignature,
  specs: readonly InputSpec[],
): Lowered {
  const { signature, structure, prologue, model, ops, assumptions, guards, warnings, isRandom } = lowered
  const inputs = [...signature.inputs].map(([alias, tensor], i) => {
    const given = specs.find(({ input }) => input === alias || input === i)
    const shape = (tensor.shape ?? given?.shape ?? []).map((size) => (typeof size === 'number' && size < 0 ? '' : size))
    return { name: alias, dtype: tensor.dtype, shape, input: alias }
  })
  // An output that is called as an input has another name in the ONNX model.
  const positions = new Map(
    structure.kind === 'dict'
      ? structure.entries.flatMap(([alias, at]) => (at.kind === 'tensor' ? [[alias, at.output] as const] : []))
      : [],
  )
  const outputs = [...signature.outputs.keys()].flatMap((alias, i) => {
    const output = lowered.outputs[positions.get(alias) ?? i]
    const tensor = signature.outputs.get(alias)
    return output && tensor ? [{ ...valueInfoOf(alias, tensor), onnx: output.name }] : []
  })
  const entry = {
    kind,
    name,
    inputs,
    outputs,
    guards,
    takesEmpty: true,
    prologue,
    warnings,
  }
  return { entry, model, ops, assumptions, isRandom }
}

export const valueInfoOf = (name: string, { dtype, shape }: SignatureTensor): ValueInfo => ({
  name,
  dtype,
  shape: shape?.map((size) => (size < 0 ? '' : size)),
})

export const valueInfosOf = (tensors: ReadonlyMap<string, SignatureTensor>): ValueInfo[] =>
  [...tensors].map(([name, tensor]) => valueInfoOf(name, tensor))
