import type { FileCursor } from '../file-cursor.ts'
import { corrupt, unsupported } from '../recall-error.ts'

/** Codes of `M` numbers, each naming one of `ksub` short vectors of `dsub` floats. */
export interface ProductQuantizer {
  readonly M: number
  readonly ksub: number
  readonly dsub: number
  /** Bytes of a code. */
  readonly codeSize: number
  /** `[M, ksub, dsub]` */
  readonly centroids: Float32Array
  /** The `M` numbers of the code at byte `offset`, written to `into`. */
  readonly readCode: (file: DataView, offset: number, into: Uint32Array) => void
}

/** FAISS's own limit on `nbits`: ProductQuantizer.cpp. */
const maxBits = 24

/** @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp `write_ProductQuantizer` */
export function readProductQuantizer(cursor: FileCursor, d: number): ProductQuantizer {
  const [dimension, M, nbits] = [cursor.count('the dimension of the PQ'), cursor.count('M'), cursor.count('nbits')]
  if (dimension !== d) throw corrupt(`its product quantizer has dimension ${dimension} instead of ${d}`)
  if (M < 1 || d % M !== 0) throw corrupt(`its ${d} dimensions cannot be cut into ${M} parts`)
  if (nbits < 1) throw corrupt(`its nbits is ${nbits}`)
  if (nbits > maxBits) throw unsupported(`its nbits is ${nbits}, more than ${maxBits}`)
  const ksub = 2 ** nbits
  const run = cursor.vector(4, 'the PQ centroids')
  if (run.count !== d * ksub) throw corrupt(`it has ${run.count} PQ centroid values instead of ${d * ksub}`)
  const centroids = Float32Array.from({ length: run.count }, (_, i) => cursor.view.getFloat32(run.offset + 4 * i, true))
  return { M, ksub, dsub: d / M, codeSize: Math.ceil((M * nbits) / 8), centroids, readCode: codeReader(M, nbits) }
}

/** Codes are bit strings, low bits first: faiss/impl/ProductQuantizer-inl.h `PQDecoderGeneric`. */
function codeReader(M: number, nbits: number): ProductQuantizer['readCode'] {
  if (nbits === 8) {
    return (file, offset, into) => {
      for (let m = 0; m < M; m++) into[m] = file.getUint8(offset + m)
    }
  }
  return (file, offset, into) => {
    let [byte, bit] = [offset, 0]
    for (let m = 0; m < M; m++) {
      let code = 0
      for (let have = 0; have < nbits; ) {
        const take = Math.min(8 - bit, nbits - have)
        code |= ((file.getUint8(byte) >> bit) & ((1 << take) - 1)) << have
        have += take
        bit += take
        if (bit === 8) [byte, bit] = [byte + 1, 0]
      }
      into[m] = code
    }
  }
}

/** What each of the short vectors adds to a score, `[M, ksub]`: its product with a part of the query, or its distance negated. */
export function scoreTable(pq: ProductQuantizer, query: Float32Array, metric: 'ip' | 'l2', table: Float32Array): void {
  const { M, ksub, dsub, centroids } = pq
  for (let m = 0; m < M; m++) {
    for (let code = 0; code < ksub; code++) {
      const at = (m * ksub + code) * dsub
      let sum = 0
      for (let i = 0; i < dsub; i++) {
        const [q, c] = [query[m * dsub + i] as number, centroids[at + i] as number] // m < M, i < dsub
        sum += metric === 'ip' ? q * c : -(q - c) * (q - c)
      }
      table[m * ksub + code] = sum
    }
  }
}
