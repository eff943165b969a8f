import type { FgRequest } from '@eas/fg'
import type { PBFeature } from '@eas/protocol'

/** Rows whose features are generated together, with what was logged of them. */
export interface Sample {
  /** Of each row: an item's id, or a row's number. */
  readonly names: readonly string[]
  readonly request: FgRequest
  /** `generate_features` of each row, `name:value | name:value`; nothing of a row that is not in the log. */
  readonly logged: readonly (string | undefined)[]
}

/** A row's name; its number where it has none. */
export function nameOf(value: unknown, number: number): string {
  const name = exact(value)
  return isText(name) || isNumber(name) ? String(name) : String(number)
}

const isInteger = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isSafeInteger(value)
const isNumber = (value: unknown): value is number | bigint => typeof value === 'bigint' || typeof value === 'number'
const isText = (value: unknown): value is string => typeof value === 'string'
const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null

/**
 * A value as JSON has it, as the feature that a client would send: whole numbers are longs, others doubles, objects maps.
 * In a list that mixes kinds everything is text; what is null in a list of numbers is NaN, which counts as missing.
 */
export function toFeature(json: unknown): PBFeature | undefined {
  const value = exact(json)
  if (value === null || value === undefined) return undefined
  if (Array.isArray(value)) return listFeature(value.map(exact))
  if (isPlain(value)) return mapFeature(Object.entries(value).map(([key, item]) => [key, exact(item)]))
  if (isInteger(value)) return { kind: 'long_feature', value: BigInt(value) }
  if (isNumber(value)) return { kind: 'double_feature', value: Number(value) }
  return { kind: 'string_feature', value: String(value) }
}

/** `parseJsonInput` keeps a number that JavaScript would round as an object of its text; booleans are 1 and 0. */
function exact(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (!isPlain(value) || !('\0' in value)) return value
  const text = String(value['\0'])
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text)
}

function listFeature(list: readonly unknown[]): PBFeature {
  if (list.length > 0 && list.every((item) => Array.isArray(item))) return listsFeature(list as unknown[][]) // just seen
  if (list.length > 0 && list.every(isInteger)) return { kind: 'long_list', value: longs(list) }
  if (list.some(isNumber) && list.every((item) => isNumber(item) || item === null)) {
    return {
      kind: 'double_list',
      value: Float64Array.from(list, (item) => (item === null ? Number.NaN : Number(item))),
    }
  }
  return { kind: 'string_list', value: list.map(textOf) }
}

function listsFeature(lists: readonly (readonly unknown[])[]): PBFeature {
  const exactLists = lists.map((list) => list.map(exact))
  const entries = exactLists.filter(isEntry)
  if (entries.length === exactLists.length) return mapFeature(entries)
  const all = exactLists.flat()
  if (all.every(isInteger))
    return { kind: 'long_lists', value: exactLists.map((list) => longs(list.filter(isInteger))) }
  if (all.every(isNumber))
    return { kind: 'double_lists', value: exactLists.map((list) => Float64Array.from(list, Number)) }
  return { kind: 'string_lists', value: exactLists.map((list) => list.map(textOf)) }
}

/** A list of texts and numbers is none of the request's, but how Arrow writes a map's entries as JSON. */
const isEntry = (list: unknown[]): list is [string, number | bigint] =>
  list.length === 2 && isText(list[0]) && isNumber(list[1])

function mapFeature(entries: readonly (readonly [string, unknown])[]): PBFeature {
  const values = entries.map(([, value]) => value)
  const map = <T>(of: (value: unknown) => T) => new Map(entries.map(([key, value]) => [key, of(value)]))
  if (values.every(isInteger))
    return { kind: 'string_long_map', value: map((value) => BigInt(value as number | bigint)) } // just seen
  if (values.every(isNumber)) return { kind: 'string_double_map', value: map(Number) }
  return { kind: 'string_string_map', value: map(textOf) }
}

const longs = (list: readonly (number | bigint)[]): BigInt64Array => BigInt64Array.from(list, (item) => BigInt(item))
const textOf = (value: unknown): string => (isText(value) ? value : value === null ? '' : String(value))
