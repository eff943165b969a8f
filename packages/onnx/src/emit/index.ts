export { binary, broadcastShapes, cast, clip, compare, not, unary, where } from './elementwise.ts'
export { fromOrdered, limit, toOrdered } from './halves.ts'
export {
  cumSum,
  flat,
  gather,
  gatherElements,
  gatherND,
  iota,
  nonZero,
  scatterElements,
  scatterND,
  toIndex,
  topK,
} from './index-ops.ts'
export { kernelType } from './kernels.ts'
export { gemm, matmul } from './linear.ts'
export { allAxes, argReduce, countOf, reduce, reducedShape } from './reduce.ts'
export * from './shape.ts'
export { strictIndex } from './strict-index.ts'
export { productOf, scanned, sumWhole } from './whole.ts'
