import { readFileSync } from 'node:fs'
import { gunzipSync, inflateSync } from 'node:zlib'
import { type DType, dtypes, type Tensor } from '@eas/base'

/** What TensorFlow was fed and answered. */
export interface Run {
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly fetches: Readonly<Record<string, Tensor>>
}

/** A recorded graph, as `cases.py` writes it. */
export interface GoldenCase {
  readonly name: string
  /** The GraphDef. */
  readonly graph: Uint8Array
  readonly outputs: readonly string[]
  readonly inputs: readonly string[]
  /** Relative error that is as good as equal; default: 1e-5. */
  readonly tolerance?: number
  readonly runs: readonly Run[]
}

/** A model of the zoo, as `zoo.py` records and `pack.py` packs it. */
export interface GoldenModel {
  readonly kind: 'savedmodel' | 'frozen'
  readonly signature?: string
  readonly tolerance?: number
  readonly runs: readonly Run[]
  /** By name relative to the model's folder. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

interface Packed {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data?: string
  readonly strings?: readonly string[]
}

function unpack({ dtype, shape, data, strings }: Packed): Tensor {
  if (dtype === 'string')
    return { dtype, shape, data: (strings ?? []).map((s) => new Uint8Array(Buffer.from(s, 'base64'))) }
  const bytes = new Uint8Array(inflateSync(Buffer.from(data ?? '', 'base64')))
  return { dtype, shape, data: new dtypes[dtype].array(bytes.buffer) } as Tensor // the array of the dtype's own row
}

const unpackAll = (record: Readonly<Record<string, Packed>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(record).map(([k, v]) => [k, unpack(v)]))

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON of our own making
export const unpackRuns = (runs: any[]): Run[] =>
  runs.map((r) => ({ feeds: unpackAll(r.feeds), fetches: unpackAll(r.fetches) }))

export function goldenCases(file: string | URL): GoldenCase[] {
  const { cases } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
  // biome-ignore lint/suspicious/noExplicitAny: recorded JSON of our own making
  return cases.map((c: any) => ({
    ...c,
    graph: new Uint8Array(inflateSync(Buffer.from(c.graph, 'base64'))),
    runs: unpackRuns(c.runs),
  }))
}

export function goldenModel(file: string | URL): GoldenModel {
  const { runs, files, ...document } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
  const contents = Object.entries<string>(files).map(
    ([name, text]) => [name, new Uint8Array(Buffer.from(text, 'base64'))] as const,
  )
  return { ...document, runs: unpackRuns(runs), files: new Map(contents) }
}
