import { batchScorerFromEnv, batchService } from '@eas/batch'
import { failuresText, jobItems, startCore, workOn } from '@eas/event-sources'
import { downloadBytes, openStore } from '@eas/storage'

/** Cloud Run's default for a task. */
const timeoutSDefault = 600
/** A list of a million names of 250 bytes. */
const manifestBytesMax = 256 * 1024 * 1024
/** Left before Cloud Run ends the task. */
const marginMs = 5000

/**
 * One task of a Cloud Run job: its share of the objects that `EAS_MANIFEST` lists, a file or an object of a bucket. It exits with 1 when any
 * failed, so that Cloud Run runs it again; what is done already comes to the same result.
 */
const core = await startCore(process.env, { runsOn: true, adapt: batchService })
const { processor, service, log } = core
const scorer = batchScorerFromEnv(core, process.env)
const env = (name: string, fallback: number) => Number(process.env[name] || fallback)
const deadline = Date.now() + env('EAS_BATCH_TIMEOUT_S', timeoutSDefault) * 1000 - marginMs

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())

const manifest = openStore(process.env.EAS_MANIFEST || 'manifest.txt', core.stores)
const { bytes } = await downloadBytes(manifest.store, manifest.key, { maxBytes: manifestBytesMax })
const items = jobItems(
  Buffer.from(bytes).toString('utf8'),
  env('CLOUD_RUN_TASK_INDEX', 0),
  env('CLOUD_RUN_TASK_COUNT', 1),
)
await processor.load()
const options = { scorer, deadline, concurrency: service.workersMax, signal: stop.signal }
const result = await workOn(items, options)
if (result.failures.length > 0) log.error(failuresText(result, items.length))
log.info({ done: result.done.length, failed: result.failures.length }, 'task ended')
await processor.close()
log.flush(() => process.exit(result.failures.length > 0 ? 1 : 0))
