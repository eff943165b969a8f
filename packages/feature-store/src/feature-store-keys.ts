import type { ItemSourceSettings } from './open-item-source.ts'

/** Keys of `model_config` that name a PAI-FeatureStore. Source: "TorchEasyRec processor", section "FeatureStore". */
export interface FeatureStoreKeys {
  readonly fs_project?: string | undefined
  readonly access_key_id?: string | undefined
  readonly access_key_secret?: string | undefined
  readonly featuredb_username?: string | undefined
  readonly featuredb_password?: string | undefined
  /** The same, as the TorchEasyRec repository spells it. */
  readonly featuredb_passwd?: string | undefined
}

type Fill = (keys: FeatureStoreKeys, settings: ItemSourceSettings) => Readonly<Record<string, unknown>>

/** What the keys say about a source, by its type. */
const fills: { readonly [type: string]: Fill } = {
  featuredb: ({ fs_project, featuredb_username, featuredb_password, featuredb_passwd }) => ({
    project: fs_project,
    username: featuredb_username,
    password: featuredb_password ?? featuredb_passwd,
  }),
  tablestore: (keys, settings) => ({
    table: tableOf(keys, settings),
    accessKeyId: keys.access_key_id,
    accessKeySecret: keys.access_key_secret,
  }),
  postgres: (keys, settings) => ({ table: tableOf(keys, settings), connection: loginOf(keys, settings) }),
}

/** A feature view's online table in Hologres and Tablestore: dao/feature_view_*_dao.go of the Go SDK. */
const tableOf = ({ fs_project }: FeatureStoreKeys, { view }: ItemSourceSettings) =>
  fs_project && view ? `${fs_project}_${view}_online` : undefined

/** Hologres takes an AccessKey for a user and its secret for a password. */
function loginOf(keys: FeatureStoreKeys, { connection }: ItemSourceSettings): string | undefined {
  const { access_key_id, access_key_secret } = keys
  if (typeof connection !== 'string' || !access_key_id || !access_key_secret || !URL.canParse(connection))
    return undefined
  const url = new URL(connection)
  if (url.username !== '') return undefined
  url.username = access_key_id
  url.password = access_key_secret
  return url.href
}

/**
 * Settings of a source, filled up with what the FeatureStore keys of a service's configuration say and the settings leave
 * open: the project and login of FeatureDB; the AccessKey and, given a `view`, the table in Hologres and Tablestore.
 */
export function withFeatureStoreKeys(settings: ItemSourceSettings, keys: FeatureStoreKeys): ItemSourceSettings {
  const fill = Object.hasOwn(fills, settings.type) ? fills[settings.type] : undefined
  if (!fill) return settings
  const said = Object.fromEntries(Object.entries(fill(keys, settings)).filter(([, value]) => value !== undefined))
  const { view, ...others } = settings
  const given = settings.type === 'featuredb' ? settings : others // whose view is one; for the others it named the table
  return { ...said, ...given, ...(said.connection ? { connection: said.connection } : {}) }
}
