import { dims, emit, refuse, scalar, type Value } from '@eas/onnx'
import { TensorRef } from './tensor-ref.ts'
import type { Py } from './values.ts'
import type { Vm } from './vm.ts'

/**
 * nn.TransformerEncoder makes a nested tensor of the rows that its padding mask leaves, and pads what comes out with zeros.
 * Here the rows stay where they are, and the mask goes with them.
 * @see https://github.com/pytorch/pytorch/blob/v2.4.0/torch/nn/modules/transformer.py TransformerEncoder.forward
 */
export const nestedOps = {
  _nested_tensor_from_mask: (vm: Vm, [t, mask]: readonly Py[]): Py => {
    if (!(t instanceof TensorRef) || !(mask instanceof TensorRef)) throw refuse('a nested tensor of no tensor')
    const x = vm.read(t)
    // A value of its own: the tensor it is made of goes without a mask.
    const rows = vm.g.one('Identity', [x], x.dtype, x.shape)
    return new TensorRef(vm.facts.noteRows(rows, emit.cast(vm.g, vm.read(mask), 'bool')))
  },

  /** Where padding comes first, torch takes the slow path, which differs in what it puts in the padded places only. */
  _nested_tensor_from_mask_left_aligned: (vm: Vm): Py => {
    vm.g.assumptions.add(`${vm.where}: padding comes last in the padding mask`)
    return true
  },

  to_padded_tensor: (vm: Vm, [t, padding = 0]: readonly Py[]): Py | undefined => {
    const x = t instanceof TensorRef ? vm.read(t) : undefined
    const mask = x && vm.facts.rowsOf(x)
    if (!x || !mask || (typeof padding !== 'number' && typeof padding !== 'bigint')) return undefined
    return new TensorRef(emit.where(vm.g, asWide(vm, mask, x), x, scalar(x.dtype, Number(padding))))
  },

  'prim::is_nested': (vm: Vm, [t]: readonly Py[]): Py =>
    t instanceof TensorRef && vm.facts.rowsOf(vm.read(t)) !== undefined,
}

/** `[B, T]` beside `[B, T, …]`. */
function asWide(vm: Vm, mask: Value, x: Value): Value {
  if (!dims.sameShape(mask.shape, x.shape.slice(0, mask.shape.length))) throw refuse('a padding mask of another shape')
  const missing = Array.from({ length: x.shape.length - mask.shape.length }, (_, i) => mask.shape.length + i)
  return emit.unsqueeze(vm.g, mask, missing)
}
