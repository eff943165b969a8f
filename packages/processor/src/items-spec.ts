import { EasError, oneLine } from '@eas/base'
import type { ItemPlace } from '@eas/feature-store'
import { type Mount, whereIs } from '@eas/models'
import type { ServiceConfig } from '@eas/service-json'
import { openStore, type StoreSettings } from '@eas/storage'
import type { ItemsSpec } from './items.ts'
import { startItemsThread } from './items-thread.ts'
import type { ItemsById } from './pipelines/items-by-id.ts'
import type { Settings } from './settings.ts'

/** The processor's words for where FeatureStore has the items, as `EAS_ITEM_FEATURES` may quote them. */
const quotable = [
  'region',
  'fs_project',
  'fs_model',
  'fs_entity',
  'featuredb_username',
  'featuredb_password',
  'access_key_id',
  'access_key_secret',
] as const

interface Where {
  readonly baseDir: string
  readonly mounts: readonly Mount[]
  readonly stores: StoreSettings
}

/** Where the items of a service come from: all of them in memory, or those that a request needs, when it needs them. */
export type ItemsOrigin =
  | { readonly kind: 'whole'; readonly spec: ItemsSpec }
  | { readonly kind: 'by_id'; readonly spec: ItemsById }

/**
 * Where a service's items are: `EAS_ITEM_FEATURES` of its `processor_envs`, else of the environment; where
 * `load_feature_from_offlinestore` is true, `EAS_ITEM_FEATURES_OFFLINE` first. A URL or path is that of a snapshot, JSON the
 * settings of a source. `{fs_project}` and the like stand for the configuration's values, so that one setting serves all
 * services whose configurations are FeatureStore's. Settings with `byId` are of a catalogue that is too large for memory.
 *
 * @throws {EasError} `invalid_request` for a text that is neither, or that quotes what is not there.
 */
export function itemsOrigin(config: ServiceConfig, settings: Settings, where: Where): ItemsOrigin | undefined {
  const { model_config, processor_envs } = config
  const values = typeof model_config === 'object' ? model_config : {}
  const offline = values.load_feature_from_offlinestore
  const isOffline = offline === true || String(offline).toLowerCase() === 'true'
  const text =
    (isOffline && (processor_envs.EAS_ITEM_FEATURES_OFFLINE || settings.itemFeaturesOffline)) ||
    processor_envs.EAS_ITEM_FEATURES ||
    settings.itemFeatures
  if (!text) return undefined
  const { period } = values
  // Minutes, in the words of the processor.
  const refreshMs = typeof period === 'number' && period > 0 ? period * 60_000 : settings.itemRefreshSeconds * 1000
  const whole = (placeOf: () => Promise<ItemPlace>): ItemsOrigin => ({
    kind: 'whole',
    spec: itemsSpec(placeOf, settings.isolation === 'inline', refreshMs),
  })
  // A place may begin with a quotation: `{region}-items`.
  if (!/^\s*\{\s*"/.test(text)) return whole(snapshotPlace(quoted(text, values), {}, where))
  const { byId, type, ...options } = parse(text, values)
  // Feast's server cannot list items.
  if (byId || type === 'feast') {
    const { maxItems, freshMs, timeoutMs } = (typeof byId === 'object' && byId ? byId : {}) as Record<string, unknown> // checked below
    const source = { ...options, type: String(type) }
    return { kind: 'by_id', spec: { source, keys: values, options: wholeNumbers({ maxItems, freshMs, timeoutMs }) } }
  }
  if (type === 'snapshot' && typeof options.url === 'string') {
    const { url, ...more } = options
    return whole(snapshotPlace(url, more, where))
  }
  return whole(async () => {
    const { withFeatureStoreKeys } = await import('@eas/feature-store')
    return withFeatureStoreKeys({ ...options, type: String(type) }, values)
  })
}

/** Milliseconds that a request spends on refreshing what is loaded on its own thread. */
const inlineRideMs = 20

/** Items are loaded on a thread of their own: decoding a piece of a file would hold up a hundred requests. */
function itemsSpec(placeOf: () => Promise<ItemPlace>, isInline: boolean, refreshMs: number): ItemsSpec {
  return {
    refreshMs,
    rideMs: isInline ? inlineRideMs : Number.POSITIVE_INFINITY,
    async open() {
      const { ItemCache, openItems, startItemThread } = await import('@eas/feature-store')
      return explained(async () => {
        const place = await placeOf()
        return isInline ? new ItemCache(openItems(place)) : startItemThread(place, startItemsThread)
      })
    },
  }
}

/** The options that are set. */
function wholeNumbers(options: Readonly<Record<string, unknown>>): ItemsById['options'] {
  const set = Object.entries(options).filter(([, value]) => value !== undefined)
  const wrong = set.find(([, value]) => !Number.isInteger(value) || Number(value) < 1)
  if (wrong) throw new EasError('invalid_request', `Cannot use EAS_ITEM_FEATURES: byId.${wrong[0]} is no whole number`)
  return Object.fromEntries(set)
}

/** A snapshot is found like a model: relative to service.json, through its mounts, with the stores of the process. */
function snapshotPlace(
  url: string,
  options: Readonly<Record<string, unknown>>,
  where: Where,
): () => Promise<ItemPlace> {
  const place = whereIs(url, where)
  return async () => ({ ...openStore(place, where.stores), options })
}

/** What is wrong with the settings of a source is a configuration's fault. */
async function explained<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    throw new EasError('invalid_request', `Cannot use EAS_ITEM_FEATURES: ${oneLine(message)}`, { cause: thrown })
  }
}

function parse(text: string, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let json: unknown
  try {
    json = JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? quoted(value, values) : value))
  } catch (thrown) {
    if (thrown instanceof EasError) throw thrown
    throw new EasError('invalid_request', 'Cannot use EAS_ITEM_FEATURES: it is neither a place nor JSON')
  }
  return json as Record<string, unknown> // it begins as an object
}

function quoted(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace(/\{([a-z_]+)\}/g, (_, name: string) => {
    const key = quotable.find((known) => known === name)
    // Two spellings of one key are in use.
    const value = key && (values[key] ?? (key === 'featuredb_password' ? values.featuredb_passwd : undefined))
    if (typeof value === 'string' && value !== '') return value
    const known = quotable.join(', ')
    const why = key ? `model_config has no ${key}` : `{${name}} is none of ${known}`
    throw new EasError('invalid_request', `Cannot use EAS_ITEM_FEATURES: ${why}`)
  })
}
