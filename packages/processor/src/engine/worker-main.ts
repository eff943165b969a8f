import { parentPort, workerData } from 'node:worker_threads'
import { serveParent } from './worker.ts'

/** What every thread and process of the processor runs: a model, or the items of a service. */
if (parentPort && workerData?.kind === 'items') {
  const port = parentPort
  void import('@eas/feature-store').then(({ serveItems }) => serveItems(port, workerData))
} else serveParent()
