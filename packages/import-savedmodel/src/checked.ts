import { ProtoError, refuse } from '@eas/onnx'

/** What reading a message says is wrong, as a refusal. */
export function checked<T>(read: () => T, what = 'the file is not a GraphDef'): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtoError || error instanceof TypeError || error instanceof RangeError)
      throw refuse(`${what}: ${error.message}`, '', 'Copy the file again, or export the model as a SavedModel')
    throw error
  }
}
