import { integer, optionalFlag, optionalText, readKeys, shown, text, texts } from './config-key.ts'
import { fgLimits } from './limits.ts'

/** `fg.json` cut into features; nothing of their own keys is read yet. */
export interface FgDocument {
  readonly features: readonly FeatureEntry[]
  /** Columns passed through by offline jobs. */
  readonly reserves: readonly string[]
}

export interface SequenceGroup {
  readonly sequence_name: string
  readonly sequence_pk: string
}

export interface FeatureEntry {
  /** For messages: `features[3].features[1] click_seq__cate`. */
  readonly where: string
  readonly raw: RawObject
  /** `feature_name`, in a group after `<sequence_name>__`. */
  readonly name: string
  /** As written after `sequence_`. */
  readonly feature_type: string
  readonly group: SequenceGroup | undefined
  /** Of a sequence: what separates steps, and how many are kept (0: all). */
  readonly sequence: { readonly delim: string; readonly length: number } | undefined
}

export type RawObject = { readonly [key: string]: unknown }

/** Keys of a sequence group. Those of offline jobs (`sequence_table`, `sequence_column`, `attribute_delim`) are left alone. */
export const groupKeys = {
  sequence_name: text('', 'Name of the group, and prefix of its features and columns.', { required: true }),
  sequence_length: integer(0, 0, Number.MAX_SAFE_INTEGER, 'Steps kept, from the first; 0 keeps all.'),
  sequence_delim: text(';', 'Between the steps of a text.'),
  sequence_pk: optionalText('User input with the ids of the steps; default `user:<sequence_name>`.'),
}

/**
 * Keys that make a feature outside a group a sequence, beside a `feature_type` that begins with `sequence_`. Of operators
 * that have no such type TorchEasyRec writes `is_sequence` (`custom_feature`), or only the length and what separates the
 * steps (`bool_mask_feature`).
 *
 * @see TorchEasyRec, `tzrec/features/bool_mask_feature.py` and `custom_feature.py`
 */
export const sequenceKeys = {
  is_sequence: optionalFlag(
    'Of bool_mask, custom, regex_replace; default: whether there is a `sequence_delim` or a length.',
  ),
  sequence_length: integer(0, 0, Number.MAX_SAFE_INTEGER, 'Steps kept, from the first; 0 keeps all.'),
  sequence_delim: text(';', 'Between the steps of a text.'),
  sequence_fields: texts('Inputs that are sequences; default: see below.', 0),
}

/** Types that TorchEasyRec writes no `sequence_` before. */
const unprefixed: ReadonlySet<string> = new Set(['bool_mask_feature', 'custom_feature', 'regex_replace_feature'])

const nameKeys = {
  feature_name: text('', 'Name of the output.', { required: true }),
  feature_type: text('', 'The operator; `sequence_` in front makes it a sequence.', { required: true }),
}

/** Every problem is added to `problems`; features that have one may be left out. */
export function readDocument(json: unknown, problems: string[]): FgDocument {
  if (!isObject(json)) {
    problems.push(`the document is ${kindOf(json)}, expected an object`)
    return { features: [], reserves: [] }
  }
  const { reserves } = readKeys(json, { reserves: texts('Columns passed through.', 0) }, 'the document', problems)
  if (!Array.isArray(json.features)) {
    problems.push(`features is ${kindOf(json.features)}, expected a list`)
    return { features: [], reserves: reserves ?? [] }
  }
  const features: FeatureEntry[] = []
  for (const [i, raw] of json.features.entries()) {
    const where = `features[${i}]`
    if (!isObject(raw)) problems.push(`${where} is ${kindOf(raw)}, expected an object`)
    else if (Object.hasOwn(raw, 'sequence_name') && Object.hasOwn(raw, 'features')) {
      features.push(...readGroup(raw, where, problems))
    } else {
      const entry = readEntry(raw, where, undefined, undefined, problems)
      if (entry) features.push(entry)
    }
  }
  if (features.length > fgLimits.features)
    problems.push(`${features.length} features are more than ${fgLimits.features}`)
  return { features, reserves: reserves ?? [] }
}

function readGroup(raw: RawObject, where: string, problems: string[]): FeatureEntry[] {
  const keys = readKeys(raw, groupKeys, where, problems)
  if (!Array.isArray(raw.features)) {
    problems.push(`${where}.features is ${kindOf(raw.features)}, expected a list`)
    return []
  }
  const { sequence_name } = keys
  const pk = keys.sequence_pk ?? `user:${sequence_name}`
  const group = { sequence_name, sequence_pk: pk.includes(':') ? pk : `user:${pk}` }
  const sequence = { delim: keys.sequence_delim || ';', length: keys.sequence_length }
  return raw.features.flatMap((member: unknown, i) => {
    const at = `${where}.features[${i}]`
    if (!isObject(member)) {
      problems.push(`${at} is ${kindOf(member)}, expected an object`)
      return []
    }
    return readEntry(member, at, group, sequence, problems) ?? []
  })
}

function readEntry(
  raw: RawObject,
  where: string,
  group: SequenceGroup | undefined,
  inherited: FeatureEntry['sequence'],
  problems: string[],
): FeatureEntry | undefined {
  const before = problems.length
  const { feature_name, feature_type } = readKeys(raw, nameKeys, where, problems)
  if (problems.length > before) return undefined
  const name = group ? `${group.sequence_name}__${feature_name}` : feature_name
  const at = `${where} ${shown(name)}`
  const own = readKeys(raw, sequenceKeys, at, problems)
  const prefixed = feature_type.startsWith('sequence_')
  const implied =
    unprefixed.has(feature_type) && (Object.hasOwn(raw, 'sequence_delim') || Object.hasOwn(raw, 'sequence_length'))
  return {
    where: at,
    raw,
    name,
    feature_type: prefixed ? feature_type.slice('sequence_'.length) : feature_type,
    group,
    sequence:
      inherited ??
      (prefixed || (own.is_sequence ?? implied)
        ? { delim: own.sequence_delim || ';', length: own.sequence_length }
        : undefined),
  }
}

export const isObject = (value: unknown): value is RawObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
