import { FileCursor } from './file-cursor.ts'
import { flatIndex } from './indexes/flat.ts'
import { type Header, readHeader } from './indexes/header.ts'
import { hnswFlatIndex } from './indexes/hnsw-flat.ts'
import { readHnswGraph } from './indexes/hnsw-graph.ts'
import { idMapIndex } from './indexes/id-map.ts'
import { readInvertedLists } from './indexes/inverted-lists.ts'
import { readIvfHeader } from './indexes/ivf.ts'
import { ivfFlatIndex } from './indexes/ivf-flat.ts'
import { ivfPqIndex } from './indexes/ivf-pq.ts'
import { preTransformIndex, readTransforms } from './indexes/pre-transform.ts'
import { readProductQuantizer } from './indexes/product-quantizer.ts'
import type { Kernel } from './kernel/kernel.ts'
import { corrupt, unsupported } from './recall-error.ts'
import type { VectorIndex } from './vector-index.ts'

/** What a reader is given: the file, its header already read, and a way to read an index inside this one. */
interface Reading {
  readonly kernel: Kernel
  readonly cursor: FileCursor
  readonly header: Header
  readonly nested: () => VectorIndex
}

interface IndexFormat {
  readonly meaning: string
  readonly read: (reading: Reading) => VectorIndex
}

/**
 * By fourcc, as faiss/impl/index_write.cpp writes them. The first two bytes say the kind of class, the last the variant.
 *
 * @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp
 */
export const indexFormats: { readonly [fourcc: string]: IndexFormat } = {
  IxFI: { meaning: 'IndexFlatIP', read: readFlat },
  IxF2: { meaning: 'IndexFlatL2', read: readFlat },
  IxFl: { meaning: 'IndexFlat of either metric', read: readFlat },
  IwFl: { meaning: 'IndexIVFFlat', read: readIvfFlat },
  IwPQ: { meaning: 'IndexIVFPQ', read: readIvfPq },
  IHNf: { meaning: 'IndexHNSWFlat', read: readHnswFlat },
  IxMp: { meaning: 'IndexIDMap', read: readIdMap },
  IxM2: { meaning: 'IndexIDMap2', read: readIdMap },
  IxPT: { meaning: 'IndexPreTransform: rotation, PCA, OPQ, remap, normalization, centering', read: readPreTransform },
}

/** Indexes that FAISS also writes, so that a message can name them. `@see` faiss/impl/index_write.cpp */
const otherIndexes: { readonly [fourcc: string]: string } = {
  IxSQ: 'IndexScalarQuantizer',
  IwSq: 'IndexIVFScalarQuantizer',
  IxPq: 'IndexPQ',
  IwQR: 'IndexIVFPQR',
  IPfs: 'IndexPQFastScan',
  IwPf: 'IndexIVFPQFastScan',
  IHNs: 'IndexHNSWSQ',
  IHNp: 'IndexHNSWPQ',
  IHN2: 'IndexHNSW2Level',
  INSf: 'IndexNSGFlat',
  IxRF: 'IndexRefineFlat',
  IxRe: 'IndexRefine',
  IxHe: 'IndexLSH',
  IxRQ: 'IndexResidualQuantizer',
  IxLS: 'IndexLocalSearchQuantizer',
  Iwrq: 'IndexIVFRaBitQ',
  Imiq: 'MultiIndexQuantizer',
  IvFl: 'IndexIVFFlat of before 2018',
  IvFL: 'IndexIVFFlat of before 2018',
  IBxF: 'IndexBinaryFlat',
  IBwF: 'IndexBinaryIVF',
}
const instead = 'build IndexFlat, IndexIVFFlat, IndexIVFPQ or IndexHNSWFlat, as tzrec.tools.create_faiss_index does'

/** Indexes inside each other. The deepest that make sense are four: IDMap, PreTransform, IVF, and its quantizer's. */
const maxDepth = 8

/** Reads the index that fills the kernel's file. @throws {RecallError} `corrupt_index` or `unsupported_index`. */
export function readIndex(kernel: Kernel): VectorIndex {
  const cursor = new FileCursor(kernel.file)
  const index = readNested(kernel, cursor, 1)
  if (cursor.remaining > 0) throw corrupt(`${cursor.remaining} bytes follow the index`)
  return index
}

function readNested(kernel: Kernel, cursor: FileCursor, depth: number): VectorIndex {
  if (depth > maxDepth) throw corrupt(`it has more than ${maxDepth} indexes inside each other`)
  const type = cursor.fourcc('an index')
  const format = Object.hasOwn(indexFormats, type) ? indexFormats[type] : undefined
  if (!format) {
    const other = Object.hasOwn(otherIndexes, type) ? `${otherIndexes[type]} (${type})` : `of the unknown type ${type}`
    throw unsupported(`it is ${other}: ${instead}`)
  }
  const header = readHeader(cursor)
  return format.read({ kernel, cursor, header, nested: () => readNested(kernel, cursor, depth + 1) })
}

function readRows(cursor: FileCursor, { d, ntotal }: Header): number {
  const { offset, count } = cursor.vector(4, 'the rows')
  if (count !== ntotal * d) throw corrupt(`it has ${count} floats for ${ntotal} rows of ${d}`)
  return offset
}

function readFlat({ kernel, cursor, header }: Reading): VectorIndex {
  return flatIndex(kernel, header.metric, header.d, header.ntotal, readRows(cursor, header))
}

function readIvfFlat({ kernel, cursor, header, nested }: Reading): VectorIndex {
  const ivf = readIvfHeader(cursor, header, nested)
  return ivfFlatIndex(kernel, ivf, readInvertedLists(cursor, ivf.nlist, header.d * 4, header.ntotal))
}

function readIvfPq({ kernel, cursor, header, nested }: Reading): VectorIndex {
  const ivf = readIvfHeader(cursor, header, nested)
  const byResidual = cursor.flag('by_residual')
  const codeSize = cursor.count('code_size')
  const pq = readProductQuantizer(cursor, header.d)
  if (codeSize !== pq.codeSize)
    throw corrupt(`its codes have ${codeSize} bytes, its product quantizer's ${pq.codeSize}`)
  return ivfPqIndex(kernel, ivf, byResidual, pq, readInvertedLists(cursor, ivf.nlist, codeSize, header.ntotal))
}

function readHnswFlat({ kernel, cursor, header }: Reading): VectorIndex {
  const graph = readHnswGraph(cursor, header.ntotal)
  const type = cursor.fourcc('the storage')
  if (indexFormats[type]?.read !== readFlat) throw unsupported(`IndexHNSWFlat whose rows are kept as ${type}`)
  const { d, ntotal, metric } = readHeader(cursor)
  if (d !== header.d || ntotal !== header.ntotal || metric !== header.metric) {
    throw corrupt(
      `its storage is ${ntotal} rows of ${d} by ${metric}, not ${header.ntotal} of ${header.d} by ${header.metric}`,
    )
  }
  return hnswFlatIndex(kernel, graph, { d, ntotal, metric, offset: readRows(cursor, header) })
}

function readIdMap({ kernel, cursor, header, nested }: Reading): VectorIndex {
  const index = checkNested(nested(), header.d, header)
  const ids = cursor.vector(8, 'the ids')
  if (ids.count !== header.ntotal) throw corrupt(`it has ${ids.count} ids for ${header.ntotal} rows`)
  return idMapIndex(kernel.file, index, ids)
}

function readPreTransform({ cursor, header, nested }: Reading): VectorIndex {
  const chain = readTransforms(cursor, header.d)
  return preTransformIndex(header.d, chain, checkNested(nested(), chain.at(-1)?.dOut ?? header.d, header))
}

function checkNested(index: VectorIndex, d: number, { ntotal, metric }: Header): VectorIndex {
  if (index.d === d && index.ntotal === ntotal && index.metric === metric) return index
  throw corrupt(`it holds ${index.ntotal} rows of ${index.d} by ${index.metric}, not ${ntotal} of ${d} by ${metric}`)
}
