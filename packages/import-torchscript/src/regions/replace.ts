import { type Contents, type Mutable, restore } from '../journal.ts'
import { TensorRef, type TensorState } from '../tensor-ref.ts'
import type { Vm } from '../vm.ts'

/** Puts what a region left behind in the place of what was there. */
export function replace(vm: Vm, object: Mutable, contents: Contents): void {
  vm.touch(object)
  if (!(object instanceof TensorRef)) {
    restore(object, contents)
    return
  }
  const { value } = contents as TensorState // of a tensor, its state
  const { link, version } = object.state
  // A view takes its contents from its base again.
  object.state = { value, link, version: version + 1, seen: -1 }
}
