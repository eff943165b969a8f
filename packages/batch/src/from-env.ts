import { EasError } from '@eas/base'
import { openStore, StoreError, type StoreSettings } from '@eas/storage'
import { createBatch, type Place } from './batch.ts'
import { BatchError } from './batch-error.ts'
import { type ObjectReference, type ObjectScorer, objectScorer } from './object-scorer.ts'
import { batchOptionsFromEnv } from './options.ts'
import { type Service, serviceScorer } from './service-scorer.ts'

/** What a batch needs of the core of a function or a command: a processor, one of its services, and the stores. */
export interface BatchCore {
  readonly processor: Pick<Service, 'handle'> & {
    readiness(): { readonly services: readonly { readonly name: string; readonly version?: string }[] }
  }
  readonly service: {
    readonly name: string
    readonly token: string
    readonly workersMax: number
    readonly model: { readonly pipeline: { readonly kind: string } }
  }
  readonly stores: StoreSettings
  readonly log: BatchLog
}

export interface BatchLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** EAS's default of 5 s is for someone who waits; a batch would rather have its answer late than compute it again. */
const keepaliveMsMin = 600_000

/**
 * A service as a batch uses it: with more time for each call. Its workers stay as they are for requests, a core each unless
 * `worker_threads` says that there shall be fewer: one session with all cores waits for the slowest of them at the end of
 * every operator, and scores 0.86 to 0.93 of the rows.
 *
 * @param cores Default: those that the service has for requests, which `metadata.cpu` may make fewer than the machine's.
 */
export function batchService<
  S extends {
    readonly rpc: { readonly keepalive: number; readonly worker_threads: number }
    readonly workersMax: number
    readonly model: { readonly intraOpNumThreads: number }
  },
>(service: S, cores: number = service.model.intraOpNumThreads * service.workersMax): S {
  const { rpc, model } = service
  const workersMax = Math.min(rpc.worker_threads, cores)
  return {
    ...service,
    rpc: { ...rpc, keepalive: Math.max(rpc.keepalive, keepaliveMsMin) },
    workersMax,
    model: { ...model, intraOpNumThreads: Math.max(1, Math.floor(cores / workersMax)) },
  }
}

/** The service of a core, as a batch asks it. One that takes no tensors has recorded requests scored only. */
export function serviceOf({ processor, service }: Pick<BatchCore, 'processor' | 'service'>): Service {
  const { name, token, workersMax, model } = service
  const { kind } = model.pipeline
  return {
    name,
    token,
    message: kind === 'torch' || kind === 'tf' ? kind : 'recorded',
    handle: (request) => processor.handle(request),
    version: () => processor.readiness().services.find((state) => state.name === name)?.version ?? '',
    concurrency: workersMax + 1,
  }
}

/**
 * The scorer of a function that is handed events. `EAS_BATCH_OUTPUT` says where results go, `oss://bucket/prefix/`; further
 * variables are in `batchVariables`. Makes no request.
 *
 * @throws {EasError} `invalid_request` for settings that cannot be used.
 */
export function batchScorerFromEnv(core: BatchCore, env: Readonly<Record<string, string | undefined>>): ObjectScorer {
  try {
    const output = placeOf(env.EAS_BATCH_OUTPUT ?? '', core.stores)
    const batch = createBatch(serviceScorer(serviceOf(core)), output, batchOptionsFromEnv(env))
    const open = ({ scheme, bucket, key }: Pick<ObjectReference, 'scheme' | 'bucket' | 'key'>) =>
      openStore(`${scheme}://${bucket}/${key}`, core.stores)
    return objectScorer(batch, open, output, {
      done({ manifest, computedChunks }) {
        const { status, error, input, job, rows, failures, chunks } = manifest
        const fields = {
          input: input.url,
          job,
          rows,
          failures,
          chunks,
          computedChunks,
          ...(error !== undefined && { error }),
        }
        if (status === 'scored') core.log.info(fields, 'batch object scored')
        else core.log.warn(fields, `batch object ${status}`)
      },
      foreign: (input) =>
        core.log.warn(
          { input },
          'batch object not scored: it lies below EAS_BATCH_OUTPUT; give results a place of their own',
        ),
    })
  } catch (thrown) {
    if (!(thrown instanceof BatchError || thrown instanceof StoreError)) throw thrown
    throw new EasError('invalid_request', thrown.message, { cause: thrown })
  }
}

/** Where results go. @throws {BatchError} `unsupported` for no place. */
export function placeOf(url: string, stores: StoreSettings): Place {
  if (url === '')
    throw new BatchError('unsupported', 'Cannot write results: EAS_BATCH_OUTPUT must be scheme://bucket/prefix/')
  return openStore(url.replace(/\/+$/, ''), stores)
}
