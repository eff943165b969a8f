import type { DataTypes } from './data-type.ts'
import { type FieldForm, form, type Schema } from './well-formed.ts'

/** Schemas that several messages share. @see well-formed.ts */

const shape = { 1: form.varint } as const

export const arrayProtoSchema = ({ hasBoolVal }: DataTypes): Schema => ({
  1: form.varint,
  2: shape,
  3: form.fixed32,
  4: form.fixed64,
  5: form.varint,
  6: form.bytes,
  7: form.varint,
  ...(hasBoolVal && { 8: form.varint }),
})

/** `map<key, value>` is a repeated message of the two. */
export const mapSchema = (value: FieldForm, key: FieldForm = form.text): Schema => ({ 1: key, 2: value })
