import {
  type Core,
  type InvocationCredentials,
  invocationCredentials,
  type StartOptions,
  startCore,
} from '@eas/event-sources'
import { type Context, credentialsOf } from './event.ts'

/** An instance of the built-in runtime, and the hooks that the platform calls around its requests. */
export interface Instance extends Core {
  readonly credentials: InvocationCredentials
  /** The initializer, called once before the first request. @throws when the model does not load. */
  initialize(context: Context): Promise<void>
  /** Called once before the instance ends. */
  preStop(context: Context): Promise<void>
}

/** Function Compute's context brings fresh credentials with each call: whoever reads a bucket asks these, every time. */
export async function startInstance(options: Omit<StartOptions, 'stores'>): Promise<Instance> {
  const credentials = invocationCredentials()
  const core = await startCore(process.env, { ...options, stores: { oss: { credentials: credentials.current } } })
  return {
    ...core,
    credentials,
    initialize: (context) => credentials.with(credentialsOf(context), () => loadOrThrow(core)),
    preStop: (context) =>
      credentials.with(credentialsOf(context), async () => {
        core.processor.drain()
        await core.processor.close()
        await flushed(core)
      }),
  }
}

/** @throws saying why, so that the platform does not take the instance for a good one. */
export async function loadOrThrow({ processor }: Pick<Core, 'processor'>): Promise<void> {
  await processor.load()
  const { ready, services } = processor.readiness()
  if (!ready) throw new Error(services.map(({ name, error }) => `${name}: ${error ?? 'not loaded'}`).join('; '))
}

/** Resolves when the log is out. */
export const flushed = ({ log }: Pick<Core, 'log'>): Promise<void> =>
  new Promise((resolve) => log.flush(() => resolve()))
