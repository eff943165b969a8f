import { batchScorerFromEnv, batchService } from '@eas/batch'
import { loadedWithin, startCore, workOn } from '@eas/event-sources'
import { createHttpServer, endProcess } from '@eas/http-server'
import { eventExchange } from './event.ts'

/** @see index.ts */
const graceMsMax = 9000

/** Cloud Run's own default for a request. A Pub/Sub subscription must wait as long, so no longer than 600. */
const timeoutSDefault = 300

const core = await startCore(process.env, { runsOn: true, adapt: batchService })
const { processor, service, settings, log } = core
const scorer = batchScorerFromEnv(core, process.env)
const timeoutMs = Number(process.env.EAS_BATCH_TIMEOUT_S || timeoutSDefault) * 1000
const stop = new AbortController()

/** A service of its own, which only Eventarc and Pub/Sub may invoke: the platform checks who asks. */
const http = createHttpServer({
  processor,
  bodyBytesMax: settings.bodyBytesMax,
  begin: (head) =>
    head.method === 'POST'
      ? eventExchange(head, timeoutMs, log, async (items) => {
          const deadline = Date.now() + timeoutMs
          await loadedWithin(processor, timeoutMs)
          return workOn(items, { scorer, deadline, concurrency: service.workersMax, signal: stop.signal })
        })
      : processor.begin(head),
})
process.once('SIGTERM', () => {
  log.info('draining')
  const graceMs = Math.min(graceMsMax, service.graceMs)
  // What is not done soon is answered 500 in time, and delivered again.
  setTimeout(() => stop.abort(), graceMs / 2).unref()
  void endProcess(http, processor, log, graceMs)
})

const port = await http.listen(Number(process.env.PORT || 8080), '0.0.0.0')
log.info({ port }, 'listening')
await processor.load()
