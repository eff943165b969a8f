import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { arch } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { EasError, limits, once } from '@eas/base'
import type { PreparedForm, UnownedModel } from './model-files.ts'
import { contentOf, secondsOf, stampOf } from './model-stamp.ts'

/**
 * A model as this machine's ONNX Runtime opens it fastest: optimised beforehand, its weights in one file that is mapped, not
 * read. It is a folder with a manifest, and lies beside the model it was made of.
 */
export interface PreparedManifest {
  readonly format: typeof manifestFormat
  /** The model it was made of; another version makes it stale. */
  readonly of: {
    readonly version: string
    readonly bytes: number
    /** Of a model that is one file, 32 lower-case hex digits: by it a store knows the model that was prepared elsewhere. */
    readonly md5?: string
    /** Of all its files, as `ModelStamp` has them: by one or the other a copy of them on another machine is known. */
    readonly seconds?: string
    readonly crc32?: string
    /** The files beside it that its weights are in, as paths below its folder: by them a store knows its version. */
    readonly weights?: readonly string[]
  }
  readonly onnxruntime: string
  readonly platform: string
  /** ONNX Runtime's name of what has been done: `extended`, or `all` where layouts for this kind of processor are in it. */
  readonly level: 'extended' | 'all'
  /** Bytes of weights that ONNX Runtime rearranges when it creates a session: what makes that slow. */
  readonly prepackBytes: number
  /** Whether it stands for all of the model. One with another signature, or that decides by sizes, is needed beside it. */
  readonly isWhole: boolean
  readonly files: readonly PreparedFile[]
}

export interface PreparedFile {
  readonly name: string
  readonly bytes: number
  /** Eight lower-case hex digits. */
  readonly crc32: string
}

/** Goes up when importers lower models otherwise than before, so that what was lowered wrongly is not kept for ever. */
export const manifestFormat = 'eas-functions prepared model 6'
export const manifestName = 'manifest.json'
export const preparedModelName = 'model.onnx'
export const preparedWeightsName = 'weights.bin'
/** How the model is called, where it was not ONNX. */
export const preparedEntryName = 'entry.json'
const preparedNames = new Set([preparedModelName, preparedWeightsName, preparedEntryName])

/**
 * Where prepared forms of a model are kept: beside it, one folder for each kind of machine.
 * @example preparedFolder('oss://bucket/resnet.pt', …) // 'oss://bucket/resnet.pt.eas/ort-1.30.0-x64-avx512'
 */
export const preparedFolder = (model_path: string, platform: string) =>
  `${model_path.replace(/\/+$/, '')}.eas/${platform}`

/** What a prepared model fits: ONNX Runtime's version, the architecture, and the width of its vectors, which layouts follow. */
export const platformName = (onnxruntime: string): string => `ort-${onnxruntime}-${arch()}${vectorWidth()}`

const vectorWidth = once((): string => {
  const [, flags = ''] = /^flags\s*:(.*)$/m.exec(cpuinfo()) ?? []
  return (
    [' avx512f ', ' avx2 ', ' avx ']
      .find((flag) => `${flags} `.includes(flag))
      ?.trim()
      .replace(/^/, '-') ?? ''
  )
})

function cpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'latin1')
  } catch {
    return '' // not Linux
  }
}

/**
 * Reads a manifest that has come from outside.
 * @throws {EasError} `not_ready` saying what is wrong with it.
 */
export function parseManifest(text: string, where: string): PreparedManifest {
  const wrong = (what: string) => new EasError('not_ready', `Cannot use the prepared model at ${where}: ${what}`)
  if (text.length > limits.serviceJsonBytes) throw wrong('its manifest is too large')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw wrong('its manifest is not JSON')
  }
  const manifest = parsed as Partial<PreparedManifest> | null // every part of it is looked at below
  if (manifest?.format !== manifestFormat) throw wrong('its manifest is of another format')
  const { of, onnxruntime, platform, level, prepackBytes, isWhole: standsAlone, files } = manifest
  const isWhole =
    typeof of?.version === 'string' &&
    typeof of.bytes === 'number' &&
    [of.md5, of.seconds, of.crc32].every((text) => text === undefined || typeof text === 'string') &&
    (of.weights === undefined || (Array.isArray(of.weights) && of.weights.every((name) => typeof name === 'string'))) &&
    typeof onnxruntime === 'string' &&
    typeof platform === 'string' &&
    (level === 'extended' || level === 'all') &&
    typeof prepackBytes === 'number' &&
    typeof standsAlone === 'boolean' &&
    Array.isArray(files) &&
    files.length > 0 &&
    files.length <= preparedNames.size &&
    files.every(isPreparedFile) &&
    new Set(files.map(({ name }) => name)).size === files.length &&
    files.some(({ name }) => name === preparedModelName)
  if (!isWhole) throw wrong('its manifest is damaged')
  return manifest as PreparedManifest // checked, part by part
}

function isPreparedFile(value: unknown): value is PreparedFile {
  const file = value as Partial<PreparedFile> | null // every part of it is looked at
  return (
    typeof file?.name === 'string' &&
    preparedNames.has(file.name) &&
    Number.isSafeInteger(file.bytes) &&
    typeof file.crc32 === 'string' &&
    /^[0-9a-f]{8}$/.test(file.crc32)
  )
}

/** The model that a prepared form is made of. */
export async function describeModel({ path, format, version, bytes }: UnownedModel): Promise<PreparedManifest['of']> {
  const { files } = await stampOf(path, format)
  const of = { version, bytes, seconds: secondsOf(files), crc32: await contentOf(files) }
  const found = await stat(path)
  if (!found.isFile()) return of
  const weights = files.filter((file) => file.path !== path).map(({ name }) => name)
  // They are not in its digest.
  if (weights.length > 0 || found.size !== bytes) return { ...of, ...(weights.length > 0 && { weights }) }
  const md5 = createHash('md5')
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) md5.update(piece)
  return { ...of, md5: md5.digest('hex') }
}

/** Name, size and checksum of a file. */
export async function describeFile(folder: string, name: string): Promise<PreparedFile> {
  let sum = 0
  let bytes = 0
  for await (const piece of createReadStream(join(folder, name), { highWaterMark: 1024 * 1024 })) {
    const chunk = piece as Buffer // no encoding is set
    sum = crc32(chunk, sum)
    bytes += chunk.length
  }
  return { name, bytes, crc32: sum.toString(16).padStart(8, '0') }
}

/**
 * Reads every byte of a prepared model's files and compares them with its manifest.
 * @throws {EasError} `not_ready` naming the file that differs.
 */
export async function verifyPrepared(folder: string, { files }: PreparedManifest, where: string): Promise<void> {
  await Promise.all(
    files.map(async (expected) => {
      const { name, bytes } = expected
      const size = (await stat(join(folder, name)).catch(() => undefined))?.size
      const found = size === bytes ? await describeFile(folder, name) : undefined
      if (found?.crc32 !== expected.crc32) {
        throw new EasError('not_ready', `Cannot use the prepared model at ${where}: ${name} is not what was written`)
      }
    }),
  )
}

/** A prepared model's folder, as what can be opened. */
export function preparedForm(folder: string, { files, prepackBytes, isWhole }: PreparedManifest): PreparedForm {
  const hasEntry = files.some(({ name }) => name === preparedEntryName)
  return {
    path: join(folder, preparedModelName),
    entryPath: hasEntry ? join(folder, preparedEntryName) : undefined,
    prepackBytes,
    isWhole,
  }
}

export const preparedBytes = ({ files }: PreparedManifest): number => files.reduce((sum, { bytes }) => sum + bytes, 0)
