import { createHash } from 'node:crypto'

/** The bytes a job is about: an object's place and its version. */
export interface InputIdentity {
  /** Of the store, without credentials: `s3://bucket`. */
  readonly store: string
  readonly key: string
  /** As the store names these exact bytes. */
  readonly version: string
}

/** Sixteen hex digits that stand for all that a result depends on: the input's bytes, the model's, and the configuration. */
export function jobId(input: InputIdentity, model: string, config: string): string {
  return digest(JSON.stringify([input.store, input.key, input.version, model, config])).slice(0, 16)
}

export const digest = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/**
 * Where the results of one object go, below `root`. All of one job is in a folder of its own:
 *
 *     <root>/<key>/manifest-000001.json                   the highest number is the result
 *     <root>/<key>/<job>/chunk-00000.json                 a chunk's record, whose creation commits it
 *     <root>/<key>/<job>/part-00000-<digest>.ndjson       its rows
 *     <root>/<key>/<job>/errors.ndjson
 */
export function resultNames(root: string, key: string, job: string) {
  const base = root === '' ? key : `${root}/${key}`
  const folder = `${base}/${job}`
  return {
    manifestPrefix: `${base}/manifest-`,
    manifest: (number: number) => `${base}/manifest-${String(number).padStart(6, '0')}.json`,
    chunkPrefix: `${folder}/chunk-`,
    chunk: (index: number) => `${folder}/chunk-${String(index).padStart(5, '0')}.json`,
    partPrefix: `${folder}/part-`,
    part: (index: number, content: string, extension: string) =>
      `${folder}/part-${String(index).padStart(5, '0')}-${content.slice(0, 12)}.${extension}`,
    errors: `${folder}/errors.ndjson`,
  }
}

/** Whether a name is one that results have. */
export const isResult = (key: string): boolean =>
  /\/(?:manifest-\d{6,9}\.json|[0-9a-f]{16}\/(?:chunk-\d{5,9}\.json|part-\d{5,9}-[0-9a-f]{12}\.\w+|errors\.ndjson))$/.test(
    key,
  )

/** The number in the name of a chunk's record or of a manifest; `undefined` for another name. */
export function numberIn(key: string, prefix: string): number | undefined {
  const [, digits] = /^(\d{5,9})\.json$/.exec(key.slice(prefix.length)) ?? []
  return key.startsWith(prefix) && digits !== undefined ? Number(digits) : undefined
}
