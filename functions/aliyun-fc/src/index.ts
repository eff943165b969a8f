import { handleWithin, loadedWithin, platformLimits } from '@eas/event-sources'
import { startInstance } from './core.ts'
import { type Context, credentialsOf, fromEasResponse, type HttpResult, readEvent, toEasRequest } from './event.ts'

const instance = await startInstance({ runsOn: false })
const { processor, service, credentials } = instance

/** Function Compute 3.0, built-in Node.js runtime, HTTP trigger. */
export async function handler(event: Uint8Array | object, context: Context): Promise<HttpResult> {
  return credentials.with(credentialsOf(context), async () => {
    const request = toEasRequest(readEvent(event))
    await loadedWithin(processor, service.rpc.keepalive)
    return fromEasResponse(await handleWithin(processor, platformLimits.aliyunFcHandler, request))
  })
}

export const { initialize, preStop } = instance
