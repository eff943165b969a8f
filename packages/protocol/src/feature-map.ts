import { inField } from './decode-error.ts'
import { type FeatureState, type PBFeature, readFeature, sizeOfFeature, writeFeature } from './pb-feature.ts'
import { type Reader, type Sizes, sizeOfUtf8, type Writer } from './wire.ts'

/** Maps of features, one per name or, as `ContextFeatures`, one per name and item. @see map-entry.ts */

/** `map<string, PBFeature>`. */
export function readFeatureEntry(
  reader: Reader,
  field: string,
  state: FeatureState,
  into: Map<string, PBFeature>,
): void {
  let key: string | undefined
  try {
    const outer = reader.enter()
    state.begin()
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) key = reader.string()
      else if (tag === 0x12) readFeature(reader, state)
      else reader.skip(tag)
    }
    reader.end = outer
    into.set(key ?? '', state.finish(reader))
  } catch (thrown) {
    throw inField(thrown, field, key)
  }
}

/** `map<string, ContextFeatures>`. */
export function readFeaturesEntry(
  reader: Reader,
  field: string,
  state: FeatureState,
  into: Map<string, readonly PBFeature[]>,
): void {
  let key: string | undefined
  const features: PBFeature[] = []
  try {
    const outer = reader.enter()
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) key = reader.string()
      else if (tag === 0x12) readContextFeatures(reader, state, features)
      else reader.skip(tag)
    }
    reader.end = outer
    into.set(key ?? '', features)
  } catch (thrown) {
    throw inField(thrown, field, key)
  }
}

function readContextFeatures(reader: Reader, state: FeatureState, into: PBFeature[]): void {
  const outer = reader.enter()
  try {
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) {
        state.begin()
        readFeature(reader, state)
        into.push(state.finish(reader))
      } else reader.skip(tag)
    }
  } catch (thrown) {
    throw inField(thrown, 'features', into.length)
  }
  reader.end = outer
}

export function sizeOfFeatureMap(map: ReadonlyMap<string, PBFeature>, sizes: Sizes): number {
  let size = 0
  for (const [key, feature] of map) {
    const entry = sizes.reserve()
    const keySize = 1 + sizes.add(sizeOfUtf8(key))
    const value = sizes.reserve()
    size += 1 + sizes.set(entry, keySize + 1 + sizes.set(value, sizeOfFeature(feature, sizes)))
  }
  return size
}

export function writeFeatureMap(writer: Writer, tag: number, map: ReadonlyMap<string, PBFeature>): void {
  for (const [key, feature] of map) {
    writer.byte(tag)
    writer.length()
    writer.byte(0x0a)
    writer.string(key)
    writer.byte(0x12)
    writer.length()
    writeFeature(writer, feature)
  }
}

export function sizeOfFeaturesMap(map: ReadonlyMap<string, readonly PBFeature[]>, sizes: Sizes): number {
  let size = 0
  for (const [key, features] of map) {
    const entry = sizes.reserve()
    const keySize = 1 + sizes.add(sizeOfUtf8(key))
    const value = sizes.reserve()
    let valueSize = 0
    for (const feature of features) {
      const place = sizes.reserve()
      valueSize += 1 + sizes.set(place, sizeOfFeature(feature, sizes))
    }
    size += 1 + sizes.set(entry, keySize + 1 + sizes.set(value, valueSize))
  }
  return size
}

export function writeFeaturesMap(writer: Writer, tag: number, map: ReadonlyMap<string, readonly PBFeature[]>): void {
  for (const [key, features] of map) {
    writer.byte(tag)
    writer.length()
    writer.byte(0x0a)
    writer.string(key)
    writer.byte(0x12)
    writer.length()
    for (const feature of features) {
      writer.byte(0x0a)
      writer.length()
      writeFeature(writer, feature)
    }
  }
}
