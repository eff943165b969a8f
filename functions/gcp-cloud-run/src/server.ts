import { beginWithin, platformLimits, startCore } from '@eas/event-sources'
import { createHttpServer, endProcess } from '@eas/http-server'

/**
 * Cloud Run kills a container 10 s after SIGTERM; the last of them is for the log.
 * @see Cloud Run "Container runtime contract", shutdown
 */
const graceMsMax = 9000

/** Resolves when the model is loaded; the process goes on until it is told to end. */
export async function serve(): Promise<void> {
  const { processor, service, settings, log } = await startCore(process.env, { runsOn: true })
  const http = createHttpServer({
    processor,
    bodyBytesMax: settings.bodyBytesMax,
    begin: (head) => beginWithin(processor, platformLimits.cloudRun, head),
  })
  process.once('SIGTERM', () => {
    log.info('draining')
    void endProcess(http, processor, log, Math.min(graceMsMax, service.graceMs))
  })

  const port = await http.listen(Number(process.env.PORT || 8080), '0.0.0.0')
  log.info({ port }, 'listening')
  // Meanwhile `/readyz` answers 503, and so the start-up probe keeps requests away.
  await http.load()
}
