import { startChild } from './child.ts'

/** Requests to one server. */
export interface Load {
  readonly port: number
  /** Whole HTTP/1.1 requests, head and body, sent in turn. */
  readonly requests: readonly Uint8Array[]
  /** Connections, each with one request at a time; kept alive for as long as the server lets them. */
  readonly connections: number
  /** It ends after so many requests, or once so many milliseconds are over. */
  readonly until: { readonly count: number } | { readonly ms: number }
  /** Milliseconds a connection rests after an answer. Default 0. */
  readonly restMs?: number
}

export interface LoadResult {
  /** Milliseconds from the attempt to send, a connection not yet open included, to the last byte of the answer, by status. */
  readonly latenciesMs: ReadonlyMap<number, Float64Array>
  /** From the first request to the last answer. */
  readonly elapsedMs: number
}

/** Sends requests from a process of its own, so that neither the benchmark's nor the server's event loop is shared. */
export interface LoadClient {
  run(load: Load): Promise<LoadResult>
  stop(): Promise<void>
}

export function startLoad(): LoadClient {
  const child = startChild<Load, LoadResult>('load-client.ts')
  return { run: (load) => child.ask(load), stop: () => child.stop() }
}

/** The latencies of a load that was to be answered 200 throughout. @throws When another status came. */
export function allOk({ latenciesMs }: LoadResult): Float64Array {
  const ok = latenciesMs.get(200)
  if (!ok || latenciesMs.size !== 1) throw new Error(`Cannot use the run: answers were ${countsOf(latenciesMs)}`)
  return ok
}

export const countsOf = (latenciesMs: LoadResult['latenciesMs']): string =>
  [...latenciesMs].map(([status, { length }]) => `${length} x ${status}`).join(', ') || 'none'
