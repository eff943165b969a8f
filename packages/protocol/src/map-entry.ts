import type { Tensor } from '@eas/base'
import { type ArrayState, readArrayProto, sizeOfArrayProto, toSomeTensor, writeArrayProto } from './array-proto.ts'
import type { DataTypes } from './data-type.ts'
import { inField } from './decode-error.ts'
import { type Reader, type Sizes, sizeOfUtf8, type Writer } from './wire.ts'

/**
 * Entries of protobuf maps. An entry without its key or value has the default of the missing one, and a later entry
 * replaces an earlier one of the same key. Written entries have both, as every protobuf library writes them.
 */

/** `map<string, ArrayProto>`. */
export function readTensorEntry(reader: Reader, field: string, state: ArrayState, into: Map<string, Tensor>): void {
  let key: string | undefined
  try {
    state.begin(reader)
    const outer = reader.enter()
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) key = reader.string()
      else if (tag === 0x12) readArrayProto(reader, state)
      else reader.skip(tag)
    }
    reader.end = outer
    key ??= ''
    into.set(key, toSomeTensor(reader, state))
  } catch (thrown) {
    throw inField(thrown, field, key)
  }
}

export function sizeOfTensorMap(
  map: ReadonlyMap<string, Tensor>,
  field: string,
  types: DataTypes,
  sizes: Sizes,
): number {
  let size = 0
  for (const [key, tensor] of map) {
    const entry = sizes.reserve()
    const keySize = 1 + sizes.add(sizeOfUtf8(key))
    const value = sizes.reserve()
    const valueSize = 1 + sizes.set(value, sizeOfArrayProto(tensor, types, sizes, field, key))
    size += 1 + sizes.set(entry, keySize + valueSize)
  }
  return size
}

export function writeTensorMap(writer: Writer, tag: number, map: ReadonlyMap<string, Tensor>, types: DataTypes): void {
  for (const [key, tensor] of map) {
    writer.byte(tag)
    writer.length()
    writer.byte(0x0a)
    writer.string(key)
    writer.byte(0x12)
    writer.length()
    writeArrayProto(writer, tensor, types)
  }
}

/** `map<string, string>`. */
export function readTextEntry(reader: Reader, field: string, into: Map<string, string>): void {
  let key: string | undefined
  let value = ''
  try {
    const outer = reader.enter()
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) key = reader.string()
      else if (tag === 0x12) value = reader.string()
      else reader.skip(tag)
    }
    reader.end = outer
  } catch (thrown) {
    throw inField(thrown, field, key)
  }
  into.set(key ?? '', value)
}

export function sizeOfTextMap(map: ReadonlyMap<string, string>, sizes: Sizes): number {
  let size = 0
  for (const [key, value] of map) {
    const entry = sizes.reserve()
    const keySize = 1 + sizes.add(sizeOfUtf8(key))
    size += 1 + sizes.set(entry, keySize + 1 + sizes.add(sizeOfUtf8(value)))
  }
  return size
}

export function writeTextMap(writer: Writer, tag: number, map: ReadonlyMap<string, string>): void {
  for (const [key, value] of map) {
    writer.byte(tag)
    writer.length()
    writer.byte(0x0a)
    writer.string(key)
    writer.byte(0x12)
    writer.string(value)
  }
}

/** `repeated string`. */
export function readText(reader: Reader, field: string, into: string[]): void {
  try {
    into.push(reader.string())
  } catch (thrown) {
    throw inField(thrown, field, into.length)
  }
}

export function sizeOfTexts(texts: readonly string[], sizes: Sizes): number {
  let size = 0
  for (const text of texts) size += 1 + sizes.add(sizeOfUtf8(text))
  return size
}

export function writeTexts(writer: Writer, tag: number, texts: readonly string[]): void {
  for (const text of texts) {
    writer.byte(tag)
    writer.string(text)
  }
}
