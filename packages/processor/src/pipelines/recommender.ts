import { randomBytes } from 'node:crypto'
import { oneLine } from '@eas/base'
import { pbLogData } from '@eas/protocol'
import { openRecommender, type Recommendation, type Recommender, type RecommenderConfig } from '@eas/torcheasyrec'
import type { Note } from '../engine/messages.ts'
import { CpuBudget } from '../logs/cpu-budget.ts'
import type { ItemsById } from './items-by-id.ts'
import type { PipelineContext, Work } from './pipeline.ts'

/** A service whose requests are features: of users, items and contexts. Plain data. */
export interface RecommenderSpec {
  readonly kind: 'torcheasyrec' | 'easyrec'
  readonly config: RecommenderConfig
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where items are fetched from when requests need them; `undefined` where all are in memory, or there are none. */
  readonly itemsById: ItemsById | undefined
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
  const { info, folder, version } = context
  const passThrough = new Map([['model_version', version]])
  return openRecommender({ folder, model: info, config: spec.config, env: spec.env, passThrough })
}

/** Of a worker's time, for writing down features as text: a ranking's cost as much as the ranking itself. */
const logging = { share: 0.02, burstMs: 500 }

/** What requests leave for the log and the disk, of one worker. */
export class RequestNotes {
  private readonly spec: RecommenderSpec
  private readonly budget = new CpuBudget(logging.share, logging.burstMs)

  constructor(spec: RecommenderSpec) {
    this.spec = spec
  }

  /**
   * Of one request: its stages if it was slow or asked for them, what it lacks, itself.
   * @param message The request as it came, decompressed.
   */
  of(recommendation: Recommendation, request_id: string | undefined, message: Uint8Array, work: Work): Note[] {
    const { keepaliveMs, longRequestMs, savesLongRequests, keepsRequests } = this.spec
    const { level } = recommendation
    const elapsedMs = keepaliveMs - (work.deadline - Date.now())
    const isLong = elapsedMs >= longRequestMs
    const isKept = level.isKept && keepsRequests
    if (!isLong && !isKept && !level.logsStages && !level.logsMissing) return []

    const notes: Note[] = []
    const facts = { request_id: request_id && oneLine(request_id, 100), debug_level: level.level }
    if (isLong || level.logsStages) {
      const stages = stagesOf(recommendation, work, elapsedMs)
      const text = isLong ? 'long request' : 'stages of a request'
      notes.push({ kind: 'log', message: text, facts: { ...facts, ms: Math.round(elapsedMs), stages } })
    }
    if (level.logsMissing) {
      const missing = recommendation.missing()
      if (missing.length > 0)
        notes.push({ kind: 'log', message: 'request lacks features', facts: { ...facts, missing } })
    }
    const name = `${fileNamePart(request_id)}_${randomBytes(6).toString('hex')}.pb`
    // A copy: the message is a view of a buffer that is reused or moved.
    if (isLong && savesLongRequests) notes.push({ kind: 'file', of: 'torch_req', name, bytes: new Uint8Array(message) })
    if (isKept) {
      const bytes = this.budget.spend(() => pbLogData.encode(recommendation.logData()))
      notes.push(bytes ? { kind: 'file', of: 'request_log', name, bytes } : { kind: 'file_dropped' })
    }
    return notes
  }
}

/** Milliseconds of each stage; `queue` is what came before the worker. */
function stagesOf({ stages: own }: Recommendation, { stages }: Work, elapsedMs: number): Record<string, number> {
  const { features = 0, lookup = 0, rank = 0, recall = 0 } = own
  const { decode, compute, encode } = stages
  const times = {
    queue: elapsedMs - decode - compute - encode,
    decode: decode - features - lookup,
    ...{ features, lookup, compute, rank, recall },
    encode: encode - rank - recall,
  }
  return Object.fromEntries(Object.entries(times).map(([stage, ms]) => [stage, Math.round(ms * 1000) / 1000]))
}

/** A client's id as part of a file's name. */
const fileNamePart = (id = '') =>
  id
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^\.+/, '')
    .slice(0, 100) || 'no-request-id'
