import type { DType } from '@eas/base'
import { tfDataTypes } from '@eas/protocol'
import type { ModelInfo, ValueInfo } from './session.ts'

/**
 * What GET and an empty POST answer: the model's inputs and outputs, free dimensions as -1.
 * @see eas-wire 7; seed "TensorFlow processor", "Query the model structure"
 */
export function signatureJson(model: ModelInfo, signature_name: string): string {
  return JSON.stringify({
    inputs: model.inputs.map(describe),
    outputs: model.outputs.map(describe),
    signature_name,
  })
}

const describe = ({ name, dtype, shape }: ValueInfo) => ({
  name,
  shape: (shape ?? []).map((dim) => (typeof dim === 'number' ? dim : -1)),
  type: typeName(dtype),
})

/** uint32 and uint64 have no number in an EAS message, but TensorFlow names them alike. */
const typeName = (dtype: DType | undefined) =>
  dtype === undefined ? 'DT_INVALID' : (tfDataTypes.byDType(dtype)?.name ?? `DT_${dtype.toUpperCase()}`)
