import {
  type IdBags,
  type MapBags,
  type NumberBags,
  NumbersBuilder,
  OffsetsBuilder,
  type TextBags,
  type Value,
} from '../bags.ts'
import type { InputColumn } from '../input-column.ts'
import { parseNumber } from '../number-text.ts'
import { type Shape, type Sink, valueText, walkBags, walkColumn } from './walk.ts'

/** A column of the request, or the values of another feature. */
export type Source =
  | { readonly column: InputColumn; readonly rows: number }
  | { readonly bags: TextBags | NumberBags | IdBags; readonly rows: number }

function walk(source: Source, shape: Shape, sink: Sink): Int32Array | undefined {
  return 'column' in source ? walkColumn(source.column, shape, sink) : walkBags(source.bags, shape, sink)
}

/** Every value as text; a map as one `key:value` per entry. Empty texts among several values are no values. */
export function readTexts(source: Source, shape: Shape): TextBags {
  const texts: string[] = []
  const offsets = new OffsetsBuilder(source.rows)
  const sink: Sink = {
    text(value) {
      texts.push(value)
    },
    number(value, float32) {
      if (!Number.isNaN(value)) texts.push(valueText(value, float32))
    },
    long(value) {
      texts.push(String(value))
    },
    map(map, float32) {
      for (const [key, value] of map) texts.push(`${key}:${valueText(value, float32)}`)
    },
    endCell() {
      offsets.end(texts.length)
    },
  }
  const steps = walk(source, shape, sink)
  return { kind: 'texts', rows: source.rows, steps, offsets: offsets.finish(), malformed: 0, texts, weights: undefined }
}

/** Every value as a number. A cell in which one is not a number is missing. */
export function readNumbers(source: Source, shape: Shape): NumberBags {
  const numbers = new NumbersBuilder(source.rows)
  const offsets = new OffsetsBuilder(source.rows)
  let malformed = 0
  let start = 0
  let nan = false
  let garbage = false
  const sink: Sink = {
    text(value) {
      const number = parseNumber(value)
      if (Number.isNaN(number)) garbage = true
      else numbers.push(number)
    },
    number(value) {
      if (Number.isNaN(value)) nan = true
      else numbers.push(value)
    },
    long(value) {
      numbers.push(Number(value))
    },
    map() {
      garbage = true
    },
    endCell() {
      if (garbage || nan) {
        numbers.length = start
        if (garbage) malformed++
        garbage = false
        nan = false
      }
      start = numbers.length
      offsets.end(start)
    },
  }
  const steps = walk(source, shape, sink)
  return { kind: 'numbers', rows: source.rows, steps, offsets: offsets.finish(), malformed, numbers: numbers.finish() }
}

export interface MapShape extends Shape {
  /** Between key and value. */
  readonly delimiter: string
  /** The value of an entry that is a key alone; without one it is skipped. */
  readonly bare: number | undefined
  /** Which delimiter counts: the first, so that values may hold it, or the last, so that keys may. */
  readonly split: 'first' | 'last'
}

/** A table per cell, from a map or from `key:value` texts. Of a key that stands twice the last value counts. */
export function readMaps(source: Source, shape: MapShape): MapBags {
  const maps: (ReadonlyMap<string, Value> | undefined)[] = []
  const offsets = new OffsetsBuilder(source.rows)
  const { delimiter, bare } = shape
  const find = shape.split === 'first' ? indexOf : lastIndexOf
  let own: Map<string, Value> | undefined
  let given: ReadonlyMap<string, Value> | undefined
  let floats = false
  const malformed = 0
  const bareKey = (key: string): void => {
    if (bare === undefined) return
    own ??= new Map()
    own.set(key, bare)
  }
  const sink: Sink = {
    text(entry) {
      const split = find(entry, delimiter)
      if (split < 0) {
        bareKey(entry)
        return
      }
      own ??= new Map()
      own.set(entry.slice(0, split), entry.slice(split + delimiter.length))
    },
    number: (value, float32) => bareKey(valueText(value, float32)),
    long: (value) => bareKey(String(value)),
    map(map, float32) {
      floats ||= float32
      given = withTextKeys(map)
    },
    endCell() {
      maps.push(given ?? own)
      offsets.end(maps.length)
      given = undefined
      own = undefined
    },
  }
  const steps = walk(source, shape, sink)
  return { kind: 'maps', rows: source.rows, steps, offsets: offsets.finish(), malformed, maps, float32: floats }
}

const indexOf = (text: string, part: string): number => text.indexOf(part)
const lastIndexOf = (text: string, part: string): number => text.lastIndexOf(part)

/** The map itself when its keys are texts. */
function withTextKeys(map: ReadonlyMap<Value, Value>): ReadonlyMap<string, Value> {
  const [first] = map.keys()
  // A PBFeature's map has keys of one type.
  if (typeof first === 'string') return map as ReadonlyMap<string, Value>
  const texts = new Map<string, Value>()
  for (const [key, value] of map) texts.set(String(key), value)
  return texts
}
