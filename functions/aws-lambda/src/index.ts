import { readFile } from 'node:fs/promises'
import { createLogger, createProcessor, loadServices, settingsFromEnv } from '@eas/processor'
import middy from '@middy/core'
import { fromEasResponse, type HttpEvent, type HttpResult, toEasRequest } from './event.ts'

const path = process.env.SERVICE_JSON || 'service.json'
// An instance has one request at a time, so nothing waits for the thread that computes it.
const settings = settingsFromEnv({ ...process.env, EAS_ISOLATION: process.env.EAS_ISOLATION || 'inline' })
const log = createLogger(settings.logLevel, false)
const { services, warnings } = await loadServices([{ path, text: await readFile(path, 'utf8') }], settings)
for (const { file, message } of warnings) log.warn({ file }, message)

const processor = createProcessor({ services, settings, log })
const waitMsMax = Math.max(...services.map(({ rpc }) => rpc.keepalive))

/** AWS Lambda behind a function URL or an HTTP API, payload format 2.0. */
export const handler = middy<HttpEvent, HttpResult>()
  .before(modelLoaded)
  .handler(async (event) => fromEasResponse(await processor.handle(toEasRequest(event))))

/**
 * Resolves when the model has loaded or failed, or after `rpc.keepalive`. It is asked for by each request rather than at
 * start: what runs between start and the first request may be frozen halfway, and a load that failed is tried again.
 */
function modelLoaded(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMsMax)
    void processor.load().then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
