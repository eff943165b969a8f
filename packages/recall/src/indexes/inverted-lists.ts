import type { FileCursor } from '../file-cursor.ts'
import type { Metric } from '../kernel/kernel.ts'
import { corrupt, unsupported } from '../recall-error.ts'
import type { TieBreak } from '../top-k.ts'

/** Where each list's codes and ids are: columns by list number. An empty list has size 0. */
export interface InvertedLists {
  readonly nlist: number
  readonly codeSize: number
  /** Byte of each list's first code. */
  readonly codes: Float64Array
  /** Byte of each list's first id, an i64. */
  readonly ids: Float64Array
  readonly sizes: Float64Array
}

/** How the sizes of the lists are told: of all of them, or of those that are not empty as pairs (list, size). */
const sizeReaders: {
  readonly [kind: string]: (cursor: FileCursor, nlist: number) => Iterable<readonly [number, number]>
} = {
  *full(cursor, nlist) {
    const count = cursor.count('the number of list sizes')
    if (count !== nlist) throw corrupt(`it has ${count} list sizes for ${nlist} lists`)
    for (let list = 0; list < nlist; list++) yield [list, cursor.count('a list size')]
  },
  *sprs(cursor, nlist) {
    const count = cursor.count('the number of list sizes')
    if (count % 2 !== 0) throw corrupt(`its sparse list sizes are ${count} numbers, not pairs`)
    let previous = -1
    for (let i = 0; i < count; i += 2) {
      const list = cursor.count('a list number')
      if (list >= nlist || list <= previous) throw corrupt(`list ${list} follows list ${previous} of ${nlist}`)
      previous = list
      yield [list, cursor.count('a list size')]
    }
  },
}

/**
 * Reads the lists of an index of `ntotal` rows whose codes have `codeSize` bytes.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp `write_InvertedLists`
 */
export function readInvertedLists(cursor: FileCursor, nlist: number, codeSize: number, ntotal: number): InvertedLists {
  const type = cursor.fourcc('the inverted lists')
  if (type !== 'ilar') throw unsupported(`inverted lists of type ${type} are not in the file or not of a known layout`)
  const declared = { nlist: cursor.count('nlist of the lists'), codeSize: cursor.count('code_size of the lists') }
  if (declared.nlist !== nlist) throw corrupt(`its inverted lists are ${declared.nlist}, its nlist is ${nlist}`)
  if (declared.codeSize !== codeSize) throw corrupt(`its codes have ${declared.codeSize} bytes instead of ${codeSize}`)
  const kind = cursor.fourcc('the list sizes')
  const readSizes = sizeReaders[kind]
  if (!Object.hasOwn(sizeReaders, kind) || !readSizes) throw corrupt(`its list sizes are of the unknown kind ${kind}`)

  const sizes = new Float64Array(nlist)
  let total = 0
  for (const [list, size] of readSizes(cursor, nlist)) {
    sizes[list] = size
    total += size
    if (total > ntotal) throw corrupt(`its lists hold more than its ${ntotal} rows`)
  }
  if (total !== ntotal) throw corrupt(`its lists hold ${total} of its ${ntotal} rows`)

  const [codes, ids] = [new Float64Array(nlist), new Float64Array(nlist)]
  for (let list = 0; list < nlist; list++) {
    const size = sizes[list] as number // list < nlist
    codes[list] = cursor.run(size, codeSize, `the codes of list ${list}`).offset
    ids[list] = cursor.run(size, 8, `the ids of list ${list}`).offset
  }
  return { nlist, codeSize, codes, ids, sizes }
}

/**
 * Positions in inverted lists are where a row's id lies in the file; equal scores are therefore told apart by what is
 * written there, as FAISS does.
 */
export function tieBreakById(file: DataView, metric: Metric): TieBreak {
  const id = (position: number) => file.getBigInt64(position, true)
  return metric === 'ip' ? (a, b) => id(a) > id(b) : (a, b) => id(a) < id(b)
}
