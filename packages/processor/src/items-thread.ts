import { Worker } from 'node:worker_threads'
import type { ThreadData } from '@eas/feature-store'

/** Starts a thread that keeps a service's items: `engine/worker-main.ts`, as infra/bundle.ts puts it beside this code. */
export const startItemsThread = (workerData: ThreadData): Worker =>
  new Worker(new URL('./model-worker.js', import.meta.url), { name: 'items', workerData })
