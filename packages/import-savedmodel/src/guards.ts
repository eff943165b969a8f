import { type Comparison, type Dim, dims, Guards } from '@eas/onnx'

/**
 * No guesses about sizes: a TensorFlow graph says with operators what depends on a size, so nothing has to be settled when
 * it is lowered, and the model holds for every shape the signature allows.
 */
export class NoGuards extends Guards {
  override decide(a: Dim, op: Comparison, b: Dim): boolean | undefined {
    if (op === '==') return dims.equal(a, b)
    if (op === '<') return dims.less(a, b)
    const opposite = op === '!=' ? dims.equal(a, b) : dims.less(b, a)
    return opposite === undefined ? undefined : !opposite
  }

  override pin(d: Dim): number | undefined {
    return typeof d === 'number' ? d : undefined
  }
}
