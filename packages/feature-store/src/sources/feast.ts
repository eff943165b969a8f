import { parseColumnType, type Schema } from '../column-type.ts'
import { badData, FeatureStoreError } from '../feature-store-error.ts'
import { parseJson } from '../json.ts'
import { batchOfRows, type Row } from '../rows.ts'
import type { ItemSource } from '../source.ts'
import { bodyOf, httpCall, signalInit } from './http.ts'

export interface FeastOptions {
  /** Of the feature server: `http://host:6566`. */
  readonly url: string
  /** Join key of the entity, which is the item id. Default `item_id`. */
  readonly key?: string
  readonly keyType?: Schema['key']
  /** What to ask for: features as `view:feature`, or a feature service. One of the two. */
  readonly features?: readonly string[]
  readonly service?: string
  /** Types by name of the feature: JSON does not tell them, and a feature that is not named here is left out. */
  readonly types: Readonly<Record<string, string>>
  /** Sent as a bearer's. */
  readonly token?: string
}

/** Ids of one request. */
const pageIds = 500

/**
 * A Feast feature server, which gives items by id and cannot list them.
 *
 * @see https://docs.feast.dev/reference/feature-servers/python-feature-server `POST /get-online-features`
 */
export function feastSource(options: FeastOptions): ItemSource {
  const { url, key = 'item_id', keyType = 'string', features, service, types, token } = options
  if ((features === undefined) === (service === undefined)) {
    throw new FeatureStoreError('bad_config', 'Cannot ask Feast: it needs either features or a service')
  }
  const schema: Schema = {
    key: keyType,
    keyName: key,
    columns: Object.entries(types).map(([name, type]) => ({ name, type: parseColumnType(type) })),
  }
  const wanted = features ? `"features":${JSON.stringify(features)}` : `"feature_service":${JSON.stringify(service)}`
  const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) }

  async function readRows(ids: readonly string[], signal: AbortSignal | undefined): Promise<readonly Row[]> {
    // Whole numbers are written as they are: a double may not hold them.
    const entities = keyType === 'int64' ? `[${ids.join()}]` : JSON.stringify(ids)
    const body = `{${wanted},"entities":{${JSON.stringify(key)}:${entities}}}`
    const init = { method: 'POST', headers, body, ...signalInit(signal) }
    const doing = 'read items from Feast'
    const response = await httpCall(`${url.replace(/\/$/, '')}/get-online-features`, init, doing)
    return rowsOf((await bodyOf(response, 'Feast')).toString(), ids, key)
  }

  return {
    name: `feast ${service ?? features?.[0]?.split(':')[0]}`,
    async fetch(ids, { signal }) {
      const known = keyType === 'int64' ? ids.filter((id) => /^(?:0|-?[1-9]\d{0,18})$/.test(id)) : ids
      const rows: Row[] = []
      for (let i = 0; i < known.length; i += pageIds) {
        rows.push(...(await readRows(known.slice(i, i + pageIds), signal)))
      }
      return { schema, batch: batchOfRows(rows, schema, key) }
    },
  }
}

/** A column of an answer, `[ids]`: a value and its status each. */
interface Result {
  readonly values: readonly unknown[]
  readonly statuses: readonly unknown[]
}

/** Rows of an answer. An id that no feature was found for is not there. */
function rowsOf(text: string, ids: readonly string[], key: string): readonly Row[] {
  const { names, results } = parseAnswer(text, ids.length)
  const features = names.flatMap((name, column) => {
    const result = results[column]
    return name === key || !result ? [] : [{ name, result }]
  })
  return ids.flatMap((id, row): Row[] => {
    const isThere = features.some(({ result }) => result.statuses[row] !== 'NOT_FOUND')
    if (!isThere) return []
    return [{ ...Object.fromEntries(features.map(({ name, result }) => [name, result.values[row]])), [key]: id }]
  })
}

function parseAnswer(text: string, count: number) {
  let answer: unknown
  try {
    answer = parseJson(text)
  } catch {
    throw badData('Feast answers with something that is no JSON')
  }
  // Every member is checked below.
  const { metadata, results } = (answer ?? {}) as { metadata?: { feature_names?: unknown }; results?: unknown }
  const names = metadata?.feature_names
  const isSound =
    Array.isArray(names) &&
    Array.isArray(results) &&
    names.length === results.length &&
    names.every((name) => typeof name === 'string') &&
    results.every((result) => isColumn(result?.values, count) && isColumn(result.statuses, count))
  if (!isSound) throw badData(`Feast answers with something else than columns of ${count} values`)
  return { names: names as readonly string[], results: results as readonly Result[] }
}

const isColumn = (values: unknown, count: number): boolean => Array.isArray(values) && values.length === count
