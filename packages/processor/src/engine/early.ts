import { type Host, type HostEvents, startThread } from './thread-host.ts'

/** A worker that was started before anybody knew what for. */
interface Early {
  readonly host: Host
  /** To whom it reports, once somebody has taken it. */
  events: HostEvents | undefined
  /** Why it is not there any more. */
  death: string | undefined
}

let early: Early | undefined

/**
 * Starts a model's worker thread now, to be taken by the first model that needs one: it takes longer to come up, with ONNX
 * Runtime, than the configuration and the server to be read. Only for a program that is about to serve, and before anything
 * else. Where the environment asks for something else than threads (`isolations`), nothing happens.
 */
export function startEarly(env: NodeJS.ProcessEnv): void {
  // One service's model runs in a thread by itself.
  if (!['auto', 'thread', ''].includes(env.EAS_ISOLATION ?? '')) return
  const started: { -readonly [K in keyof Early]: Early[K] } = {
    events: undefined,
    death: undefined,
    host: startThread(
      {},
      {
        onMessage: (message) => started.events?.onMessage(message),
        onDeath(reason) {
          started.death = reason
          started.events?.onDeath(reason)
        },
      },
    ),
  }
  early = started
}

/** Runs a whole program behind `startEarly`; one that fails ends its worker first. */
export async function behindEarly(env: NodeJS.ProcessEnv, run: () => Promise<void>): Promise<void> {
  startEarly(env)
  try {
    await run()
  } catch (error) {
    await discardEarly()
    throw error
  }
}

/** The worker that was started early, if it is still to be had. */
export function takeEarly(events: HostEvents): Host | undefined {
  const taken = early
  early = undefined
  if (!taken || taken.death !== undefined) return undefined
  taken.events = events
  return taken.host
}

/** Nobody will need it. Resolves when it has ended: a process that ends before may be ended by it. */
export async function discardEarly(): Promise<void> {
  const { host } = early ?? {}
  early = undefined
  await host?.close()
}
