import { badData } from '../feature-store-error.ts'

/** A kind of field: the column that it becomes, and how its bytes are read. */
interface FsTypeRow {
  /** Its number in the SDK's `FSType`. */
  readonly number: number
  readonly column: string
  readonly read: (reader: ValueReader) => unknown
}

type Read = (reader: ValueReader) => unknown

const int32: Read = (reader) => reader.view.getInt32(reader.take(4), true)
const int64: Read = (reader) => reader.view.getBigInt64(reader.take(8), true)
const float: Read = (reader) => reader.view.getFloat32(reader.take(4), true)
const double: Read = (reader) => reader.view.getFloat64(reader.take(8), true)
const string: Read = (reader) => reader.text(reader.count(1))

const list =
  (read: Read): Read =>
  (reader) =>
    Array.from({ length: reader.count(1) }, () => read(reader))

/** Texts share one run of bytes, cut by `n + 1` offsets; of no texts there is nothing at all. */
function texts(reader: ValueReader, count: number): readonly string[] {
  if (count === 0) return []
  const offsets = Array.from({ length: reader.checked(count, 4) + 1 }, () =>
    reader.view.getUint32(reader.take(4), true),
  )
  if (offsets[0] !== 0) throw badData('texts of FeatureDB do not start at 0')
  return Array.from({ length: count }, (_, i) => reader.text((offsets[i + 1] ?? 0) - (offsets[i] ?? 0)))
}

const strings: Read = (reader) => texts(reader, reader.count(4))

/** Their number, the number of all floats, the length of each, the floats; what would be empty is left out. */
const floatLists: Read = (reader) => {
  const outer = reader.count(0)
  if (outer === 0) return []
  const total = reader.count(4)
  if (total === 0) return Array.from({ length: reader.checked(outer, 0) }, () => [])
  const lengths = Array.from({ length: reader.checked(outer, 4) }, () => reader.view.getUint32(reader.take(4), true))
  return lengths.map((length) => Array.from({ length: reader.checked(length, 4) }, () => float(reader)))
}

/** Their number, then all keys, then all values. */
const map =
  (key: Read, value: Read): Read =>
  (reader) => {
    const count = reader.count(4)
    const [keys, values] = [key, value].map((read) =>
      read === string ? texts(reader, count) : Array.from({ length: count }, () => read(reader)),
    )
    return keys?.map((each, i) => [each, values?.[i]])
  }

/** Field types of a feature view, by their names in the console. @see aliyun-pai-featurestore-go-sdk, constants/fs_type.go */
export const fsTypes = {
  INT32: { number: 1, column: 'int32', read: int32 },
  INT64: { number: 2, column: 'int64', read: int64 },
  FLOAT: { number: 3, column: 'float', read: float },
  DOUBLE: { number: 4, column: 'double', read: double },
  STRING: { number: 5, column: 'string', read: string },
  BOOLEAN: { number: 6, column: 'int32', read: (reader) => reader.view.getUint8(reader.take(1)) },
  TIMESTAMP: { number: 7, column: 'int64', read: int64 },
  'ARRAY<INT32>': { number: 8, column: 'list<int32>', read: list(int32) },
  'ARRAY<INT64>': { number: 9, column: 'list<int64>', read: list(int64) },
  'ARRAY<FLOAT>': { number: 10, column: 'list<float>', read: list(float) },
  'ARRAY<DOUBLE>': { number: 11, column: 'list<double>', read: list(double) },
  'ARRAY<STRING>': { number: 12, column: 'list<string>', read: strings },
  'ARRAY<ARRAY<FLOAT>>': { number: 13, column: 'lists<float>', read: floatLists },
  'MAP<INT32,INT32>': { number: 14, column: 'map<int32,int32>', read: map(int32, int32) },
  'MAP<INT32,INT64>': { number: 15, column: 'map<int32,int64>', read: map(int32, int64) },
  'MAP<INT32,FLOAT>': { number: 16, column: 'map<int32,float>', read: map(int32, float) },
  'MAP<INT32,DOUBLE>': { number: 17, column: 'map<int32,double>', read: map(int32, double) },
  'MAP<INT32,STRING>': { number: 18, column: 'map<int32,string>', read: map(int32, string) },
  'MAP<INT64,INT32>': { number: 19, column: 'map<int64,int32>', read: map(int64, int32) },
  'MAP<INT64,INT64>': { number: 20, column: 'map<int64,int64>', read: map(int64, int64) },
  'MAP<INT64,FLOAT>': { number: 21, column: 'map<int64,float>', read: map(int64, float) },
  'MAP<INT64,DOUBLE>': { number: 22, column: 'map<int64,double>', read: map(int64, double) },
  'MAP<INT64,STRING>': { number: 23, column: 'map<int64,string>', read: map(int64, string) },
  'MAP<STRING,INT32>': { number: 24, column: 'map<string,int32>', read: map(string, int32) },
  'MAP<STRING,INT64>': { number: 25, column: 'map<string,int64>', read: map(string, int64) },
  'MAP<STRING,FLOAT>': { number: 26, column: 'map<string,float>', read: map(string, float) },
  'MAP<STRING,DOUBLE>': { number: 27, column: 'map<string,double>', read: map(string, double) },
  'MAP<STRING,STRING>': { number: 28, column: 'map<string,string>', read: map(string, string) },
} as const satisfies { readonly [name: string]: FsTypeRow }
export type FsType = keyof typeof fsTypes

/** Things in one value; a bound for those that take no bytes. */
const maxCount = 1 << 20

/** Takes a value's bytes one after the other, and no more than there are. */
class ValueReader {
  readonly view: DataView
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get rest(): number {
    return this.bytes.length - this.at
  }

  /** Where the next `size` bytes start. */
  take(size: number): number {
    if (size > this.rest) throw badData('a value of FeatureDB is cut')
    this.at += size
    return this.at - size
  }

  /** A count of things of at least `least` bytes each. */
  count(least: number): number {
    return this.checked(this.view.getUint32(this.take(4), true), least)
  }

  checked(count: number, least: number): number {
    if (count * least > this.rest || count > maxCount)
      throw badData(`a value of FeatureDB counts ${count} things in ${this.rest} bytes`)
    return count
  }

  text(size: number): string {
    if (size < 0) throw badData('a text of FeatureDB has a negative length')
    const start = this.take(size)
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, size).toString()
  }
}

/**
 * Version of the value's layout that the SDK reads, and of its null flags.
 * @see aliyun-pai-featurestore-go-sdk 0706e14, dao/feature_view_featuredb_dao.go
 */
const [protocolVersion, nullFlagVersion] = [0x46, 0x31] // 'F', '1'

/** A value's fields, in the order of the view; `undefined` where one is null. Fields that were added later may be absent. */
export function decodeValue(bytes: Uint8Array, types: readonly FsType[]): readonly unknown[] {
  const reader = new ValueReader(bytes)
  const [protocol, nulls] = [reader.view.getUint8(reader.take(1)), reader.view.getUint8(reader.take(1))]
  if (protocol !== protocolVersion || nulls !== nullFlagVersion) {
    throw badData(`a value of FeatureDB has layout ${protocol}.${nulls}, not ${protocolVersion}.${nullFlagVersion}`)
  }
  return types.map((type) => {
    if (reader.rest === 0) return undefined
    const isNull = reader.view.getUint8(reader.take(1)) === 1
    return isNull ? undefined : fsTypes[type].read(reader)
  })
}
