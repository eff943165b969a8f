import { readFileSync } from 'node:fs'

/** What a vector is for. @see test/golden/eas-sdk/README.md */
export type Coverage =
  | {
      readonly covers: 'predict-body'
      readonly message: 'torch' | 'tf' | 'torchrec' | 'easyrec'
      readonly compressor?: string
      /** The message with which decoding must fail. */
      readonly error?: string
    }
  | { readonly covers: 'authentication' | 'discovery' }

/** A request or response body recorded from an SDK. */
export interface EasSdkVector {
  readonly name: string
  readonly direction: 'request' | 'response'
  /** As it went over the wire. */
  readonly body: Uint8Array
  /** The rest of what was recorded: headers, signature, and `decoded`, the content in protobuf's JSON. */
  readonly record: EasSdkRecord
  readonly coverage: Coverage
}

export interface EasSdkRecord {
  readonly description: string
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly auth?: Readonly<Record<string, unknown>> | null
  readonly decoded?: unknown
}

const folder = new URL('../golden/eas-sdk/', import.meta.url)

/** The bytes of a file among the vectors. */
export const easSdkBytes = (file: string): Uint8Array => new Uint8Array(readFileSync(new URL(file, folder)))

// Our own files, of the shape their README gives.
const parse = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as T

/** Names of all vectors, in the order of `index.json`. */
export const easSdkNames = (): readonly string[] =>
  parse<readonly { name: string }[]>('index.json').map(({ name }) => name)

export const easSdkCoverage = (): ReadonlyMap<string, Coverage> =>
  new Map(Object.entries(parse<Record<string, Coverage>>('covers.json')))

/** Reasons by name. */
export const easSdkNotSupported = (): ReadonlyMap<string, string> =>
  new Map(Object.entries(parse<Record<string, string>>('not-supported.json')))

/** The vectors that are for something, each with what it is for. */
export const easSdkVectors = (covers: Coverage['covers']): readonly EasSdkVector[] =>
  [...easSdkCoverage()]
    .filter(([, coverage]) => coverage.covers === covers)
    .map(([name, coverage]) => ({
      name,
      direction: name.startsWith('resp_') ? 'response' : 'request',
      body: easSdkBytes(`${name}.bin`),
      record: parse<EasSdkRecord>(`${name}.json`),
      coverage,
    }))
