import { parentPort, workerData } from 'node:worker_threads'
import { serveItems } from './item-worker.ts'

if (parentPort) serveItems(parentPort, workerData) // item-thread.ts starts it with `ThreadData`
