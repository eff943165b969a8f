import { randomBytes } from 'node:crypto'
import { oneLine } from '@eas/base'
import { pbLogData } from '@eas/protocol'
import { openRecommender, type Recommendation, type Recommender, type RecommenderConfig } from '@eas/torcheasyrec'
import type { Note } from '../engine/messages.ts'
import type { PipelineContext, Work } from './pipeline.ts'

/** A service whose requests are features: of users, items and contexts. Plain data. */
export interface RecommenderSpec {
  readonly kind: 'torcheasyrec' | 'easyrec'
  readonly config: RecommenderConfig
  /** `metadata.rpc.keepalive`: with a request's deadline it says when the request came. */
  readonly keepaliveMs: number
  /** `long_request_threshold`. */
  readonly longRequestMs: number
  /** `save_long_request`. */
  readonly savesLongRequests: boolean
  /** Whether there is a `request_log_path`. */
  readonly keepsRequests: boolean
}

export function recommenderOf(spec: RecommenderSpec, context: PipelineContext): Promise<Recommender> {
  const { info, folder, env, version } = context
  const passThrough = new Map([['model_version', version]])
  return openRecommender({ folder, model: info, config: spec.config, env, passThrough })
}

/**
 * What one request leaves for the log and the disk: its stages if it was slow or asked for them, what it lacks, itself.
 * @param message The request as it came, decompressed.
 */
export function notesOf(
  spec: RecommenderSpec,
  recommendation: Recommendation,
  request_id: string | undefined,
  message: Uint8Array,
  { stages, deadline }: Work,
): Note[] {
  const notes: Note[] = []
  const { level } = recommendation
  const elapsedMs = spec.keepaliveMs - (deadline - Date.now())
  const isLong = elapsedMs >= spec.longRequestMs
  const facts = { request_id: request_id && oneLine(request_id, 100), debug_level: level.level }
  if (isLong || level.logsStages) {
    const { features = 0, lookup = 0, rank = 0, recall = 0 } = recommendation.stages
    const { decode, compute, encode } = stages
    const times = {
      queue: elapsedMs - decode - compute - encode,
      ...{ decode: decode - features - lookup, features, lookup, compute },
      ...{ rank, recall, encode: encode - rank - recall },
    }
    const ms = Object.fromEntries(Object.entries(times).map(([stage, time]) => [stage, Math.round(time * 1000) / 1000]))
    const message = isLong ? 'long request' : 'stages of a request'
    notes.push({ kind: 'log', message, facts: { ...facts, ms: Math.round(elapsedMs), stages: ms } })
  }
  if (level.logsMissing) {
    const missing = recommendation.missing()
    if (missing.length > 0) notes.push({ kind: 'log', message: 'request lacks features', facts: { ...facts, missing } })
  }
  const name = `${fileNamePart(request_id)}_${randomBytes(6).toString('hex')}.pb`
  // A copy: the message is a view of a buffer that is reused or moved.
  if (isLong && spec.savesLongRequests) notes.push({ kind: 'file', of: 'torch_req', name, bytes: message.slice() })
  if (level.isKept && spec.keepsRequests) {
    notes.push({ kind: 'file', of: 'request_log', name, bytes: pbLogData.encode(recommendation.logData()) })
  }
  return notes
}

/** A client's id as part of a file's name. */
const fileNamePart = (id = '') =>
  id
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^\.+/, '')
    .slice(0, 100) || 'no-request-id'
