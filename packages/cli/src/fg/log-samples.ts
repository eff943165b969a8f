import { EasError, limits } from '@eas/base'
import { fgRequest, type InputColumn, type ItemTable, type TextColumn } from '@eas/fg'
import { DecodeError, type PBLogData, pbLogData, torchrecPredict } from '@eas/protocol'
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
  const [single] = generate_features.values()
  return {
    names: item_ids.length > 0 ? item_ids : ['0'],
    request: fgRequest(request, items() ?? loggedItems(raw_features), { candidateSequence }),
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

/**
 * Items by what was logged of them. `,` stands between the values of a list there, so that a text with one is read as a
 * list: which of the two it was is not in the log.
 */
function loggedItems(raw_features: ReadonlyMap<string, string>): ItemTable | undefined {
  if (raw_features.size === 0) return undefined
  const ids = new Map([...raw_features.keys()].map((id, i) => [id, i]))
  const rows = [...raw_features.values()].map(parseFeatureText)
  const columns = new Map<string, Exclude<InputColumn, { form: 'sequence' }> | undefined>()
  const makeColumn = (name: string): TextColumn | undefined => {
    const texts = rows.map((row) => row.get(name)?.replaceAll(',', '\u001d'))
    return texts.some((text) => text !== undefined) ? { form: 'texts', texts } : undefined
  }
  return {
    entriesOf: (wanted) => Int32Array.from(wanted, (id) => ids.get(id) ?? -1),
    column(name) {
      if (!columns.has(name)) columns.set(name, makeColumn(name))
      return columns.get(name)
    },
  }
}
