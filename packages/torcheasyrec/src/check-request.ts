import { EasError, oneLine } from '@eas/base'
import { type FeatureGenerator, type FgInput, isCandidates } from '@eas/fg'
import type { PBFeature, TorchrecRequest } from '@eas/protocol'

/** What the features of a model read, by side. */
export interface ReadNames {
  readonly context: ReadonlySet<string>
  /** Fields of items, those of the steps of sequences left out. */
  readonly item: ReadonlySet<string>
}

/** @param candidateSequence The sequence whose steps are the items of the request: its fields are theirs. */
export const readNames = ({ inputs }: FeatureGenerator, candidateSequence?: string): ReadNames => ({
  context: new Set(inputs.flatMap((input) => (input.side === 'context' ? namesOf(input, candidateSequence) : []))),
  item: new Set(inputs.flatMap((input) => (input.side === 'item' ? itemNames(input, candidateSequence) : []))),
})

const namesOf = ({ name, sequence }: FgInput, candidateSequence: string | undefined): readonly string[] =>
  sequence && isCandidates(sequence, candidateSequence) ? [name, sequence.field] : [name]

const itemNames = (input: FgInput, candidateSequence: string | undefined): readonly string[] =>
  input.sequence && !isCandidates(input.sequence, candidateSequence) ? [] : namesOf(input, candidateSequence)

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
