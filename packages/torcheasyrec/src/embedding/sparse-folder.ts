import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EasError, oneLine } from '@eas/base'
import { parseObject } from '../model-folder.ts'
import { joinRows, type NpyArray, readNpz } from './npz.ts'
import { dynamicTable, type EmbeddingTable, staticTable } from './table.ts'

/** How the rows of one feature are looked up. */
export interface FeatureLookup {
  readonly table: EmbeddingTable
  /** `NONE` keeps a row per id. */
  readonly pooling: 'SUM' | 'MEAN' | 'NONE'
}

/** The embeddings of an export with `USE_DISTRIBUTED_EMBEDDING`, which leaves their lookup to whoever serves it. */
export interface SparseFolder {
  /** By `<feature>__ebc` or `<feature>__ec`. */
  readonly lookups: ReadonlyMap<string, FeatureLookup>
  /** `dense_meta.json`: what each input of the dense graph is made of; `sequence__ec` lists inputs that stand for themselves. */
  readonly inputs: ReadonlyMap<string, readonly string[]>
}

/**
 * @param path The folder of the model.
 * @returns `undefined` where there is no `dense_meta.json`.
 * @throws {EasError} `not_ready` when tables or features are not what the documents beside them say.
 */
export async function openSparseFolder(path: string): Promise<SparseFolder | undefined> {
  const meta = await readFile(join(path, 'dense_meta.json')).catch(() => undefined)
  if (!meta) return undefined
  const folder = join(path, 'sparse')
  const [tables, features] = await Promise.all(
    ['sparse_embedding.json', 'sparse_features.json'].map((name) => readDescription(folder, name)),
  )
  const arrays = await readArrays(folder)
  const opened = new Map(Object.entries(tables ?? {}).map(([name, table]) => [name, openTable(name, table, arrays)]))
  const lookups = new Map(
    Object.entries(features ?? {}).map(([name, feature]) => [name, openLookup(name, feature, opened)] as const),
  )
  const inputs = new Map(
    Object.entries(parseObject(meta, 'dense_meta.json')).map(([name, parts]) => [name, names(name, parts)]),
  )
  return { lookups, inputs }
}

type Described = Readonly<Record<string, unknown>>

async function readDescription(folder: string, name: string): Promise<Described> {
  const path = join(folder, name)
  if (!(await stat(path).catch(() => undefined))) throw wrong(`there is no sparse/${name}`)
  return parseObject(await readFile(path), `sparse/${name}`)
}

/** Parts of an array, by its name: an export of several ranks has a .npz file of each, and in it that rank's rows. */
type Arrays = ReadonlyMap<string, readonly NpyArray[]>

async function readArrays(folder: string): Promise<Arrays> {
  const arrays = new Map<string, NpyArray[]>()
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.npz')).sort()) {
    for (const [key, array] of await readNpz(join(folder, name), `sparse/${name}`)) {
      arrays.set(key, [...(arrays.get(key) ?? []), array])
    }
  }
  return arrays
}

function openTable(name: string, table: unknown, arrays: Arrays): EmbeddingTable {
  const { dimension, is_dynamic, quant, key_name, value_name, default_value_name } = described(name, table)
  if (typeof dimension !== 'number' || !Number.isInteger(dimension) || dimension < 1) {
    throw wrong(`table ${oneLine(name)} has no dimension`)
  }
  if (typeof quant === 'string' && !/^(?:|0|FP32|FP16|INT8)$/i.test(quant)) {
    throw wrong(`table ${oneLine(name)} is quantized as ${oneLine(quant, 20)}; FP32, FP16 and INT8 are read`)
  }
  const arrayOf = (named: unknown, usual: string): NpyArray => {
    const key = typeof named === 'string' ? named : usual
    const parts = arrays.get(key)
    if (!parts) throw wrong(`no .npz file of sparse/ has ${oneLine(key)}`)
    const joined = joinRows(parts)
    if (!joined) throw wrong(`${oneLine(key)} has other types or widths in each .npz file of sparse/`)
    return joined
  }
  if (is_dynamic !== true) return staticTable(name, arrayOf(value_name, name), dimension)
  const fallback = typeof default_value_name === 'string' ? default_value_name : `${name}.default_value`
  return dynamicTable(
    name,
    arrayOf(key_name, `${name}.keys`),
    arrayOf(value_name, `${name}.values`),
    // Every rank writes the same.
    arrays.get(fallback)?.[0],
    dimension,
  )
}

const poolings = ['SUM', 'MEAN', 'NONE'] as const

function openLookup(name: string, feature: unknown, tables: ReadonlyMap<string, EmbeddingTable>): FeatureLookup {
  const { embedding_name, pooling } = described(name, feature)
  const table = tables.get(String(embedding_name))
  if (!table) throw wrong(`${oneLine(name)} is of table ${oneLine(String(embedding_name))}, which is not there`)
  const known = poolings.find((one) => one === String(pooling).toUpperCase())
  if (!known) throw wrong(`${oneLine(name)} is pooled by ${oneLine(String(pooling), 20)}`)
  return { table, pooling: known }
}

function described(name: string, value: unknown): Described {
  if (typeof value === 'object' && value !== null) return value as Described // an object, whatever is in it
  throw wrong(`${oneLine(name)} of sparse/ is not described by an object`)
}

function names(name: string, parts: unknown): readonly string[] {
  if (Array.isArray(parts) && parts.every((part) => typeof part === 'string')) return parts
  throw wrong(`${oneLine(name)} of dense_meta.json is no list of names`)
}

const wrong = (facts: string) => new EasError('not_ready', `Cannot load the model: ${facts}`)
