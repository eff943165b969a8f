import { type ObjectStore, StoreError } from '@eas/storage'
import { type ColumnSpec, parseColumnType } from '../column-type.ts'
import { badData } from '../feature-store-error.ts'

/** What `manifest.json` beside a snapshot's files says. */
export interface Manifest {
  /** Changes with every new snapshot. */
  readonly version: string
  /** Names the column of item ids. */
  readonly key: string
  /** Types, where the files do not tell them; the id's among them. */
  readonly columns: readonly ColumnSpec[] | undefined
  /** Paths beside the manifest. */
  readonly files: readonly string[]
  /** Increments to this snapshot, in order; rows with a true `_deleted` are removals. */
  readonly changes: readonly string[]
}

/** Bytes of a manifest: a hundred thousand file names. */
const maxBytes = 16 * 1024 * 1024

/** @throws {FeatureStoreError} `bad_data` when it is not what it should be; gives `undefined` when there is none. */
export async function readManifest(
  store: ObjectStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  const options = signal ? { signal } : {}
  const info = await store.head(key, options)
  if (!info) return undefined
  if (info.size > maxBytes) throw badData(`manifest.json has ${info.size} bytes`)
  let text: string
  try {
    const bytes = await store.read(key, { start: 0, end: info.size }, { version: info.version, ...options })
    text = new TextDecoder().decode(bytes)
  } catch (error) {
    // It has been replaced between two calls.
    if (error instanceof StoreError && error.code === 'changed') return readManifest(store, key, signal)
    throw error
  }
  return parseManifest(text)
}

function parseManifest(text: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw badData('manifest.json is no JSON')
  }
  if (typeof json !== 'object' || json === null) throw badData('manifest.json is no object')
  // Every member is checked below.
  const { version, key = 'item_id', columns, files, changes = [] } = json as Readonly<Record<string, unknown>>
  if (typeof version !== 'string' && typeof version !== 'number') throw badData('manifest.json has no version')
  if (String(version).includes(' ')) throw badData('the version of manifest.json holds a space')
  if (typeof key !== 'string') throw badData('key of manifest.json is no column name')
  return {
    ...{ version: String(version), key, files: paths(files, 'files'), changes: paths(changes, 'changes') },
    columns: columns === undefined ? undefined : columnSpecs(columns),
  }
}

function paths(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || !value.every(isPath)) throw badData(`${name} of manifest.json are no paths beside it`)
  return value
}

const isPath = (path: unknown): path is string =>
  typeof path === 'string' && path !== '' && !path.startsWith('/') && !path.split('/').includes('..')

function columnSpecs(value: unknown): readonly ColumnSpec[] {
  if (!Array.isArray(value)) throw badData('columns of manifest.json are no list')
  return value.map((column) => {
    if (typeof column?.name !== 'string' || typeof column.type !== 'string') {
      throw badData('a column of manifest.json has no name or no type')
    }
    return { name: column.name, type: parseColumnType(column.type) }
  })
}
