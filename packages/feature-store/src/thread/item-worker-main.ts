import { parentPort, workerData } from 'node:worker_threads'
import { serveItems } from './item-worker.ts'

/** For a thread that has nothing but items to do. */
if (parentPort) serveItems(parentPort, workerData) // item-thread.ts starts it with `ThreadData`
