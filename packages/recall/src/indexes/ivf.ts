import type { FileCursor } from '../file-cursor.ts'
import { corrupt, unsupported } from '../recall-error.ts'
import type { Hits } from '../top-k.ts'
import type { SearchParams, VectorIndex } from '../vector-index.ts'
import type { Header } from './header.ts'

/** What every IVF index has before its codes. */
export interface IvfHeader extends Header {
  readonly nlist: number
  /** Lists to visit when a search does not say. */
  readonly nprobe: number
  readonly quantizer: VectorIndex
}

/** @see https://github.com/facebookresearch/faiss/blob/v1.9.0/faiss/impl/index_write.cpp `write_ivf_header` */
export function readIvfHeader(cursor: FileCursor, header: Header, readNested: () => VectorIndex): IvfHeader {
  const [nlist, nprobe] = [cursor.count('nlist'), cursor.count('nprobe')]
  if (!header.isTrained) throw unsupported('it has not been trained')
  if (nlist < 1) throw corrupt('its nlist is 0')
  const quantizer = readNested()
  if (quantizer.d !== header.d) throw corrupt(`its quantizer has dimension ${quantizer.d} instead of ${header.d}`)
  if (quantizer.ntotal !== nlist) throw corrupt(`its quantizer has ${quantizer.ntotal} centroids for ${nlist} lists`)
  skipDirectMap(cursor)
  return { ...header, nlist, nprobe: Math.max(nprobe, 1), quantizer }
}

/** A table from ids to rows, which searching has no use for. */
function skipDirectMap(cursor: FileCursor): void {
  const type = cursor.u8('the type of the direct map')
  if (type > 2) throw corrupt(`its direct map is of the unknown type ${type}`)
  cursor.vector(8, 'the direct map')
  if (type === 2) cursor.vector(16, 'the hashed direct map')
}

/** The lists to visit, nearest centroid first. */
export function probe(ivf: IvfHeader, query: Float32Array, params: SearchParams): Hits {
  return ivf.quantizer.search(query, Math.min(params.nprobe ?? ivf.nprobe, ivf.nlist), params)
}

/** Number of the list that a quantizer's hit stands for; a quantizer that renumbers its rows could name any. */
export function listNumber(ivf: IvfHeader, position: number): number {
  const list = ivf.quantizer.labelOf(position)
  if (list < 0n || list >= BigInt(ivf.nlist)) throw corrupt(`its quantizer names list ${list} of ${ivf.nlist}`)
  return Number(list)
}
