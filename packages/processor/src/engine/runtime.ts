import { createHash } from 'node:crypto'
import { EasError, type Tensor } from '@eas/base'
import { type Compressor, compress, compressors, decompress, recogniseCompression } from '@eas/protocol'
import { createPipeline, type Pipeline, type PredictCall } from '../pipelines/index.ts'
import { createSession, type ModelInfo, type ModelSession } from '../session.ts'
import { mergeCalls } from './batch.ts'
import type { ModelSpec, Outcome, PredictItem, WireError } from './messages.ts'

/** One loaded model on one thread: bytes in, bytes out. Blocks the thread while it computes. */
export interface Runtime {
  readonly info: ModelInfo
  /** Whether requests are better given several at a time. */
  readonly merges: boolean
  /** Answers each item, in order unless it merges them; `report` is called once per item, as soon as its answer exists. */
  predict(items: readonly PredictItem[], isCancelled: (id: number) => boolean, report: (outcome: Outcome) => void): void
}

export async function createRuntime(spec: ModelSpec): Promise<Runtime> {
  const session = await createSession(spec.modelPath, spec)
  const pipeline = createPipeline(spec.pipeline)
  const { info } = session
  const merges = spec.batching && isBatchable(info)

  return {
    info,
    merges,
    predict(items, isCancelled, report) {
      const jobs: Job[] = []
      for (const item of items) {
        const job = new Job(item)
        try {
          if (isCancelled(item.id)) throw new EasError('client_closed', 'The client has gone')
          if (Date.now() > item.deadline) {
            throw new EasError('timeout', 'Deadline passed before the request was computed')
          }
          job.decode(spec, pipeline, info)
        } catch (thrown) {
          report(job.failed(thrown))
          continue
        }
        if (merges) jobs.push(job)
        else report(runOne(session, spec, job))
      }
      if (jobs.length > 0) runMerged(session, spec, jobs, report)
    },
  }
}

/** One request inside the worker, with the clock of its stages. */
class Job {
  readonly item: PredictItem
  call: PredictCall = noCall
  readonly stages = { decode: 0, compute: 0, encode: 0 }
  private md5Differs = false

  constructor(item: PredictItem) {
    this.item = item
  }

  decode(spec: ModelSpec, pipeline: Pipeline, info: ModelInfo): void {
    const start = performance.now()
    try {
      const { contentMd5, body } = this.item
      if (contentMd5 !== undefined) this.md5Differs = !md5Matches(contentMd5, body)
      if (this.md5Differs && spec.verifyMd5) {
        throw new EasError('invalid_request', 'Content-MD5 does not match the body')
      }
      this.call = pipeline.decode(inflate(spec, pipeline, body), info)
    } finally {
      this.stages.decode = performance.now() - start
    }
  }

  /** The outcome of results that are this request's own. */
  finished(spec: ModelSpec, results: ReadonlyMap<string, Tensor>): Outcome {
    const start = performance.now()
    const plain = this.call.encode(results)
    const compressor = this.md5Differs && spec.javaIsCompressed ? 'snappy' : spec.responseCompressor
    const body = compressor ? compress(compressor, plain) : plain
    // Java's isCompressed reads Snappy without a header, and `Content-Encoding` would only confuse what is in between.
    const headers = spec.responseCompressor === compressor ? compressionHeaders(compressor, plain.length) : undefined
    this.stages.encode = performance.now() - start
    return { id: this.item.id, body, headers, stages: this.stages }
  }

  failed(thrown: unknown): Outcome {
    return { id: this.item.id, error: toWireError(thrown), stages: this.stages }
  }
}

const noCall: PredictCall = { feeds: new Map(), fetches: [], encode: () => new Uint8Array() }

function runOne(session: ModelSession, spec: ModelSpec, job: Job): Outcome {
  try {
    const start = performance.now()
    const results = session.run(job.call.feeds, job.call.fetches)
    job.stages.compute = performance.now() - start
    return job.finished(spec, results)
  } catch (thrown) {
    return job.failed(thrown)
  }
}

function runMerged(
  session: ModelSession,
  spec: ModelSpec,
  jobs: readonly Job[],
  report: (outcome: Outcome) => void,
): void {
  for (const { call, members } of mergeCalls(jobs)) {
    let split: readonly ReadonlyMap<string, Tensor>[] | undefined
    const start = performance.now()
    if (members.length > 1) {
      try {
        split = call.split(session.run(call.feeds, call.fetches))
      } catch {
        // One request's values may be what failed; each is tried alone below, so that it does not fail its neighbours.
      }
    }
    const compute = performance.now() - start
    for (const [i, { job }] of members.entries()) {
      const results = split?.[i]
      if (!results) {
        report(runOne(session, spec, job))
        continue
      }
      job.stages.compute = compute
      try {
        report(job.finished(spec, results))
      } catch (thrown) {
        report(job.failed(thrown))
      }
    }
  }
}

/** Whether dimension 0 of everything is free, as a batch needs it. */
const isBatchable = (info: ModelInfo) =>
  [...info.inputs, ...info.outputs].every(({ shape }) => shape !== undefined && typeof shape[0] === 'string')

function inflate(spec: ModelSpec, pipeline: Pipeline, body: Uint8Array): Uint8Array {
  const { decompressor, inflatedBytesMax } = spec
  if (!decompressor) return recogniseCompression(body, inflatedBytesMax, pipeline.isMessage)?.bytes ?? body
  try {
    return decompress(decompressor, body, inflatedBytesMax)
  } catch (thrown) {
    // A client that was never told of the decompressor, such as a warm-up file, sends the plain message.
    if (thrown instanceof EasError && thrown.code === 'invalid_request' && pipeline.isMessage(body)) return body
    throw thrown
  }
}

/** Java drops the leading zeros of the digest; eas-wire 2.2. */
const md5Matches = (contentMd5: string, body: Uint8Array) =>
  createHash('md5').update(body).digest('hex') === contentMd5.trim().toLowerCase().padStart(32, '0')

function compressionHeaders(
  compressor: Compressor | undefined,
  plainBytes: number,
): Record<string, string> | undefined {
  if (!compressor) return undefined
  // An LZ4 block does not say how long it is, and has no Content-Encoding; Java's client reads its length here.
  if (compressor === 'lz4') return { 'x-lz4-original-length': String(plainBytes) }
  return { 'content-encoding': compressors[compressor].contentEncoding }
}

/** An error as it crosses to the main thread. */
export function toWireError(thrown: unknown): WireError {
  const { code, message, cause } = EasError.from(thrown)
  return cause === undefined
    ? { code, message }
    : { code, message, cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }
}
