import { inField } from './decode-error.ts'
import { guardedSize, KeyGuard } from './key-guard.ts'
import { Runs } from './runs.ts'
import { type Numbers, readScalar, type Scalar, type ScalarType, scalars } from './scalar.ts'
import type { FieldForm, Schema } from './well-formed.ts'
import { type Reader, type Sizes, sizeOfLength, type Writer } from './wire.ts'

/**
 * `PBFeature`, a value of one of thirty kinds.
 * @see proto/torchrec_predict.proto
 */

/** What each member of `PBFeature.value` holds. */
export interface FeatureValues {
  readonly int_feature: number
  readonly long_feature: bigint
  readonly string_feature: string
  readonly float_feature: number
  readonly double_feature: number
  readonly long_string_map: ReadonlyMap<bigint, string>
  readonly long_int_map: ReadonlyMap<bigint, number>
  readonly long_long_map: ReadonlyMap<bigint, bigint>
  readonly long_float_map: ReadonlyMap<bigint, number>
  readonly long_double_map: ReadonlyMap<bigint, number>
  readonly string_string_map: ReadonlyMap<string, string>
  readonly string_int_map: ReadonlyMap<string, number>
  readonly string_long_map: ReadonlyMap<string, bigint>
  readonly string_float_map: ReadonlyMap<string, number>
  readonly string_double_map: ReadonlyMap<string, number>
  readonly int_string_map: ReadonlyMap<number, string>
  readonly int_int_map: ReadonlyMap<number, number>
  readonly int_long_map: ReadonlyMap<number, bigint>
  readonly int_float_map: ReadonlyMap<number, number>
  readonly int_double_map: ReadonlyMap<number, number>
  readonly int_list: Int32Array
  readonly long_list: BigInt64Array
  readonly string_list: readonly string[]
  readonly float_list: Float32Array
  readonly double_list: Float64Array
  readonly int_lists: readonly Int32Array[]
  readonly long_lists: readonly BigInt64Array[]
  readonly string_lists: readonly (readonly string[])[]
  readonly float_lists: readonly Float32Array[]
  readonly double_lists: readonly Float64Array[]
}

export type FeatureKind = keyof FeatureValues

/** `kind` is the member that is set; `undefined` when none is, which means that the value is missing. */
export type PBFeature =
  | { [K in FeatureKind]: { readonly kind: K; readonly value: FeatureValues[K] } }[FeatureKind]
  | { readonly kind: undefined; readonly value: undefined }

/** A member of the oneof. The field of a list's row is its numbers' or strings'; a map's row also has its keys' type. */
type Member =
  | {
      readonly field: number
      readonly kind: FeatureKind
      readonly form: 'scalar' | 'list' | 'lists'
      readonly of: ScalarType
    }
  | {
      readonly field: number
      readonly kind: FeatureKind
      readonly form: 'map'
      readonly key: ScalarType
      readonly of: ScalarType
    }

const rows: readonly Member[] = [
  { field: 1, kind: 'int_feature', form: 'scalar', of: 'int' },
  { field: 2, kind: 'long_feature', form: 'scalar', of: 'long' },
  { field: 3, kind: 'string_feature', form: 'scalar', of: 'string' },
  { field: 4, kind: 'float_feature', form: 'scalar', of: 'float' },
  { field: 5, kind: 'double_feature', form: 'scalar', of: 'double' },
  { field: 6, kind: 'long_string_map', form: 'map', key: 'long', of: 'string' },
  { field: 7, kind: 'long_int_map', form: 'map', key: 'long', of: 'int' },
  { field: 8, kind: 'long_long_map', form: 'map', key: 'long', of: 'long' },
  { field: 9, kind: 'long_float_map', form: 'map', key: 'long', of: 'float' },
  { field: 10, kind: 'long_double_map', form: 'map', key: 'long', of: 'double' },
  { field: 11, kind: 'string_string_map', form: 'map', key: 'string', of: 'string' },
  { field: 12, kind: 'string_int_map', form: 'map', key: 'string', of: 'int' },
  { field: 13, kind: 'string_long_map', form: 'map', key: 'string', of: 'long' },
  { field: 14, kind: 'string_float_map', form: 'map', key: 'string', of: 'float' },
  { field: 15, kind: 'string_double_map', form: 'map', key: 'string', of: 'double' },
  { field: 16, kind: 'int_string_map', form: 'map', key: 'int', of: 'string' },
  { field: 17, kind: 'int_int_map', form: 'map', key: 'int', of: 'int' },
  { field: 18, kind: 'int_long_map', form: 'map', key: 'int', of: 'long' },
  { field: 19, kind: 'int_float_map', form: 'map', key: 'int', of: 'float' },
  { field: 20, kind: 'int_double_map', form: 'map', key: 'int', of: 'double' },
  { field: 21, kind: 'int_list', form: 'list', of: 'int' },
  { field: 22, kind: 'long_list', form: 'list', of: 'long' },
  { field: 23, kind: 'string_list', form: 'list', of: 'string' },
  { field: 24, kind: 'float_list', form: 'list', of: 'float' },
  { field: 25, kind: 'double_list', form: 'list', of: 'double' },
  { field: 26, kind: 'int_lists', form: 'lists', of: 'int' },
  { field: 27, kind: 'long_lists', form: 'lists', of: 'long' },
  { field: 28, kind: 'string_lists', form: 'lists', of: 'string' },
  { field: 29, kind: 'float_lists', form: 'lists', of: 'float' },
  { field: 30, kind: 'double_lists', form: 'lists', of: 'double' },
]
const memberByField: readonly (Member | undefined)[] = [undefined, ...rows]
const memberByKind: ReadonlyMap<string, Member> = new Map(rows.map((row) => [row.kind, row]))

/** A feature of which no member is set; there may be many. */
const missing: PBFeature = Object.freeze({ kind: undefined, value: undefined })

/** What has been read of one `PBFeature`. One serves a whole request. */
export class FeatureState {
  field = 0
  /** The scalar, or the map, strings or lists being filled. */
  value: unknown
  /** The numbers of a list. */
  readonly runs = new Runs()
  /** Of the map being filled, once it is large. */
  guard: KeyGuard | undefined

  begin(): void {
    this.field = 0
  }

  scalar(field: number, value: Scalar): void {
    this.field = field
    this.value = value
  }

  /** Turns to a member that merges with what was read of it before, unless another one came between. */
  container(member: Member): void {
    if (this.field === member.field) return
    this.field = member.field
    this.value = member.form === 'map' ? new Map() : []
    this.runs.clear()
    this.guard = undefined
  }

  /** The feature that was read. */
  finish(reader: Reader): PBFeature {
    const member = memberByField[this.field]
    if (!member) return missing
    const value =
      member.form === 'list' && member.of !== 'string' ? scalars[member.of].numbers(reader, this.runs) : this.value
    // The member read is the one whose row says what its value is.
    return { kind: member.kind, value } as PBFeature
  }
}

/** Reads one `PBFeature` into `state`; a second one of the same field is merged with the first. */
export function readFeature(reader: Reader, state: FeatureState): void {
  const outer = reader.enter()
  let tag = 0
  try {
    while (reader.pos < reader.end) {
      tag = 0
      tag = reader.tag()
      switch (tag) {
        case 0x08:
          state.scalar(1, reader.int32())
          break
        case 0x10:
          state.scalar(2, reader.int64())
          break
        case 0x1a:
          state.scalar(3, reader.string())
          break
        case 0x25:
          state.scalar(4, reader.float())
          break
        default:
          readOtherMember(reader, state, tag)
      }
    }
  } catch (thrown) {
    const member = memberByField[tag >>> 3]
    throw member ? inField(thrown, member.kind) : thrown
  }
  reader.end = outer
}

function readOtherMember(reader: Reader, state: FeatureState, tag: number): void {
  const field = tag >>> 3
  const member = memberByField[field]
  if (tag === 0x29 && member) {
    state.scalar(5, reader.double())
    return
  }
  if (!member || (tag & 7) !== 2 || member.form === 'scalar') {
    reader.skip(tag)
    return
  }
  state.container(member)
  if (member.form === 'map') {
    // A map's row makes it a Map.
    readMap(reader, member, state, state.value as Map<Scalar, Scalar>)
    // Rows of lists make it an array, of strings or of lists.
  } else if (member.form === 'lists') readLists(reader, member.of, state.value as unknown[])
  else readList(reader, member.of, state.runs, state.value as string[])
}

/** A message of `map<key, value> map_field = 1`. */
function readMap(reader: Reader, member: MapMember, state: FeatureState, into: Map<Scalar, Scalar>): void {
  const outer = reader.enter()
  const { key: keyType, of: valueType } = member
  const keyTag = 0x08 | scalars[keyType].wire
  const valueTag = 0x10 | scalars[valueType].wire
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag !== 0x0a) {
      reader.skip(tag)
      continue
    }
    const rest = reader.enter()
    let key: Scalar | undefined
    let value: Scalar | undefined
    try {
      while (reader.pos < reader.end) {
        const inner = reader.tag()
        if (inner === keyTag) key = readScalar(reader, keyType)
        else if (inner === valueTag) value = readScalar(reader, valueType)
        else reader.skip(inner)
      }
    } catch (thrown) {
      throw inField(thrown, 'map_field', key)
    }
    reader.end = rest
    key ??= scalars[keyType].zero
    into.set(key, value ?? scalars[valueType].zero)
    if (into.size >= guardedSize && typeof key !== 'string') {
      state.guard ??= new KeyGuard()
      if (!state.guard.allows(into, key)) throw reader.fault(`map_field has keys that collide, ${into.size} so far`)
    }
  }
  reader.end = outer
}

/** A message of `repeated T features = 1`. */
function readList(reader: Reader, type: ScalarType, runs: Runs, strings: string[]): void {
  const outer = reader.enter()
  const { wire } = scalars[type]
  try {
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) {
        if (type === 'string') strings.push(reader.string())
        else if (wire === 0) runs.addPackedVarints(reader)
        else runs.addPackedFixed(reader, wire === 5 ? 4 : 8)
      } else if (tag === (0x08 | wire)) {
        if (wire === 0) runs.addVarint(reader)
        else runs.addFixed(reader, wire === 5 ? 4 : 8)
      } else reader.skip(tag)
    }
  } catch (thrown) {
    throw inField(thrown, 'features', type === 'string' ? strings.length : undefined)
  }
  reader.end = outer
}

/** A message of `repeated XList lists = 1`. */
function readLists(reader: Reader, type: ScalarType, into: unknown[]): void {
  const outer = reader.enter()
  const runs = new Runs()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag !== 0x0a) {
      reader.skip(tag)
      continue
    }
    try {
      const strings: string[] = []
      runs.clear()
      readList(reader, type, runs, strings)
      into.push(type === 'string' ? strings : scalars[type].numbers(reader, runs))
    } catch (thrown) {
      throw inField(thrown, 'lists', into.length)
    }
  }
  reader.end = outer
}

/** Bytes of a feature, without its own length. */
export function sizeOfFeature(feature: PBFeature, sizes: Sizes): number {
  if (feature.kind === undefined) return 0
  const member = memberOf(feature.kind)
  const tag = sizeOfLength(member.field << 3)
  // In each case: the member's row says what the value is.
  switch (member.form) {
    case 'scalar':
      return tag + scalars[member.of].size(feature.value as Scalar, sizes)
    case 'map': {
      const place = sizes.reserve()
      return tag + sizes.set(place, sizeOfMap(feature.value as ReadonlyMap<Scalar, Scalar>, member, sizes))
    }
    case 'list':
      return tag + sizeOfList(feature.value as List, member.of, sizes)
    case 'lists': {
      const place = sizes.reserve()
      let size = 0
      for (const list of feature.value as readonly List[]) size += 1 + sizeOfList(list, member.of, sizes)
      return tag + sizes.set(place, size)
    }
  }
}

export function writeFeature(writer: Writer, feature: PBFeature): void {
  if (feature.kind === undefined) return
  const member = memberOf(feature.kind)
  const { wire, write } = scalars[member.of]
  if (member.form === 'scalar') {
    writer.uint32((member.field << 3) | wire)
    write(writer, feature.value as Scalar) // The member's row says what the value is, here and below.
    return
  }
  writer.uint32((member.field << 3) | 2)
  if (member.form === 'list') {
    writeList(writer, feature.value as List, member.of)
    return
  }
  writer.length()
  if (member.form === 'map') writeMap(writer, feature.value as ReadonlyMap<Scalar, Scalar>, member)
  else {
    for (const list of feature.value as readonly List[]) {
      writer.byte(0x0a)
      writeList(writer, list, member.of)
    }
  }
}

type List = Numbers | readonly string[]
type MapMember = Extract<Member, { form: 'map' }>

function memberOf(kind: FeatureKind): Member {
  const member = memberByKind.get(kind)
  if (!member) throw new TypeError(`PBFeature has no member ${kind}`)
  return member
}

function sizeOfMap(map: ReadonlyMap<Scalar, Scalar>, { key: keyType, of }: MapMember, sizes: Sizes): number {
  let size = 0
  for (const [key, value] of map) {
    const entry = sizes.reserve()
    const keySize = 1 + scalars[keyType].size(key, sizes)
    size += 1 + sizes.set(entry, keySize + 1 + scalars[of].size(value, sizes))
  }
  return size
}

function writeMap(writer: Writer, map: ReadonlyMap<Scalar, Scalar>, { key: keyType, of }: MapMember): void {
  for (const [key, value] of map) {
    writer.byte(0x0a)
    writer.length()
    writer.byte(0x08 | scalars[keyType].wire)
    scalars[keyType].write(writer, key)
    writer.byte(0x10 | scalars[of].wire)
    scalars[of].write(writer, value)
  }
}

/** Bytes of a list, with its own length. */
function sizeOfList(list: List, type: ScalarType, sizes: Sizes): number {
  const place = sizes.reserve()
  if (type !== 'string') {
    const numbers = list as Numbers // Only lists of strings are not.
    return sizes.set(place, numbers.length === 0 ? 0 : 1 + sizes.add(scalars[type].sizeOfRun(numbers)))
  }
  let size = 0
  for (const text of list as readonly string[]) size += 1 + scalars.string.size(text, sizes)
  return sizes.set(place, size)
}

function writeList(writer: Writer, list: List, type: ScalarType): void {
  if (writer.length() === 0) return
  if (type !== 'string') {
    writer.byte(0x0a)
    writer.length()
    scalars[type].writeRun(writer, list as Numbers) // Only lists of strings are not.
    return
  }
  for (const text of list as readonly string[]) {
    writer.byte(0x0a)
    writer.string(text)
  }
}

/** @see well-formed.ts */
export function featureSchema(): Schema {
  const schema: { [field: number]: FieldForm } = {}
  for (const row of rows) {
    const form = scalars[row.of].form
    if (row.form === 'map') schema[row.field] = { 1: { 1: scalars[row.key].form, 2: form } }
    else if (row.form === 'list') schema[row.field] = { 1: form }
    else if (row.form === 'lists') schema[row.field] = { 1: { 1: form } }
    else schema[row.field] = form
  }
  return schema
}
