import { EasError } from '@eas/base'
import { batchScorerFromEnv, batchService } from '@eas/batch'
import { aliyunWork, failuresText, loadedWithin, workOn } from '@eas/event-sources'
import { startInstance } from './core.ts'
import { type Context, credentialsOf, readEvent } from './event.ts'

/** Left before the platform ends the invocation. */
const marginMs = 1000
/** Function Compute's default, in seconds. */
const timeoutSDefault = 3

const instance = await startInstance({ runsOn: false, adapt: batchService })
const { processor, service, credentials } = instance
const scorer = batchScorerFromEnv(instance, process.env)

/**
 * Function Compute 3.0, built-in Node.js runtime, OSS trigger, EventBridge or asynchronous task.
 * @throws when anything failed: the platform knows no parts, and calls again; what is done comes to the same result.
 */
export async function handler(event: Uint8Array | object, context: Context): Promise<{ readonly done: number }> {
  return credentials.with(credentialsOf(context), async () => {
    const items = aliyunWork(readEvent(event))
    if (!items) throw new EasError('invalid_request', 'Cannot read the event: it is not of OSS and names no object')
    const deadline = Date.now() + (context.function?.timeout ?? timeoutSDefault) * 1000 - marginMs
    await loadedWithin(processor, deadline - Date.now())
    const result = await workOn(items, { scorer, deadline, concurrency: service.workersMax })
    if (result.failures.length > 0) throw new EasError('internal', failuresText(result, items.length))
    return { done: result.done.length }
  })
}

export const { initialize, preStop } = instance
