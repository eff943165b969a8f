import type { PBFeature } from '@eas/protocol'
import { at } from './bags.ts'
import type { FgInput, FgRequest, FgSequence } from './frame.ts'
import { type FeatureColumn, type InputColumn, type NumberColumn, rowsOf, type TextColumn } from './input-column.ts'
import { readTexts } from './readers/sinks.ts'

/** Items known beforehand, by id: the item feature cache. */
export interface ItemTable {
  /** The entry of each id; -1 where it is not known. */
  entriesOf(ids: readonly string[]): Int32Array
  /** A field of every entry; `undefined` when there is no such field. */
  column(name: string): FeatureColumn | TextColumn | NumberColumn | undefined
}

/** The parts of a TorchEasyRec or EasyRec `PBRequest` that features are made of. */
export interface RequestFeatures {
  readonly user_features: ReadonlyMap<string, PBFeature>
  readonly item_ids: readonly string[]
  readonly context_features: ReadonlyMap<string, readonly PBFeature[]>
  readonly item_features?: ReadonlyMap<string, readonly PBFeature[]>
}

export interface FgRequestOptions {
  /**
   * `cand_seq_pk` of model_acc.json: the sequence group whose steps are the request's items. The model then takes one user
   * with all candidates, so that features of the user, sequence groups among them, are not repeated by item. A list of
   * `context_features` or `item_features` may have the column's name or the field's.
   * @see TorchEasyRec, docs/source/models/dlrm_hstu.md
   */
  readonly candidateSequence?: string | undefined
}

/**
 * A request as the generator takes it. One without items, as for recall, has one row. Values of `item_features` stand
 * before the cache's, item by item. Of a sequence group, a column of side `item` that the request does not carry is
 * joined: each id of `sequence_pk` with the cache's field; an id that the cache does not know is a missing step.
 */
export function fgRequest(request: RequestFeatures, items?: ItemTable, options: FgRequestOptions = {}): FgRequest {
  const { user_features, item_ids, context_features, item_features } = request
  const { candidateSequence } = options
  let entries: Int32Array | undefined
  const steps = new Map<string, { readonly steps: Int32Array; readonly index: Int32Array }>()

  // A field that no item has is missing in every step, so that all sequences of a group are of one length.
  const join = ({ field, sequence_pk, sequence_delim, sequence_length }: FgSequence, table: ItemTable): InputColumn => {
    const key = `${sequence_pk} ${sequence_length}${sequence_delim}`
    const known =
      steps.get(key) ?? stepsOf(user_features.get(inputName(sequence_pk)), sequence_delim, sequence_length, table)
    steps.set(key, known)
    return {
      form: 'sequence',
      steps: known.steps,
      cells: { ...(table.column(field) ?? noFeatures), index: known.index },
    }
  }

  const perItem = (features: readonly PBFeature[] | undefined): FeatureColumn | undefined =>
    features && item_ids.length > 0 ? { form: 'features', values: features } : undefined

  const ofItems = (name: string): FeatureColumn | TextColumn | NumberColumn | undefined => {
    const sent = item_features?.get(name)
    const isWhole = sent?.every((feature) => feature.kind !== undefined)
    if (isWhole || !items || item_ids.length === 0) return perItem(sent)
    const column = items.column(name)
    if (!column) return perItem(sent)
    entries ??= items.entriesOf(item_ids)
    if (!sent) return { ...column, index: entries }
    return {
      form: 'features',
      values: sent.map((own, i) => (own.kind ? own : featureAt(column, entries?.[i] ?? -1))),
    }
  }

  /** A field of the request's items, one step each. */
  const candidates = ({ side, name }: FgInput, field: string): InputColumn | undefined => {
    if (item_ids.length === 0) return undefined
    const given = side === 'context' ? context_features : item_features
    const own = side === 'user' ? undefined : perItem(given?.get(name))
    const byField = side === 'item' ? ofItems(field) : side === 'context' ? perItem(given?.get(field)) : undefined
    const cells = own ?? byField ?? { ...noFeatures, index: new Int32Array(item_ids.length).fill(-1) }
    return { form: 'sequence', steps: Int32Array.of(0, rowsOf(cells)), cells }
  }

  return {
    rows: Math.max(1, item_ids.length),
    isOfOneUser: candidateSequence !== undefined,
    column(input: FgInput): InputColumn | undefined {
      const { side, name, sequence } = input
      if (sequence && isCandidates(sequence, candidateSequence)) {
        return one(user_features.get(name)) ?? candidates(input, sequence.field)
      }
      if (side === 'user') return one(user_features.get(name))
      if (side === 'context') return perItem(context_features.get(name))
      if (!sequence) return ofItems(name)
      return one(user_features.get(name)) ?? perItem(item_features?.get(name)) ?? join(sequence, items ?? noItems)
    },
  }
}

/** Whether the steps of a group are the request's items: `cand_seq_pk` names the group, or its `sequence_pk`. */
export const isCandidates = (
  { sequence_name, sequence_pk }: FgSequence,
  candidateSequence: string | undefined,
): boolean => candidateSequence === sequence_name || candidateSequence === inputName(sequence_pk)

const inputName = (reference: string): string => reference.slice(reference.indexOf(':') + 1)

const noFeatures: FeatureColumn = { form: 'features', values: [] }
const noItems: ItemTable = { entriesOf: (ids) => new Int32Array(ids.length).fill(-1), column: () => undefined }

const one = (feature: PBFeature | undefined): InputColumn | undefined =>
  feature && { form: 'features', values: [feature] }

/** An entry of a column; `undefined` where it is missing. */
function featureAt(column: FeatureColumn | TextColumn | NumberColumn, entry: number): PBFeature | undefined {
  if (entry < 0) return undefined
  if (column.form === 'features') return column.values[entry]
  if (column.form === 'texts') {
    const text = column.texts[entry]
    return text ? { kind: 'string_feature', value: text } : undefined
  }
  const { data, valid } = column
  const value = data[entry]
  if (value === undefined || valid?.[entry] === 0) return undefined
  if (typeof value === 'bigint') return { kind: 'long_feature', value }
  return { kind: data instanceof Float32Array ? 'float_feature' : 'double_feature', value }
}

/** Entries of the cache for the steps of the user's only row. */
function stepsOf(pk: PBFeature | undefined, delim: string, length: number, table: ItemTable) {
  const column: InputColumn = { form: 'features', values: [pk] }
  const bags = readTexts({ column, rows: 1 }, { separator: undefined, sequence: { delim, length } })
  const ids: string[] = []
  // A step without an id keeps its place: it is an id that no cache knows.
  for (let cell = 0; cell + 1 < bags.offsets.length; cell++) {
    const start = at(bags.offsets, cell)
    ids.push(start === at(bags.offsets, cell + 1) ? '' : (bags.texts[start] ?? ''))
  }
  const known = bags.texts.length > 0
  const index = known ? table.entriesOf(ids) : new Int32Array(0)
  return { steps: Int32Array.of(0, index.length), index }
}
