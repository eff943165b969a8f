/**
 * The number of elements of a shape: 1 for a scalar, 0 when any dimension is 0, `undefined` when a dimension is not a
 * whole number from 0 up or the product is over 2^53, where numbers stop being exact.
 */
export function sizeOf(shape: readonly number[]): number | undefined {
  let size = 1
  let empty = false
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) return undefined
    if (dim === 0) empty = true
    else size *= dim
    if (size > Number.MAX_SAFE_INTEGER) return undefined
  }
  return empty ? 0 : size
}

/** `[1, 784]` as an error message shows it. */
export const formatShape = (shape: readonly (number | string)[]): string => `[${shape.join(',')}]`
