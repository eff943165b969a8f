import { EasError, oneLine } from '@eas/base'

/** Bounds on what `fg.json` and its assets may ask for. Each row says the largest real value known. */
export const fgLimits = {
  /** Bytes of `fg.json`. A published model of 1,443 features has 400 kB; vocabulary lists may add megabytes. */
  documentBytes: 64 * 1024 * 1024,
  /** Features of a document, group members included. */
  features: 65_536,
  /** Values that one feature may make of one request. 10,000 items with 100 tags are a million. */
  values: 2_097_152,
  /** Characters of the texts that one feature may make of one request; 500 kB is a large request. */
  textChars: 67_108_864,
  /** Terms that one overlap feature may compare in one request. 10,000 items with titles of 100 are a million. */
  comparedTerms: 4_194_304,
  /** Elements of a tensor: 10,000 items with embeddings of 1,024 numbers are 10 million. */
  tensorElements: 33_554_432,
  /** Bytes of a vocabulary file. */
  vocabBytes: 512 * 1024 * 1024,
  /** Steps of the operators of one `custom_feature` in one request; edit distances take a second or so for as many. */
  customSteps: 2 ** 34,
  /** Terms of a query that a title may have where every pair of them is compared. Queries have tens. */
  terms: 512,
} as const

/** @throws {EasError} `invalid_request` when `count` is over `limit`. */
export function checkCount(count: number, limit: number, feature: string, what = 'values'): void {
  if (count <= limit) return
  throw new EasError('invalid_request', `Cannot generate ${oneLine(feature)}: more than ${limit} ${what}`)
}
