import { createHash } from 'node:crypto'
import { type ObjectInfo, type ObjectStore, openStore } from '@eas/storage'
import { type ColumnSpec, inferSchema, parseColumnType, type Schema } from '../column-type.ts'
import { badData, FeatureStoreError } from '../feature-store-error.ts'
import { batchOfRows, type Row } from '../rows.ts'
import type { ItemBatch, ItemSource } from '../source.ts'
import { type Manifest, readManifest } from './manifest.ts'
import type { ParquetFile } from './parquet.ts'
import { csvRows, ndjsonRows } from './text-rows.ts'

export interface SnapshotSourceOptions {
  /** The column that is the item id, where no manifest says. Default `item_id`. */
  readonly key?: string
  /** Types by column name, for text files without a manifest; others are inferred from the first rows. */
  readonly types?: Readonly<Record<string, string>>
}

/** A file of a snapshot or an increment, at one version. */
interface DataFile {
  readonly info: ObjectInfo
  readonly format: FileFormat
}

type FileFormat = (typeof formats)[string]

interface Reading {
  readonly store: ObjectStore
  readonly info: ObjectInfo
  readonly signal: AbortSignal | undefined
}

/** By the end of a file's name. A text format gives rows; Parquet gives columns. */
const formats: { readonly [ending: string]: 'parquet' | typeof ndjsonRows } = {
  parquet: 'parquet',
  ndjson: ndjsonRows,
  jsonl: ndjsonRows,
  csv: csvRows,
}

/**
 * Parquet, NDJSON or CSV files under a URL or path, with a `manifest.json` that names them, or all that lie there. A new
 * snapshot is noticed by the manifest's `version`, or by the files' own versions. Increments are files that the manifest
 * lists under `changes`, to be applied in that order.
 */
export function snapshotSource(
  place: string | { readonly store: ObjectStore; readonly key: string },
  options: SnapshotSourceOptions = {},
): ItemSource {
  const { store, key } = typeof place === 'string' ? openStore(place) : place
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`
  const name = `snapshot ${store.url}/${prefix}`

  async function describe(signal: AbortSignal | undefined): Promise<Described> {
    const manifest = await readManifest(store, `${prefix}manifest.json`, signal)
    if (manifest) return { manifest, ...(await describeManifest(store, prefix, manifest, signal)) }
    const files: DataFile[] = []
    for await (const info of store.list(prefix, signalOf(signal))) {
      const format = formatOf(info.key)
      if (format) files.push({ info, format })
    }
    const hash = createHash('sha256')
    for (const { info } of files) hash.update(`${info.key}\n${info.size}\n${info.version}\n`)
    return { manifest: undefined, files, version: hash.digest('hex').slice(0, 16) }
  }

  return {
    name,
    async snapshot(known, { signal }) {
      const { manifest, files, version } = await describe(signal)
      if (version === known) return undefined
      if (files.length === 0) throw badData('there is no .parquet, .ndjson, .jsonl or .csv file')
      const keyName = manifest?.key ?? options.key ?? 'item_id'
      const { schema, expectedRows, batches } = await openFiles(
        store,
        files,
        keyName,
        manifest?.columns,
        options.types,
        signal,
      )
      return {
        ...{ version, schema, position: `${version} 0`, batches },
        ...(expectedRows === undefined ? {} : { expectedRows }),
      }
    },
    async *changes(position, schema, { signal }) {
      const manifest = await readManifest(store, `${prefix}manifest.json`, signal)
      const [version, done] = position.split(' ')
      if (!manifest || manifest.version !== version) return // a new snapshot is noticed first
      for (const [i, path] of manifest.changes.entries()) {
        if (i < Number(done)) continue
        const file = await fileAt(store, `${prefix}${path}`, signal)
        const { key: keyName } = manifest
        const deleted = { name: '_deleted', type: { form: 'scalar', of: 'int32' } } as const
        const columns = [...schema.columns, deleted]
        for await (const batch of fileBatches(
          { store, info: file.info, signal },
          file.format,
          { ...schema, columns },
          keyName,
          true,
        )) {
          yield { keys: batch.keys, columns: batch.columns.slice(0, -1), deleted: flags(batch.columns.at(-1)) }
        }
        yield { keys: [], columns: schema.columns.map(() => []), position: `${version} ${i + 1}` }
      }
    },
  }
}

interface Described {
  readonly manifest: Manifest | undefined
  readonly files: readonly DataFile[]
  readonly version: string
}

const signalOf = (signal: AbortSignal | undefined) => (signal ? { signal } : {})
const flags = (values: ArrayLike<unknown> | undefined): number[] =>
  Array.from(values ?? [], (value) => (value === true || Number(value) === 1 || value === 'true' ? 1 : 0))

const formatOf = (key: string): FileFormat | undefined => {
  const ending = /\.([a-z]+)$/.exec(key)?.[1] ?? ''
  return Object.hasOwn(formats, ending) ? formats[ending] : undefined
}

async function describeManifest(
  store: ObjectStore,
  prefix: string,
  manifest: Manifest,
  signal: AbortSignal | undefined,
) {
  const files: DataFile[] = []
  for (const path of manifest.files) files.push(await fileAt(store, `${prefix}${path}`, signal))
  return { files, version: manifest.version }
}

async function fileAt(store: ObjectStore, key: string, signal: AbortSignal | undefined): Promise<DataFile> {
  const format = formatOf(key)
  if (!format) throw badData(`the manifest names ${key}, which is no .parquet, .ndjson, .jsonl or .csv file`)
  const info = await store.head(key, signalOf(signal))
  if (!info) throw badData(`the manifest names ${key}, which is not there`)
  return { info, format }
}

async function openFiles(
  store: ObjectStore,
  files: readonly DataFile[],
  keyName: string,
  declared: readonly ColumnSpec[] | undefined,
  types: Readonly<Record<string, string>> = {},
  signal: AbortSignal | undefined,
) {
  const schemas = await Promise.all(
    files.map((file) => schemaOf({ store, info: file.info, signal }, file.format, keyName)),
  )
  const [first] = schemas
  if (!first) throw new FeatureStoreError('bad_config', 'Cannot open no files')
  const columns = (declared ?? first.columns)
    .filter(({ name }) => name !== keyName)
    .map((column) => ({
      ...column,
      type: types[column.name] ? parseColumnType(types[column.name] ?? '') : column.type,
    }))
  const keyType =
    declared?.find(({ name }) => name === keyName)?.type ??
    (types[keyName] ? parseColumnType(types[keyName]) : undefined)
  const schema: Schema = {
    key: keyType ? (keyType.of === 'int64' ? 'int64' : 'string') : first.key,
    keyName,
    columns,
  }
  const expectedRows = schemas.every(({ rows }) => rows !== undefined)
    ? schemas.reduce((sum, { rows = 0 }) => sum + rows, 0)
    : undefined
  async function* batches() {
    for (const { info, format } of files) yield* fileBatches({ store, info, signal }, format, schema, keyName, false)
  }
  return { schema, expectedRows, batches: batches() }
}

/** Rows that a text file's types are inferred from, and rows of a batch. */
const rowsPerBatch = 2000

async function schemaOf(
  reading: Reading,
  format: FileFormat,
  keyName: string,
): Promise<Schema & { readonly rows?: number }> {
  if (format === 'parquet') {
    const file = await openParquet(reading)
    const key = file.columns.find(({ name }) => name === keyName)
    if (!key) throw badData(`${reading.info.key} has no column ${keyName}`)
    const isWhole = key.type.form === 'scalar' && (key.type.of === 'int64' || key.type.of === 'int32')
    return {
      key: isWhole ? 'int64' : 'string',
      columns: file.columns.filter((column) => column !== key),
      rows: file.rows,
    }
  }
  const rows: Row[] = []
  for await (const row of format(bytesOf(reading), reading.info.key)) {
    if (rows.push(row) === rowsPerBatch) break
  }
  return inferSchema(rows, keyName)
}

/** A file in batches of the schema's columns. A column that it lacks is missing everywhere where `mayLack` allows that. */
async function* fileBatches(
  reading: Reading,
  format: FileFormat,
  schema: Schema,
  keyName: string,
  mayLack: boolean,
): AsyncGenerator<ItemBatch, void, void> {
  if (format === 'parquet') {
    const { key } = reading.info
    const file = await openParquet(reading)
    const has = new Set(file.columns.map(({ name }) => name))
    const names = [keyName, ...schema.columns.map(({ name }) => name)]
    const lacking = names.filter((name) => !has.has(name))
    if (lacking.length > 0 && !(mayLack && lacking.every((name) => name === '_deleted'))) {
      throw badData(`${key} has no column ${lacking.join(', ')}`)
    }
    const present = names.filter((name) => has.has(name))
    for await (const columns of file.batches(present)) {
      const byName = new Map(present.map((name, i) => [name, columns[i] as ArrayLike<unknown>])) // one each
      const keys = byName.get(keyName) ?? []
      const none = new Array<undefined>(keys.length).fill(undefined)
      yield { keys, columns: schema.columns.map(({ name }) => byName.get(name) ?? none) }
    }
    return
  }
  let rows: Row[] = []
  for await (const row of format(bytesOf(reading), reading.info.key)) {
    if (rows.push(row) < rowsPerBatch) continue
    yield batchOfRows(rows, schema, keyName)
    rows = []
  }
  if (rows.length > 0) yield batchOfRows(rows, schema, keyName)
}

/** Its reader and its decompressors come with the first file. */
async function openParquet(reading: Reading): Promise<ParquetFile> {
  const parquet = await import('./parquet.ts')
  return parquet.openParquet(randomAccess(reading), reading.info.key)
}

const randomAccess = ({ store, info, signal }: Reading) => ({
  size: info.size,
  read: (start: number, end: number) =>
    store.read(info.key, { start, end }, { version: info.version, ...signalOf(signal) }),
})

async function* bytesOf({ store, info, signal }: Reading): AsyncGenerator<Uint8Array, void, void> {
  const { body } = await store.stream(info.key, { version: info.version, ...signalOf(signal) })
  yield* body
}
