import { blockRows, type Kernel, maxDimension } from './kernel.ts'

/** The same scores without WebAssembly: about four times slower, for a host that has none to give. */
export function jsKernel(bytes: Uint8Array): Kernel {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const query = new Float32Array(maxDimension)
  const scores = new Float32Array(blockRows)
  const rows = new Uint32Array(blockRows)

  const rowScore = {
    ip(offset: number, dimension: number): number {
      let sum = 0
      for (let i = 0; i < dimension; i++) sum += at(query, i) * file.getFloat32(offset + 4 * i, true)
      return sum
    },
    l2(offset: number, dimension: number): number {
      let sum = 0
      for (let i = 0; i < dimension; i++) {
        const difference = at(query, i) - file.getFloat32(offset + 4 * i, true)
        sum += difference * difference
      }
      return -sum
    },
  }

  return {
    kind: 'js',
    file,
    scores,
    rows,
    setQuery: (values) => query.set(values),
    score(metric, offset, count, dimension) {
      const scoreOf = rowScore[metric]
      for (let i = 0; i < count; i++) scores[i] = scoreOf(offset + i * dimension * 4, dimension)
    },
    scoreAt(metric, offset, count, dimension) {
      const scoreOf = rowScore[metric]
      for (let i = 0; i < count; i++) scores[i] = scoreOf(offset + at(rows, i) * dimension * 4, dimension)
    },
  }
}

/** The callers' counts are within the arrays' lengths. */
const at = (array: Float32Array | Uint32Array, i: number): number => array[i] as number
