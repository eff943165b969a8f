import { FeatureStoreError } from './feature-store-error.ts'
import type { ItemSource } from './source.ts'
import { type OptionKind, readOptions } from './source-options.ts'
import { type DynamoDbOptions, dynamoDbSource } from './sources/dynamodb.ts'
import { type FeastOptions, feastSource } from './sources/feast.ts'
import { type FeatureDbOptions, featureDbSource } from './sources/featuredb.ts'
import { type PostgresOptions, postgresSource } from './sources/postgres.ts'
import { type RedisOptions, redisSource } from './sources/redis.ts'
import { snapshotSource } from './sources/snapshot.ts'
import { type TablestoreOptions, tablestoreSource } from './sources/tablestore.ts'

/** A kind of source: what it can do, for the README, and the settings that make one. */
interface SourceKind {
  readonly reads: string
  /** What tells a new snapshot. */
  readonly snapshot: string
  readonly increments: string
  readonly byId: boolean
  /** By name. A `!` says that there is no source without it. */
  readonly options: { readonly [name: string]: OptionKind | `${OptionKind}!` }
  /** The options have been read as `options` says, which is what the source's own type says. */
  open(options: never): ItemSource
}

const keys = { key: 'text', keyType: 'keyType' } as const

/** By `type` of the settings. */
export const sourceKinds = {
  snapshot: {
    reads: 'Parquet, NDJSON or CSV in a directory or any object store',
    snapshot: '`version` of the manifest, or the files',
    increments: '`changes` of the manifest',
    byId: false,
    options: { url: 'text!', key: 'text', types: 'types' },
    open: ({ url, ...options }: { url: string }) => snapshotSource(url, options),
  },
  postgres: {
    reads: 'a table of PostgreSQL or Hologres',
    snapshot: '`versionQuery`',
    increments: 'rows beyond the last `updated`',
    byId: true,
    options: {
      ...{ connection: 'text!', table: 'text!', key: 'text!', columns: 'texts', types: 'types' },
      ...{ versionQuery: 'text', updated: 'text', deleted: 'text', paging: 'paging', pageRows: 'count' },
    },
    open: (options: PostgresOptions) => postgresSource(options),
  },
  redis: {
    reads: 'hashes or JSON by key pattern',
    snapshot: 'the value of `versionKey`',
    increments: 'a stream of ids',
    byId: true,
    options: {
      ...{ url: 'text!', pattern: 'text!', value: 'redisValue', types: 'types', ...keys },
      ...{ versionKey: 'text', changes: 'text' },
    },
    open: (options: RedisOptions) => redisSource(options),
  },
  dynamodb: {
    reads: 'a table of DynamoDB',
    snapshot: 'an attribute of an item, else each refresh',
    increments: '',
    byId: true,
    options: {
      ...{ table: 'text!', key: 'text!', keyType: 'keyType', types: 'types', region: 'text', endpoint: 'text' },
      ...{ versionId: 'text', versionAttribute: 'text' },
    },
    open: openDynamoDb,
  },
  tablestore: {
    reads: 'a table of Tablestore (OTS)',
    snapshot: 'each refresh',
    increments: '',
    byId: true,
    options: {
      ...{ endpoint: 'text!', instance: 'text!', table: 'text!', key: 'text!', keyType: 'keyType', types: 'types' },
      ...{ accessKeyId: 'text!', accessKeySecret: 'text!', securityToken: 'text' },
    },
    open: (options: TablestoreOptions) => tablestoreSource(options),
  },
  featuredb: {
    reads: 'a feature view of PAI-FeatureStore in FeatureDB',
    snapshot: 'once',
    increments: '`iterate_get_kv`',
    byId: true,
    options: {
      ...{ address: 'text!', instanceId: 'text!', project: 'text!', view: 'text!', token: 'text!', ...keys },
      ...{ username: 'text!', password: 'text!', fields: 'fields!' },
    },
    open: (options: FeatureDbOptions) => featureDbSource(options),
  },
  feast: {
    reads: 'a Feast feature server',
    snapshot: 'cannot list items',
    increments: '',
    byId: true,
    options: { url: 'text!', features: 'texts', service: 'text', types: 'types!', token: 'text', ...keys },
    open: (options: FeastOptions) => feastSource(options),
  },
} as const satisfies { readonly [type: string]: SourceKind }
export type SourceType = keyof typeof sourceKinds

/** A source as JSON says it: `{ "type": "postgres", "connection": …, "table": … }`, with the options of that source. */
export type ItemSourceSettings = { readonly type: string } & { readonly [option: string]: unknown }

/**
 * The source that settings describe. Nothing is connected to yet.
 *
 * @throws {FeatureStoreError} `bad_config` with everything that is wrong, without the values.
 */
export function openItemSource({ type, ...settings }: ItemSourceSettings): ItemSource {
  const kind: SourceKind | undefined = Object.hasOwn(sourceKinds, type) ? sourceKinds[type as SourceType] : undefined
  if (!kind) {
    const known = Object.keys(sourceKinds).join(', ')
    throw new FeatureStoreError('bad_config', `Cannot open an item source of type ${type}: there are ${known}`)
  }
  return kind.open(readOptions(type, kind.options, settings) as never) // as `open` says
}

interface DynamoDbSettings extends Omit<DynamoDbOptions, 'client' | 'version'> {
  readonly region?: string
  readonly endpoint?: string
  readonly versionId?: string
  readonly versionAttribute?: string
}

function openDynamoDb({ region, endpoint, versionId, versionAttribute, ...options }: DynamoDbSettings): ItemSource {
  if ((versionId === undefined) !== (versionAttribute === undefined)) {
    throw new FeatureStoreError('bad_config', 'Cannot use versionId without versionAttribute, nor that without it')
  }
  return dynamoDbSource({
    ...options,
    client: { ...(region ? { region } : {}), ...(endpoint ? { endpoint } : {}) },
    ...(versionId && versionAttribute ? { version: { id: versionId, attribute: versionAttribute } } : {}),
  })
}

/** The sources as a Markdown table. Columns are padded, as the formatter of this repository wants them. */
export function renderSources(): string {
  const rows = Object.entries(sourceKinds).map(([type, { reads, snapshot, increments, byId }]) => [
    `\`${type}\``,
    ...[reads, snapshot, increments || 'no', byId ? 'yes' : 'no'],
  ])
  const all = [['`type`', 'reads', 'a new snapshot is told by', 'increments', 'by id'], ...rows]
  return table(all)
}

/** The settings of every source as a Markdown table. */
export function renderSourceSettings(): string {
  const rows = Object.entries(sourceKinds).map(([type, { options }]) => {
    const names = Object.entries(options).map(([name, kind]) => [name, kind.endsWith('!')] as const)
    const listOf = (isNeeded: boolean) =>
      names
        .filter(([, needed]) => needed === isNeeded)
        .map(([name]) => `\`${name}\``)
        .join(', ')
    return [`\`${type}\``, listOf(true), listOf(false)]
  })
  return table([['`type`', 'needs', 'may have'], ...rows])
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
