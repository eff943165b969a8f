import type { ClientConfig, FieldDef, Pool } from 'pg'
import { type ColumnSpec, type ColumnType, parseColumnType, type Schema } from '../column-type.ts'
import { badData } from '../feature-store-error.ts'
import { batchOfRows, type Row } from '../rows.ts'
import type { ItemBatch, ItemSource } from '../source.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, or what `pg` takes. Hologres: an AccessKey id and its secret. */
  readonly connection: string | ClientConfig
  /** `items`, or `schema.items`. */
  readonly table: string
  /** The column that is the item id. It must be unique. */
  readonly key: string
  /** Columns to load. Default: all whose types are known. */
  readonly columns?: readonly string[]
  /** Types by column name, where the database's do not say enough: `{ tags: 'map<string,double>' }` for json. */
  readonly types?: Readonly<Record<string, string>>
  /** A query of one value that changes with the catalogue. Default: a refresh loads all again, unless `updated` is given. */
  readonly versionQuery?: string
  /** A timestamp or number column that grows with every change of a row; increments are the rows beyond the last one. */
  readonly updated?: string
  /** A boolean column that says that an item is gone. */
  readonly deleted?: string
  /** How a table is read: by a `cursor` in one transaction, or page by page in the order of its `key` where there are no
   * cursors, as in Hologres. Default `cursor`. */
  readonly paging?: 'cursor' | 'key'
  /** Rows of a page. Default 5000. */
  readonly pageRows?: number
}

/** Type OIDs: PostgreSQL's src/include/catalog/pg_type.dat. Hologres has the same. */
const typesOfOid: { readonly [oid: number]: string } = {
  16: 'int32', // bool
  20: 'int64',
  21: 'int32', // int2
  23: 'int32',
  700: 'float',
  701: 'double',
  1700: 'double', // numeric
  25: 'string',
  1042: 'string', // bpchar
  1043: 'string', // varchar
  1082: 'int64', // date
  1114: 'int64', // timestamp
  1184: 'int64', // timestamptz
  1000: 'list<int32>', // bool[]
  1005: 'list<int32>', // int2[]
  1007: 'list<int32>',
  1016: 'list<int64>',
  1021: 'list<float>',
  1022: 'list<double>',
  1009: 'list<string>',
  1015: 'list<string>', // varchar[]
}

/** A table of PostgreSQL, Hologres, or what else speaks its protocol. */
export function postgresSource(options: PostgresOptions): ItemSource {
  const { table, key, updated, deleted, versionQuery, paging = 'cursor', pageRows = 5000 } = options
  const from = table.split('.').map(quoted).join('.')
  let pool: Promise<Pool> | undefined
  let loads = 0

  const connect = () => {
    pool ??= openPool(options.connection)
    return pool
  }

  /** Runs one query. One that is given up ends its connection: nobody knows when it would still answer. */
  const ask = async (text: string, values: readonly unknown[], signal: AbortSignal | undefined) => {
    const client = await (await connect()).connect()
    const giveUp = () => void client.end()
    signal?.addEventListener('abort', giveUp)
    try {
      const result = await client.query<Row>({ text, values: [...values] })
      client.release()
      return result
    } catch (error) {
      client.release(true)
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Columns and their types, from a query of no rows. */
  async function readSchema(signal: AbortSignal | undefined): Promise<Schema> {
    const { fields } = await ask(`SELECT * FROM ${from} LIMIT 0`, [], signal)
    const keyField = fields.find(({ name }) => name === key)
    if (!keyField) throw badData(`table ${table} has no column ${key}`)
    const wanted = options.columns ?? fields.map(({ name }) => name).filter((name) => name !== key && name !== deleted)
    const columns = wanted.flatMap((name): ColumnSpec[] => {
      const field = fields.find((candidate) => candidate.name === name)
      if (!field) throw badData(`table ${table} has no column ${name}`)
      const type = typeOf(field, options.types)
      if (!type && options.columns)
        throw badData(`column ${name} of ${table} has type ${field.dataTypeID}, which needs one of types`)
      return type ? [{ name, type }] : []
    })
    const keyType = typeOf(keyField, options.types)
    const isWhole = keyType?.form === 'scalar' && (keyType.of === 'int64' || keyType.of === 'int32')
    return { key: isWhole ? 'int64' : 'string', keyName: key, columns }
  }

  const selected = ({ columns }: Schema) =>
    [key, ...columns.map(({ name }) => name)].map((name) => quoted(name)).join(', ')
  const alive = deleted ? `NOT coalesce(${quoted(deleted)}, false)` : 'true'

  async function* byCursor(schema: Schema, signal: AbortSignal | undefined): AsyncGenerator<ItemBatch, void, void> {
    const client = await (await connect()).connect()
    const giveUp = () => void client.end()
    signal?.addEventListener('abort', giveUp)
    let isOpen = true
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      await client.query(`DECLARE items NO SCROLL CURSOR FOR SELECT ${selected(schema)} FROM ${from} WHERE ${alive}`)
      for (;;) {
        const { rows } = await client.query<Row>({ text: `FETCH ${pageRows} FROM items` })
        if (rows.length === 0) break
        yield batchOfRows(rows, schema, key)
      }
      await client.query('COMMIT')
      isOpen = false
    } finally {
      signal?.removeEventListener('abort', giveUp)
      client.release(isOpen) // a connection within a transaction is closed
    }
  }

  async function* byKey(schema: Schema, signal: AbortSignal | undefined): AsyncGenerator<ItemBatch, void, void> {
    let last: unknown
    for (;;) {
      const beyond = last === undefined ? '' : `AND ${quoted(key)} > $1`
      const text = `SELECT ${selected(schema)} FROM ${from} WHERE ${alive} ${beyond} ORDER BY ${quoted(key)} LIMIT ${pageRows}`
      const values = last === undefined ? [] : [last]
      const { rows } = await ask(text, values, signal)
      if (rows.length > 0) yield batchOfRows(rows, schema, key)
      if (rows.length < pageRows) return
      last = rows.at(-1)?.[key]
    }
  }

  /** The last change there is, as text that keeps all digits. */
  async function lastChange(signal: AbortSignal | undefined): Promise<string | undefined> {
    if (!updated) return undefined
    const text = `SELECT ${quoted(updated)}::text AS at, ${quoted(key)}::text AS id FROM ${from} WHERE ${quoted(updated)} IS NOT NULL ORDER BY ${quoted(updated)} DESC, ${quoted(key)} DESC LIMIT 1`
    const { rows } = await ask(text, [], signal)
    return JSON.stringify(rows[0] ? [rows[0].at, rows[0].id] : [])
  }

  return {
    name: `postgres ${table}`,
    async snapshot(known, { signal }) {
      let version = String(loads + 1)
      if (versionQuery) {
        const { rows } = await ask(versionQuery, [], signal)
        version = String(Object.values(rows[0] ?? {})[0])
        if (version === known) return undefined
      } else if (updated && known !== undefined) return undefined
      const schema = await readSchema(signal)
      // Before the rows: what changes meanwhile is read twice rather than never.
      const position = await lastChange(signal)
      loads++
      const batches = paging === 'cursor' ? byCursor(schema, signal) : byKey(schema, signal)
      return { version, schema, batches, ...(position === undefined ? {} : { position }) }
    },
    async *changes(position, schema, { signal }) {
      if (!updated) return
      let [at, id] = JSON.parse(position) as [string?, string?] // `lastChange` and this function make positions
      for (;;) {
        const { key: keyType } = schema
        const idType = keyType === 'int64' ? 'bigint' : 'text'
        const beyond =
          at === undefined ? 'true' : `(${quoted(updated)}, ${quoted(key)}::${idType}) > ($1, $2::${idType})`
        const more = `${quoted(updated)}::text AS "_at", ${quoted(key)}::text AS "_id", ${deleted ? quoted(deleted) : 'false'} AS "_deleted"`
        const order = `${quoted(updated)}, ${quoted(key)}::${idType}`
        const text = `SELECT ${selected(schema)}, ${more} FROM ${from} WHERE ${quoted(updated)} IS NOT NULL AND ${beyond} ORDER BY ${order} LIMIT ${pageRows}`
        const values = at === undefined ? [] : [at, id]
        const { rows } = await ask(text, values, signal)
        const last = rows.at(-1)
        if (!last) return
        ;[at, id] = [String(last._at), String(last._id)]
        const flags = rows.map((row) => (row._deleted === true ? 1 : 0))
        yield { ...batchOfRows(rows, schema, key), deleted: flags, position: JSON.stringify([at, id]) }
      }
    },
    async fetch(ids, { signal }) {
      const schema = await readSchema(signal)
      const isWhole = schema.key === 'int64'
      const wanted = isWhole ? ids.filter((id) => /^-?\d{1,18}$/.test(id)) : ids
      const text = `SELECT ${selected(schema)} FROM ${from} WHERE ${quoted(key)} = ANY($1::${isWhole ? 'bigint' : 'text'}[]) AND ${alive}`
      const { rows } = await ask(text, [wanted], signal)
      return { schema, batch: batchOfRows(rows, schema, key) }
    },
    async close() {
      await (await pool)?.end()
      pool = undefined
    },
  }
}

const [dateOid, timestampOid] = [1082, 1114]

/** A server that vanished without a word must not keep connections for ever: no page takes as long as this. */
const timeouts = { connectionTimeoutMillis: 10_000, query_timeout: 30_000, keepAlive: true }

async function openPool(connection: string | ClientConfig): Promise<Pool> {
  const { default: pg } = await import('pg')
  const config = typeof connection === 'string' ? { connectionString: connection } : connection
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === timestampOid || oid === dateOid ? utc : pg.types.getTypeParser(oid, format as 'text'), // the two overloads are one
  }
  const pool = new pg.Pool({ ...timeouts, ...config, types, max: 2, allowExitOnIdle: true })
  pool.on('error', () => {}) // an idle connection was lost; the next query makes another
  // One that is lost in use says so twice: by the query that fails, and by an event that nobody else listens to.
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

/** An identifier, whatever it is made of. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

function typeOf({ name, dataTypeID }: FieldDef, declared: PostgresOptions['types'] = {}): ColumnType | undefined {
  const text = declared[name] ?? typesOfOid[dataTypeID]
  return text === undefined ? undefined : parseColumnType(text)
}

/** Times without a zone are UTC, as feature platforms mean them; `pg` would take them for the process's zone. */
const utc = (text: string): bigint =>
  BigInt(Date.parse(`${text.replace(' ', 'T')}${text.includes(' ') ? 'Z' : 'T00:00:00Z'}`))
