import { invocationCredentials, startCore } from '@eas/event-sources'

/** Function Compute's context brings fresh credentials with each call: whoever reads a bucket asks these, every time. */
export const credentials = invocationCredentials()
const stores = { oss: { credentials: credentials.current } }

/** The core of this instance, for the built-in runtime. */
export const core = await startCore(process.env, { runsOn: false, stores })

/** Loads the model. @throws when it did not load, so that the platform does not take the instance for a good one. */
export async function initialize(): Promise<void> {
  await core.processor.load()
  const { ready, services } = core.processor.readiness()
  if (!ready) throw new Error(services.map(({ name, error }) => `${name}: ${error ?? 'not loaded'}`).join('; '))
}

/** What is under way is done; the log is out. */
export async function preStop(): Promise<void> {
  core.processor.drain()
  await core.processor.close()
  await new Promise<void>((resolve) => core.log.flush(() => resolve()))
}
