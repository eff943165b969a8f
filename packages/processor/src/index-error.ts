import { EasError } from '@eas/base'

/** ONNX Runtime met an index that nothing is at. Whether the model or a request is to blame, `refusedIndex` can tell. */
export class IndexError extends EasError {
  override readonly name = 'IndexError'
  readonly index: bigint

  constructor(message: string, index: bigint, options?: ErrorOptions) {
    super('internal', message, options)
    this.index = index
  }
}
