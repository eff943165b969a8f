import type { ItemTable } from '@eas/fg'
import type { TorchrecRequest } from '@eas/protocol'
import { isEmpty, type ReadNames } from './check-request.ts'

/**
 * Which items of a request nothing is known of: neither does the cache have them, nor does the request say a field that
 * features read. `[rows]`, 1 where it is so; `undefined` when there is none.
 */
export function unknownItems(request: TorchrecRequest, table: ItemTable, reads: ReadNames): Uint8Array | undefined {
  if (reads.item.size === 0) return undefined
  let unknown: Uint8Array | undefined
  for (const [i, entry] of table.entriesOf(request.item_ids).entries()) {
    if (entry >= 0 || isSent(request, reads, i)) continue
    unknown ??= new Uint8Array(request.item_ids.length)
    unknown[i] = 1
  }
  return unknown
}

const isSent = ({ item_features }: TorchrecRequest, { item }: ReadNames, row: number): boolean =>
  [...item].some((name) => !isEmpty(item_features.get(name)?.[row]))
