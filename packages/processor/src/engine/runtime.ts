import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { EasError, type Tensor } from '@eas/base'
import type { ItemData } from '@eas/feature-store'
import { type Compressor, compress, compressors, decompress, recogniseCompression } from '@eas/protocol'
import { createPipeline, type Pipeline, type PredictCall } from '../pipelines/index.ts'
import type { ModelInfo } from '../session.ts'
import { mergeCalls } from './batch.ts'
import type { LoadedModel } from './loaded-model.ts'
import type { ModelSpec, Outcome, PredictItem, WireError } from './messages.ts'
import { openModel } from './open-model.ts'

/** One loaded model on one thread: bytes in, bytes out. Blocks the thread while it computes. */
export interface Runtime {
  readonly info: ModelInfo
  /** Whether requests are better given several at a time. */
  readonly merges: boolean
  /** From now on, requests find these items. */
  useItems(data: ItemData): void
  /** Answers each item, in order unless it merges them; `report` is called once per item, as soon as its answer exists. */
  predict(
    items: readonly PredictItem[],
    isCancelled: (id: number) => boolean,
    report: (outcome: Outcome) => void,
  ): Promise<void>
}

export async function createRuntime(spec: ModelSpec): Promise<Runtime> {
  const model = await openModel(spec.files, spec)
  const { format, path, version } = spec.files
  // A SavedModel is a folder itself.
  const folder = format === 'savedmodel' ? path : dirname(path)
  const context = { info: model.info, folder, version }
  const pipeline = await createPipeline(spec.pipeline, context)
  // Sessions of a model that adapts come and go; what is computed together has to be for one. Rows of features are no rows of tensors.
  const merges = spec.batching && !model.adapt && pipeline.useItems === undefined && isBatchable(model.info)

  return {
    get info() {
      return model.info
    },
    merges,
    useItems: (data) => pipeline.useItems?.(data),
    async predict(items, isCancelled, report) {
      const jobs: Job[] = []
      for (const item of items) {
        const job = new Job(item, pipeline)
        try {
          if (isCancelled(item.id)) throw new EasError('client_closed', 'The client has gone')
          if (Date.now() > item.deadline) {
            throw new EasError('timeout', 'Deadline passed before the request was computed')
          }
          const adapting = job.decode(spec, model)
          if (adapting) await adapting
        } catch (thrown) {
          report(job.failed(thrown))
          continue
        }
        if (merges) jobs.push(job)
        else report(runOne(model, spec, job))
      }
      if (jobs.length > 0) runMerged(model, spec, jobs, report)
    },
  }
}

/** One request inside the worker, with the clock of its stages. */
class Job {
  readonly item: PredictItem
  call: PredictCall = noCall
  readonly stages = { decode: 0, compute: 0, encode: 0 }
  private readonly pipeline: Pipeline
  private md5Differs = false

  constructor(item: PredictItem, pipeline: Pipeline) {
    this.item = item
    this.pipeline = pipeline
  }

  /** Resolves later only where the request needs something fetched, or the model has to adapt to it first. */
  decode(spec: ModelSpec, model: LoadedModel): Promise<void> | undefined {
    const start = performance.now()
    const { pipeline } = this
    try {
      const { contentMd5, body } = this.item
      if (contentMd5 !== undefined) this.md5Differs = !md5Matches(contentMd5, body)
      if (this.md5Differs && spec.verifyMd5) {
        throw new EasError('invalid_request', 'Content-MD5 does not match the body')
      }
      const message = inflate(spec, pipeline, body)
      const preparing = pipeline.prepare?.(message)
      return preparing ? this.readPrepared(preparing, model, message) : this.read(model, message)
    } finally {
      this.stages.decode = performance.now() - start
    }
  }

  private async readPrepared(preparing: Promise<void>, model: LoadedModel, message: Uint8Array): Promise<void> {
    const start = performance.now()
    try {
      await preparing
      await this.read(model, message)
    } finally {
      this.stages.decode += performance.now() - start
    }
  }

  private read(model: LoadedModel, message: Uint8Array): Promise<void> | undefined {
    try {
      this.call = this.pipeline.decode(message, model.info)
      const asksNothing = this.call.fetches.length === 0 && model.info.outputs.length > 0
      if (asksNothing || model.accepts(this.call.feeds)) return undefined
    } catch (thrown) {
      if (!model.adapt || !(thrown instanceof EasError) || !this.pipeline.isMessage(message)) throw thrown
    }
    return model.adapt && this.adapt(model, message)
  }

  private async adapt(model: LoadedModel, message: Uint8Array): Promise<void> {
    const start = performance.now()
    const { pipeline } = this
    try {
      const { signature_name, output_filter } = pipeline.asksFor?.(message) ?? { signature_name: '', output_filter: [] }
      await model.adapt?.({ tensors: pipeline.tensorsOf(message), signature_name, output_filter })
      this.call = pipeline.decode(message, model.info)
      if (!model.accepts(this.call.feeds))
        throw new EasError('invalid_request', 'Cannot use the inputs: the model takes none of these shapes')
    } finally {
      this.stages.decode += performance.now() - start
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
    const notes = this.call.notes?.({ stages: this.stages, deadline: this.item.deadline }) ?? []
    return { id: this.item.id, body, headers, stages: this.stages, ...(notes.length > 0 && { notes }) }
  }

  failed(thrown: unknown): Outcome {
    const { id } = this.item
    const error = toWireError(thrown)
    const body = this.pipeline.encodeFailure?.(EasError.from(thrown))
    if (!body) return { id, error, stages: this.stages }
    const facts = { error: error.message, cause: error.cause }
    return {
      id,
      body,
      headers: undefined,
      stages: this.stages,
      notes: [{ kind: 'log', message: 'request failed', facts }],
    }
  }
}

const noCall: PredictCall = { feeds: new Map(), fetches: [], encode: () => new Uint8Array() }

const nothing: ReadonlyMap<string, Tensor> = new Map()

function runOne(model: LoadedModel, spec: ModelSpec, job: Job): Outcome {
  try {
    const start = performance.now()
    const { feeds, fetches } = job.call
    const results = fetches.length === 0 ? nothing : model.run(feeds, fetches)
    job.stages.compute = performance.now() - start
    return job.finished(spec, results)
  } catch (thrown) {
    return job.failed(job.call.refusal?.(thrown) ?? thrown)
  }
}

function runMerged(
  model: LoadedModel,
  spec: ModelSpec,
  jobs: readonly Job[],
  report: (outcome: Outcome) => void,
): void {
  for (const { call, members } of mergeCalls(jobs)) {
    let split: readonly ReadonlyMap<string, Tensor>[] | undefined
    const start = performance.now()
    if (members.length > 1) {
      try {
        split = call.split(model.run(call.feeds, call.fetches))
      } catch {
        // One request's values may be what failed; each is tried alone below, so that it does not fail its neighbours.
      }
    }
    const compute = performance.now() - start
    for (const [i, { job }] of members.entries()) {
      const results = split?.[i]
      if (!results) {
        report(runOne(model, spec, job))
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
    if (!(thrown instanceof EasError) || thrown.code !== 'invalid_request') throw thrown
    // A client that was never told of the decompressor, such as a warm-up file, sends the plain message.
    if (pipeline.isMessage(body)) return body
    const sent = compressorOf(body, inflatedBytesMax, pipeline)
    if (sent === undefined) throw thrown
    const facts = `the body is ${sent}, and metadata.rpc.decompressor is ${decompressor}`
    throw new EasError('invalid_request', `${thrown.message}; ${facts}`, { cause: thrown })
  }
}

function compressorOf(body: Uint8Array, bytesMax: number, pipeline: Pipeline): Compressor | undefined {
  try {
    return recogniseCompression(body, bytesMax, pipeline.isMessage)?.compressor
  } catch {
    return undefined // what is wrong has been found already
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
