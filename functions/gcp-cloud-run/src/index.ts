import { readFile } from 'node:fs/promises'
import { createHttpServer, endProcess } from '@eas/http-server'
import { createLogger, createProcessor, loadServices, settingsFromEnv } from '@eas/processor'

/**
 * Cloud Run kills a container 10 s after SIGTERM; the last of them is for the log.
 * @see Cloud Run "Container runtime contract", shutdown
 */
const graceMsMax = 9000

const path = process.env.SERVICE_JSON || 'service.json'
const settings = settingsFromEnv(process.env)
const log = createLogger(settings.logLevel, true)
const { services, warnings } = await loadServices([{ path, text: await readFile(path, 'utf8') }], settings)
for (const { file, message } of warnings) log.warn({ file }, message)

const processor = createProcessor({ services, settings, log })
const http = createHttpServer({ processor, bodyBytesMax: settings.bodyBytesMax })
process.once('SIGTERM', () => {
  log.info('draining')
  void endProcess(http, processor, log, Math.min(graceMsMax, ...services.map(({ graceMs }) => graceMs)))
})

const port = await http.listen(Number(process.env.PORT || 8080), '0.0.0.0')
log.info({ port }, 'listening')
// Meanwhile `/readyz` answers 503, and so the start-up probe keeps requests away.
await processor.load()
