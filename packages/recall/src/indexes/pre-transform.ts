import type { FileCursor, Run } from '../file-cursor.ts'
import { maxDimension } from '../kernel/kernel.ts'
import { corrupt, unsupported } from '../recall-error.ts'
import type { VectorIndex } from '../vector-index.ts'

/** A change of vectors that both rows and queries went through. */
export interface VectorTransform {
  readonly dIn: number
  readonly dOut: number
  readonly apply: (vector: Float32Array) => Float32Array
}

type Dimensions = Pick<VectorTransform, 'dIn' | 'dOut'>
/** Reads what a transform has of its own; the function is made once the dimensions, which follow, are known. */
type TransformReader = (cursor: FileCursor) => (dimensions: Dimensions) => VectorTransform['apply']

const floats = ({ view }: FileCursor, run: Run) =>
  Float32Array.from({ length: run.count }, (_, i) => view.getFloat32(run.offset + 4 * i, true))

/** `A x + b`, `A` being `[dOut, dIn]`; `skipOwn` passes over what a kind of it stores beside that. */
const linear =
  (skipOwn: (cursor: FileCursor) => void): TransformReader =>
  (cursor) => {
    skipOwn(cursor)
    const hasBias = cursor.flag('have_bias')
    const [A, b] = [floats(cursor, cursor.vector(4, 'A')), floats(cursor, cursor.vector(4, 'b'))]
    return ({ dIn, dOut }) => {
      if (A.length !== dIn * dOut) throw corrupt(`a transform from ${dIn} to ${dOut} has ${A.length} coefficients`)
      if (hasBias && b.length !== dOut) throw corrupt(`a transform to ${dOut} has ${b.length} biases`)
      return (x) =>
        Float32Array.from({ length: dOut }, (_, row) => {
          let sum = hasBias ? (b[row] ?? 0) : 0
          for (let i = 0; i < dIn; i++) sum += (A[row * dIn + i] as number) * (x[i] as number) // i < dIn
          return sum
        })
    }
  }

const requireSame = ({ dIn, dOut }: Dimensions, what: string) => {
  if (dIn !== dOut) throw corrupt(`${what} goes from ${dIn} to ${dOut} dimensions`)
}

/** By fourcc. @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp `write_VectorTransform` */
export const transforms: { readonly [fourcc: string]: TransformReader } = {
  /** RandomRotationMatrix */
  rrot: linear(() => {}),
  /** LinearTransform and OPQMatrix */
  LTra: linear(() => {}),
  /** PCAMatrix: eigen_power f32, epsilon f32, random_rotation bool, balanced_bins i32, and what it was computed from. */
  Pcam: linear((cursor) => {
    cursor.skip(4 + 4 + 1 + 4, 'a PCA')
    for (const part of ['mean', 'eigenvalues', 'PCAMat']) cursor.vector(4, part)
  }),
  /** PCAMatrix as written until 2021: no epsilon. */
  PcAm: linear((cursor) => {
    cursor.skip(4 + 1 + 4, 'a PCA')
    for (const part of ['mean', 'eigenvalues', 'PCAMat']) cursor.vector(4, part)
  }),
  /** RemapDimensionsTransform: takes dimensions by number; -1 is 0. */
  RmDT(cursor) {
    const run = cursor.vector(4, 'map')
    const map = Array.from({ length: run.count }, (_, i) => cursor.view.getInt32(run.offset + 4 * i, true))
    return ({ dIn, dOut }) => {
      if (map.length !== dOut || map.some((from) => from >= dIn))
        throw corrupt(`a remap of ${dIn} dimensions leaves them`)
      return (x) => Float32Array.from(map, (from) => x[from] ?? 0)
    }
  },
  /** NormalizationTransform. A vector of zeros stays one. */
  VNrm(cursor) {
    const norm = cursor.f32('norm')
    if (norm !== 2) throw unsupported(`it normalizes by the norm ${norm}`)
    return (dimensions) => {
      requireSame(dimensions, 'a normalization')
      return (x) => {
        const length = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))
        return length > 0 ? x.map((value) => value / length) : x
      }
    }
  },
  /** CenteringTransform */
  VCnt(cursor) {
    const mean = floats(cursor, cursor.vector(4, 'mean'))
    return (dimensions) => {
      requireSame(dimensions, 'a centering')
      if (mean.length !== dimensions.dIn) throw corrupt(`a centering has a mean of ${mean.length} dimensions`)
      return (x) => x.map((value, i) => value - (mean[i] ?? 0))
    }
  },
}

/** Transforms in a chain. The longest that `index_factory` makes has three. */
const maxChain = 16

/** Reads the chain of an IndexPreTransform: each takes what the one before it gives. */
export function readTransforms(cursor: FileCursor, d: number): readonly VectorTransform[] {
  const count = cursor.i32('the number of transforms')
  if (count < 0 || count > maxChain) throw corrupt(`it has ${count} transforms`)
  const chain: VectorTransform[] = []
  for (let i = 0; i < count; i++) {
    const type = cursor.fourcc('a transform')
    const read = Object.hasOwn(transforms, type) ? transforms[type] : undefined
    if (!read) throw unsupported(`its vectors are transformed by ${type}`)
    const make = read(cursor)
    const dimensions = { dIn: cursor.i32('d_in'), dOut: cursor.i32('d_out') }
    const { dIn, dOut } = dimensions
    const expected = chain.at(-1)?.dOut ?? d
    if (dIn !== expected || dOut < 1 || dOut > maxDimension) {
      throw corrupt(`a transform goes from ${dIn} to ${dOut} dimensions, given ${expected}`)
    }
    if (!cursor.flag('is_trained')) throw unsupported('a transform of it has not been trained')
    chain.push({ ...dimensions, apply: make(dimensions) })
  }
  return chain
}

/** Searches another index for the transformed query. Scores are the other index's. */
export function preTransformIndex(d: number, chain: readonly VectorTransform[], nested: VectorIndex): VectorIndex {
  return {
    type: `IndexPreTransform of ${nested.type}`,
    d,
    ntotal: nested.ntotal,
    metric: nested.metric,
    search: (query, k, params) =>
      nested.search(
        chain.reduce((vector, transform) => transform.apply(vector), query),
        k,
        params,
      ),
    labelOf: nested.labelOf,
  }
}
