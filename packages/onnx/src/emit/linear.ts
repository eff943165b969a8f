import type { Dim } from '../dim.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import type { Value } from '../value.ts'
import { broadcastShapes, cast } from './elementwise.ts'
import { kernelType } from './kernels.ts'

/** Matrix product of the last two axes, the others broadcast; one-dimensional operands as NumPy takes them. */
export function matmul(g: GraphBuilder, a: Value, b: Value): Value {
  const kernel = kernelType('MatMul', a.dtype)
  return cast(
    g,
    g.one('MatMul', [cast(g, a, kernel), cast(g, b, kernel)], kernel, matmulShape(g, a.shape, b.shape)),
    a.dtype,
  )
}

function matmulShape(g: GraphBuilder, a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const batch = broadcastShapes(g, a.slice(0, -2), b.slice(0, -2))
  const rows = a.length > 1 ? [a.at(-2) ?? 1] : []
  const columns = b.length > 1 ? [b.at(-1) ?? 1] : []
  return [...batch, ...rows, ...columns]
}

/** `alpha·a·b + beta·c` of matrices, each transposed on demand. */
export function gemm(
  g: GraphBuilder,
  a: Value,
  b: Value,
  c: Value | undefined,
  options: { transA?: boolean; transB?: boolean; alpha?: number; beta?: number } = {},
): Value {
  const { transA = false, transB = false, alpha = 1, beta = 1 } = options
  const kernel = kernelType('Gemm', a.dtype)
  const shape = [a.shape[transA ? 1 : 0] ?? 1, b.shape[transB ? 0 : 1] ?? 1]
  const inputs = [cast(g, a, kernel), cast(g, b, kernel), c && cast(g, c, kernel)]
  const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha }, beta: { float: beta } }
  return cast(g, g.one('Gemm', inputs, kernel, shape, attributes), a.dtype)
}
