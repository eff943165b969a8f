import { EasError, formatShape, limits, oneLine, type Tensor } from '@eas/base'
import { type Compressor, decompress, recogniseCompression } from '@eas/protocol'
import { isTensor } from '../json-output.ts'
import { formatBytes, labelled, styled, tensorLines } from '../print.ts'
import { scalarText } from '../tensor-text.ts'
import type { Inspection } from './inspection.ts'
import { type Fit, fitOf, hasContent, type MessageRowName, messageRowNames, messageRows } from './messages.ts'

/**
 * Recorded bytes of a request or a response, plain or compressed.
 * @param forced The message to read them as, where the file itself does not decide.
 * @throws {EasError} `invalid_request` when no message fits.
 */
export function inspectMessage(file: string, raw: Uint8Array, forced: MessageRowName | undefined): Inspection {
  if (raw.length === 0) throw new EasError('invalid_request', `Cannot inspect ${file}: it is empty`)
  const names = forced ? [forced] : messageRowNames
  const { bytes, compressor } = inflated(raw, names)
  const fits = names.map((name) => [name, fitOf(name, bytes)] as const)
  const whole = fits.filter(([, fit]) => fit === 'all')
  const candidates = likeliestFirst(whole.length > 0 ? whole : fits.filter(([, fit]) => fit === 'part'), bytes)
  const [name, fit] = candidates[0] ?? none(file, bytes, forced)
  const others = candidates.map(([other]) => other).filter((other) => other !== name)

  const { title, decode } = messageRows[name]
  const message = decode(bytes)
  const size = compressor
    ? `${formatBytes(raw.length)}, ${compressor} of ${formatBytes(bytes.length)}`
    : formatBytes(raw.length)
  const text = [
    `${styled('bold', file)}: ${title} (${name})`,
    labelled([
      ['size', size],
      ['fit', fit === 'all' ? undefined : 'in part: it has fields or an encoding that this message has not'],
      ['also fits', others.length > 0 ? `${others.join(', ')}; --message chooses` : undefined],
    ]),
    ...describe(message),
  ]
  return {
    text: text.join('\n'),
    json: { file, kind: name, fit, alsoFits: others, bytes: raw.length, compressor, message },
  }
}

type Candidate = readonly [MessageRowName, Fit]

/** In the order of the table, and those that have nothing in them behind those that have. */
function likeliestFirst(candidates: readonly Candidate[], bytes: Uint8Array): readonly Candidate[] {
  if (candidates.length < 2) return candidates
  const isFull = ([name]: Candidate) => hasContent(messageRows[name].decode(bytes))
  return candidates.toSorted((a, b) => Number(isFull(b)) - Number(isFull(a)))
}

/** Whether bytes, plain or compressed, are one of the messages to the letter. */
export function isRecorded(raw: Uint8Array): boolean {
  const { bytes } = inflated(raw, messageRowNames)
  return messageRowNames.some((name) => fitOf(name, bytes) === 'all')
}

/** Families of messages, those whose answers are tensors alone first. */
const families = ['torch', 'tf', 'torchrec', 'easyrec'] as const

/** Which message the answer to a recorded request is, where it is a recommender's; `undefined` for the others. */
export function recommenderAnswer(request: Uint8Array, answer: Uint8Array): MessageRowName | undefined {
  const { bytes } = inflated(request, messageRowNames)
  const fits = (family: (typeof families)[number]) =>
    fitOf(`${family}-request`, bytes) === 'all' && fitOf(`${family}-response`, answer) === 'all'
  const family = families.find(fits)
  return family === 'torchrec' || family === 'easyrec' ? `${family}-response` : undefined
}

function none(file: string, bytes: Uint8Array, forced: MessageRowName | undefined): Candidate {
  if (!forced) {
    throw new EasError(
      'invalid_request',
      `Cannot inspect ${file}: it is no model, array or message that is known; --message <kind> says why it is not that one`,
    )
  }
  try {
    messageRows[forced].decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof EasError)) throw thrown
    throw new EasError('invalid_request', `Cannot inspect ${file} as ${forced}: ${thrown.message}`, { cause: thrown })
  }
  return [forced, 'part']
}

interface Inflated {
  readonly bytes: Uint8Array
  readonly compressor: Compressor | undefined
}

/** A raw LZ4 block has no mark: it is tried last, and only where a message comes out to the letter. */
function inflated(raw: Uint8Array, names: readonly MessageRowName[]): Inflated {
  const isMessage = (bytes: Uint8Array) => names.some((name) => fitOf(name, bytes) === 'all')
  try {
    const recognised = recogniseCompression(raw, limits.inflatedBytes, isMessage)
    if (recognised) return recognised
    if (isMessage(raw)) return { bytes: raw, compressor: undefined }
    const bytes = decompress('lz4', raw, limits.inflatedBytes)
    if (isMessage(bytes)) return { bytes, compressor: 'lz4' }
  } catch {
    // Not compressed, or not so that it could be told.
  }
  return { bytes: raw, compressor: undefined }
}

/** Entries shown of a list or map; `--json` has all. */
const shownCount = 20

function describe(message: object): string[] {
  return Object.entries(message).flatMap(([field, value]) => describeField(field, value))
}

/** Fields that are not set say nothing. */
function describeField(field: string, value: unknown): string[] {
  if (value === 0 || value === '' || value === undefined) return []
  if (isTensor(value)) return [tensorLines(field, value)]
  if (Array.isArray(value)) return value.length === 0 ? [] : describeList(field, value)
  if (value instanceof Map) return value.size === 0 ? [] : describeMap(field, value)
  if (isPlain(value))
    return describe(value)
      .map((line) => line.replace(/^/gm, '  '))
      .toSpliced(0, 0, styled('bold', field))
  return [`${styled('bold', field)} ${valueText(value)}`]
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype && !('kind' in value)

function describeList(field: string, list: readonly unknown[]): string[] {
  if (!list.some((item) => isTensor(item))) return [`${styled('bold', field)} ${valueText(list)}`]
  return [
    ...list
      .slice(0, shownCount)
      .map((item, i) =>
        isTensor(item) ? tensorLines(`${field}[${i}]`, item, isOutput(field)) : `${field}[${i}] is skipped`,
      ),
    ...left(list.length),
  ]
}

function describeMap(field: string, map: ReadonlyMap<string, unknown>): string[] {
  const shown = [...map].slice(0, shownCount)
  if (shown.some(([, value]) => isTensor(value))) {
    return [
      ...shown.map(([key, value]) =>
        tensorLines(`${field}[${JSON.stringify(oneLine(key, 60))}]`, value as Tensor, isOutput(field)),
      ), // of tensors
      ...left(map.size),
    ]
  }
  const rows = shown.map(([key, value]) => [`  ${oneLine(key, 60)}`, valueText(value)] as const)
  return [`${styled('bold', field)} (${map.size})`, labelled(rows), ...left(map.size)]
}

/** `outputs`, `map_outputs` and `tf_outputs`. */
const isOutput = (field: string) => field.endsWith('outputs')

const left = (count: number) => (count > shownCount ? [styled('dim', `  … ${count - shownCount} more`)] : [])

/** A value on one line. */
function valueText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'kind' in value && 'value' in value) {
    return value.kind === undefined ? 'no value' : `${value.kind} ${valueText(value.value)}`
  }
  if (value instanceof Map) {
    const shown = [...value].slice(0, 6).map(([key, item]) => `${valueText(key)}: ${valueText(item)}`)
    return `{${shown.join(', ')}${value.size > 6 ? `, … ${value.size} in all` : ''}}`
  }
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array))) {
    const list = Array.from(value as Iterable<unknown>) // a list or an array of numbers
    const shown = list.slice(0, 6).map(valueText)
    return `[${shown.join(', ')}${list.length > 6 ? `, … ${list.length} in all` : ''}]`
  }
  return isScalar(value) ? scalarText(value) : formatShape([])
}

const isScalar = (value: unknown): value is Parameters<typeof scalarText>[0] =>
  ['number', 'bigint', 'boolean', 'string'].includes(typeof value) || value instanceof Uint8Array
