import { EasError, limits } from '@eas/base'
import { type FeatureColumn, fgRequest, type ItemTable } from '@eas/fg'
import { DecodeError, type PBFeature, type PBLogData, pbLogData, torchrecPredict } from '@eas/protocol'
import { readBounded } from '../read-file.ts'
import { parseFeatureText } from './feature-text.ts'
import type { Sample } from './sample.ts'
import type { SampleOptions } from './samples.ts'

/** `request`, the first field of a `PBLogData`; in a `PBRequest` field 1 is a number. */
const logDataTag = 0x0a

/**
 * A `PBLogData` file, as the processor writes for `debug_level` 100, or a `PBRequest`, as warm-up files are. What items have
 * comes from `options.items`; without it, from the `raw_features` that were logged.
 */
export async function logSample(file: string, { items, candidateSequence }: SampleOptions): Promise<Sample> {
  const bytes = await readBounded(file, limits.bodyBytes)
  const { request, raw_features, generate_features } = decode(bytes, file)
  const { item_ids } = request
  const table = items()
  const user_features = new Map([...(table ? [] : loggedSequences(raw_features)), ...request.user_features])
  const [single] = generate_features.values()
  return {
    names: item_ids.length > 0 ? item_ids : ['0'],
    request: fgRequest({ ...request, user_features }, table ?? loggedItems(raw_features), { candidateSequence }),
    // Of a request without items the log has one entry, whatever its name.
    logged: item_ids.length > 0 ? item_ids.map((id) => generate_features.get(id)) : [single],
  }
}

function decode(bytes: Uint8Array, file: string): PBLogData {
  try {
    if (bytes[0] === logDataTag) return pbLogData.decode(bytes)
    return { request: torchrecPredict.decodeRequest(bytes), raw_features: new Map(), generate_features: new Map() }
  } catch (thrown) {
    if (!(thrown instanceof DecodeError)) throw thrown
    const text = `Cannot read ${file} as PBLogData or PBRequest: ${thrown.message}`
    throw new EasError('invalid_request', text, { cause: thrown })
  }
}

/** Columns of sequence groups, `<sequence_name>__<field>`, which are the same for all items. */
function* loggedSequences(raw_features: ReadonlyMap<string, string>): Generator<[string, PBFeature]> {
  const [first = ''] = raw_features.values()
  for (const [name, text] of parseFeatureText(first)) {
    if (name.includes('__')) yield [name, { kind: 'string_feature', value: text.replaceAll(',', '\u001d') }]
  }
}

/**
 * Items by what was logged of them. `,` stands between the values of a list there, so that a text with one is read as a
 * list: which of the two it was is not in the log.
 */
function loggedItems(raw_features: ReadonlyMap<string, string>): ItemTable | undefined {
  if (raw_features.size === 0) return undefined
  const ids = new Map([...raw_features.keys()].map((id, i) => [id, i]))
  const rows = [...raw_features.values()].map(parseFeatureText)
  const columns = new Map<string, FeatureColumn | undefined>()
  const makeColumn = (name: string): FeatureColumn | undefined => {
    const values = rows.map((row): PBFeature | undefined => {
      const text = row.get(name)
      if (!text?.includes(',')) return text === undefined ? undefined : { kind: 'string_feature', value: text }
      return { kind: 'string_list', value: text.split(',') }
    })
    return values.some((value) => value !== undefined) ? { form: 'features', values } : undefined
  }
  return {
    entriesOf: (wanted) => Int32Array.from(wanted, (id) => ids.get(id) ?? -1),
    column(name) {
      if (!columns.has(name)) columns.set(name, makeColumn(name))
      return columns.get(name)
    },
  }
}
