import { oneLine } from '@eas/base'
import type { PipelineConfig } from './pipeline-config.ts'

/**
 * The generator that a processor has, by what it takes for granted where fg.json says nothing: `rtp`, the older one, until
 * 2.8; `fg` from 2.9, which "integrates the new FG library".
 * @see alibaba/EasyRec, `docs/source/predict/processor.md` (releases)
 */
export type FgLibrary = 'rtp' | 'fg'

type Feature = Readonly<Record<string, unknown>>

/** How EasyRec's graph takes a feature: whether it makes the ids itself, and whether it wants a number. */
interface Taken {
  readonly binsTexts: boolean
  readonly binsNumbers: boolean
  readonly isNumber: boolean
}

/**
 * An `fg.json` of EasyRec as the generator of this repository reads it: with the defaults of the library that the
 * processor has, and without bucketizers that the graph has as well. In EasyRec's own conversion (`convert_rtp_fg.py`)
 * `hash_bucket_size`, `vocab_list`, `vocab_file` and `boundaries` are for the graph, and `bucketize_boundaries` for FG.
 *
 * @param config `undefined` where the export has none.
 * @param problems What the document leaves open and no source settles, a line each.
 */
export function documentForTexts(
  document: Readonly<Record<string, unknown>>,
  library: FgLibrary,
  config: PipelineConfig | undefined,
  problems: string[],
): Readonly<Record<string, unknown>> {
  if (!Array.isArray(document.features)) return document // `compileFg` says so
  const featureFor = (name: string, alias: string, feature: Feature): Feature => {
    const taken = takenAs(config, [name, alias])
    // What only other features read is as it is written.
    return library === 'fg' && config && !taken ? feature : rewritten(feature, name, library, taken, problems)
  }
  const bins = (feature: unknown) => isObject(feature) && [...textBins, 'boundaries'].some((key) => key in feature)
  if (library === 'fg' && !config && document.features.some((entry) => bins(entry) || membersOf(entry).some(bins))) {
    problems.push('there is no assets/pipeline.config, which would say whether the graph bucketizes as fg.json does')
  }
  const features = document.features.map((entry: unknown) => {
    if (!isObject(entry)) return entry
    const { sequence_name, features: members, feature_name } = entry
    if (typeof sequence_name !== 'string' || !Array.isArray(members)) {
      return featureFor(String(feature_name), String(feature_name), entry)
    }
    const inGroup = members.map((member: unknown) => {
      if (!isObject(member)) return member
      const [name, alias] = sequenceNames(sequence_name, String(member.feature_name))
      const made = featureFor(name, alias, member)
      if (made !== member && isTrue(made.need_prefix)) {
        problems.push(`which name need_prefix puts into ${oneLine(name, 100)} is not published: say false`)
      }
      return made
    })
    return { ...entry, features: inGroup }
  })
  return { ...document, features }
}

const membersOf = (entry: unknown): readonly unknown[] =>
  isObject(entry) && Array.isArray(entry.features) ? entry.features : []

/** What a member of a group is called: by FG and by EasyRec's predictor, and by `convert_rtp_fg.py`. */
export const sequenceNames = (group: string, member: string): readonly [string, string] => [
  `${group}__${member}`,
  `${group}_${member}`,
]

function takenAs(config: PipelineConfig | undefined, names: readonly string[]): Taken | undefined {
  const uses = names.flatMap((name) => config?.usesOf(name) ?? [])
  if (uses.length === 0) return undefined
  return {
    binsTexts: uses.some((use) => use.binsTexts),
    binsNumbers: uses.some((use) => use.binsNumbers),
    isNumber: uses.every(
      ({ feature_type, sub_feature_type }) =>
        feature_type === 'RawFeature' || (feature_type === 'SequenceFeature' && sub_feature_type === 'RawFeature'),
    ),
  }
}

const textBins = ['hash_bucket_size', 'vocab_list', 'vocab_dict', 'vocab_file', 'num_buckets']

function rewritten(
  feature: Feature,
  name: string,
  library: FgLibrary,
  taken: Taken | undefined,
  problems: string[],
): Feature {
  const type = String(feature.feature_type).replace(/^sequence_/, '')
  const changed: Record<string, unknown> = {
    ...feature,
    ...discreteDefaults(feature, type, name, library, taken, problems),
  }
  // Nothing but the graph could say that it does not bucketize; RTP FG never does, but for `bucketize_boundaries`.
  if (library === 'rtp' ? !(taken && !taken.binsTexts && !taken.isNumber) : taken?.binsTexts) {
    for (const key of textBins) delete changed[key]
  }
  if (library === 'rtp' || taken?.binsNumbers) delete changed.boundaries
  const { bucketize_boundaries } = changed
  if (typeof bucketize_boundaries === 'string')
    changed.bucketize_boundaries = bucketize_boundaries.split(',').map(Number)
  if (library === 'rtp' && type === 'overlap_feature') {
    problems.push(`overlap_feature ${oneLine(name, 100)} is of another meaning in processors before easyrec-2.9`)
  }
  return changed
}

/** What stands for keys that the document does not have, of features that are texts. */
function discreteDefaults(
  feature: Feature,
  type: string,
  name: string,
  library: FgLibrary,
  taken: Taken | undefined,
  problems: string[],
): Feature {
  const isRtp = library === 'rtp'
  const isTable = type === 'lookup_feature' || type === 'match_feature'
  const needDiscrete = firstOf(feature, 'needDiscrete', 'need_discrete') ?? (isTable ? !taken?.isNumber : true)
  if (!['id_feature', 'combo_feature', 'lookup_feature', 'match_feature'].includes(type)) return {}
  if (isTable && !isTrue(needDiscrete)) return { needDiscrete }
  // A graph that takes the texts for numbers can have no name in front of them.
  const need_prefix = firstOf(feature, 'need_prefix') ?? (isRtp && (taken?.binsTexts ?? true))
  // A type of numbers would make ids of the texts.
  if (!isTable) return { need_prefix, value_type: 'string' }
  const weighted = isTrue(firstOf(feature, 'needWeighting', 'need_weighting') ?? false)
  const shown = type === 'lookup_feature' ? lookupKeys : matchKeys
  const open = shown.filter((keys) => firstOf(feature, ...keys) === undefined)
  if (!isRtp && !weighted && open.length > 0) {
    const keys = open.map(([key]) => key).join(' and ')
    problems.push(
      `${type} ${oneLine(name, 100)} does not say ${keys}, whose default is not published: say true or false`,
    )
  }
  const asShown = isRtp && !weighted ? Object.fromEntries(open.map(([key]) => [key, true])) : {}
  return { needDiscrete, need_prefix, default_value: feature.default_value ?? '', ...asShown }
}

/** Whether the keys that were found are part of the text: always in RTP FG. */
const lookupKeys: readonly (readonly [string, ...string[]])[] = [['needKey', 'need_key']]
const matchKeys: readonly (readonly [string, ...string[]])[] = [
  ['show_category', 'show_pkey'],
  ['show_item', 'show_skey'],
]

const firstOf = (feature: Feature, ...keys: readonly string[]): unknown =>
  keys.map((key) => feature[key]).find((value) => value !== undefined)
const isTrue = (value: unknown): boolean => value === true || value === 'true' || value === 1
const isObject = (value: unknown): value is Feature =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
