import { handleWithin, loadedWithin, platformLimits } from '@eas/event-sources'
import * as instance from './core.ts'
import { type Context, credentialsOf, fromEasResponse, type HttpResult, readEvent, toEasRequest } from './event.ts'

const { core, credentials } = instance
const { processor, service } = core

/** Function Compute 3.0, built-in Node.js runtime, HTTP trigger. */
export async function handler(event: Uint8Array | object, context: Context): Promise<HttpResult> {
  return credentials.with(credentialsOf(context), async () => {
    const request = toEasRequest(readEvent(event))
    await loadedWithin(processor, service.rpc.keepalive)
    return fromEasResponse(await handleWithin(processor, platformLimits.aliyunFcHandler, request))
  })
}

/** The initializer, called once before the first request. */
export const initialize = (context: Context) => credentials.with(credentialsOf(context), instance.initialize)

/** Called once before the instance ends. */
export const preStop = (context: Context) => credentials.with(credentialsOf(context), instance.preStop)
