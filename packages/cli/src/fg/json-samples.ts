import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { EasError } from '@eas/base'
import { fgRequest, type InputColumn, type RequestFeatures } from '@eas/fg'
import type { PBFeature } from '@eas/protocol'
import { isRecord, parseJsonInput } from '../json-input.ts'
import { fileError } from '../read-file.ts'
import { nameOf, type Sample, toFeature } from './sample.ts'
import type { SampleOptions } from './samples.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Rows whose features are generated at once. */
const rowsAtOnce = 256

/**
 * JSON lines. A line with `user_features` or `item_ids` is a request, as a client sends it; any other is a row of columns by
 * name. `generate_features` is what was logged: of a request an object by item id, of a row its text.
 */
export async function* jsonSamples(file: string, options: SampleOptions): AsyncGenerator<Sample, void, void> {
  let rows: JsonObject[] = []
  let first = 1
  let number = 0
  for await (const line of lines(file)) {
    number++
    if (line.trim() === '') continue
    const label = `line ${number} of ${file}`
    const json = parseJsonInput(line, label)
    if (!isRecord(json)) throw new EasError('invalid_request', `Cannot read ${label}: it is no JSON object`)
    const isRequest = Object.hasOwn(json, 'user_features') || Object.hasOwn(json, 'item_ids')
    if (!isRequest) rows.push(json)
    if (rows.length > 0 && (isRequest || rows.length === Math.min(rowsAtOnce, options.limit - first + 1))) {
      yield rowSample(rows, first, options)
      first += rows.length
      rows = []
    }
    if (isRequest) yield requestSample(json, label, options)
  }
  if (rows.length > 0) yield rowSample(rows, first, options)
}

async function* lines(file: string): AsyncGenerator<string, void, void> {
  try {
    yield* createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
  } catch (cause) {
    throw cause instanceof EasError ? cause : fileError('read', file, cause)
  }
}

function rowSample(rows: readonly JsonObject[], first: number, { key }: SampleOptions): Sample {
  return {
    names: rows.map((row, i) => nameOf(Object.hasOwn(row, key) ? row[key] : undefined, first + i)),
    request: {
      rows: rows.length,
      column({ name }): InputColumn | undefined {
        if (!rows.some((row) => Object.hasOwn(row, name))) return undefined
        return {
          form: 'features',
          values: rows.map((row) => (Object.hasOwn(row, name) ? toFeature(row[name]) : undefined)),
        }
      },
    },
    logged: rows.map(({ generate_features: text }) => (typeof text === 'string' ? text : undefined)),
  }
}

function requestSample(json: JsonObject, label: string, { items, candidateSequence }: SampleOptions): Sample {
  const object = (name: string): JsonObject => {
    const value = json[name] ?? {}
    if (isRecord(value)) return value
    throw new EasError('invalid_request', `Cannot read ${label}: ${name} is no object`)
  }
  const list = (value: unknown, name: string): readonly unknown[] => {
    if (Array.isArray(value)) return value
    throw new EasError('invalid_request', `Cannot read ${label}: ${name} is no list`)
  }
  const missing: PBFeature = { kind: undefined, value: undefined }
  const perItem = (name: string) =>
    new Map(
      Object.entries(object(name)).map(([input, values]) => [
        input,
        list(values, `${name}.${input}`).map((value) => toFeature(value) ?? missing),
      ]),
    )
  const request: RequestFeatures = {
    user_features: new Map(
      Object.entries(object('user_features')).map(([name, value]) => [name, toFeature(value) ?? missing]),
    ),
    item_ids: list(json.item_ids ?? [], 'item_ids').map((id, i) => nameOf(id, i)),
    context_features: perItem('context_features'),
    item_features: perItem('item_features'),
  }
  const logged = object('generate_features')
  const textOf = (id: string) => (Object.hasOwn(logged, id) ? String(logged[id]) : undefined)
  const [single] = Object.values(logged)
  return {
    names: request.item_ids.length > 0 ? request.item_ids : ['0'],
    request: fgRequest(request, items(), { candidateSequence }),
    // Of a request without items the log has one entry, whatever its name.
    logged:
      request.item_ids.length > 0 ? request.item_ids.map(textOf) : [single === undefined ? undefined : String(single)],
  }
}
