import { readFile } from 'node:fs/promises'
import { EasError } from '@eas/base'
import { prologueFromJson, prologueToJson } from '@eas/import-savedmodel'
import type { Entry } from './lowering.ts'

/** How an entry is kept beside the ONNX model that was prepared of it. */
interface EntryFile extends Omit<Entry, 'prologue'> {
  readonly format: typeof format
  readonly prologue: string | undefined
}

const format = 'eas-functions entry 1'

export const entryToJson = ({ prologue, ...entry }: Entry): string => {
  const file: EntryFile = { format, ...entry, prologue: prologue && prologueToJson(prologue) }
  return JSON.stringify(file)
}

/**
 * Reads what `entryToJson` wrote. The bytes are those that were written: the manifest has their checksum.
 * @throws {EasError} `not_ready` when they are of another version of it.
 */
export async function entryFrom(path: string): Promise<Entry> {
  const { format: found, prologue, ...entry } = JSON.parse(await readFile(path, 'utf8')) as EntryFile // the checksum says so
  if (found !== format) throw new EasError('not_ready', `Cannot use the prepared model: ${path} is of another version`)
  return { ...entry, prologue: prologue === undefined ? undefined : prologueFromJson(prologue) }
}
