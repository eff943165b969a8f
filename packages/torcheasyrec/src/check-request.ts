import { EasError, oneLine } from '@eas/base'
import type { FeatureGenerator, FgInput } from '@eas/fg'
import type { PBFeature, TorchrecRequest } from '@eas/protocol'

/** What the features of a model read, by side. */
export interface ReadNames {
  readonly context: ReadonlySet<string>
  /** Fields of items, those of the steps of sequences left out. */
  readonly item: ReadonlySet<string>
}

export const readNames = ({ inputs }: FeatureGenerator): ReadNames => ({
  context: namesOf(inputs, 'context'),
  item: namesOf(
    inputs.filter(({ sequence }) => !sequence),
    'item',
  ),
})

const namesOf = (inputs: readonly FgInput[], side: FgInput['side']): ReadonlySet<string> =>
  new Set(inputs.filter((input) => input.side === side).map(({ name }) => name))

/**
 * Checks what must be right for features to belong to their items: that each list that features read has a value per item.
 * Lists that nothing reads may be of any length, as in the processor's published examples.
 *
 * @throws {EasError} `invalid_request` naming the list, or `item_ids` where there are more than `rowsMax`.
 */
export function checkRequest(request: TorchrecRequest, reads: ReadNames, rowsMax: number): void {
  const { item_ids, context_features, item_features } = request
  const rows = item_ids.length
  if (rows > rowsMax) throw new EasError('invalid_request', `Too many item_ids: ${rows}, at most ${rowsMax}`)
  checkLists('context_features', context_features, reads.context, rows)
  checkLists('item_features', item_features, reads.item, rows)
}

function checkLists(
  field: string,
  lists: ReadonlyMap<string, readonly PBFeature[]>,
  read: ReadonlySet<string>,
  rows: number,
): void {
  for (const [name, { length }] of lists) {
    if (length === rows || !read.has(name)) continue
    throw new EasError(
      'invalid_request',
      `Cannot use ${field}["${oneLine(name, 100)}"]: it has ${length} values for ${rows} item_ids`,
    )
  }
}

/** Whether a feature says nothing: SDKs send an empty text for a value, a list or a map that is not there. */
export const isEmpty = (feature: PBFeature | undefined): boolean =>
  feature === undefined || feature.kind === undefined || feature.value === ''
