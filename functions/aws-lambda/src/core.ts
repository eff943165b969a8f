import { type Core, type StartOptions, startCore } from '@eas/event-sources'

/**
 * The core of this instance. On Lambda the load begins with the instance, while others are still preparing it, and goes on in a thread of its own: the
 * 10 s of the init phase end it no more than a freeze, which only holds it up. Where instances are provisioned before
 * requests come, the phase is long enough to wait for it. Elsewhere importing this loads nothing.
 *
 * @see AWS Lambda "Lambda runtime environment", init phase; "Defined runtime environment variables"
 */
export async function lambdaCore(options: Pick<StartOptions, 'adapt'> = {}): Promise<Core> {
  const core = await startCore(process.env, { ...options, runsOn: false })
  if (process.env.AWS_LAMBDA_RUNTIME_API !== undefined) {
    const loading = core.processor.load()
    if (process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'provisioned-concurrency') await loading
  }
  return core
}
