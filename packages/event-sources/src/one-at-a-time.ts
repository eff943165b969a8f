/** What of a service says how many requests it computes at once. */
interface Workers {
  readonly workersMax: number
  readonly model: { readonly intraOpNumThreads: number }
}

/**
 * A service where instances are sent one request at a time, whatever `metadata.rpc.worker_threads` allows: its one worker has
 * the threads of all, so that no core is idle while it computes.
 */
export function oneAtATime<S extends Workers>(service: S): S {
  const { workersMax, model } = service
  return { ...service, workersMax: 1, model: { ...model, intraOpNumThreads: model.intraOpNumThreads * workersMax } }
}
