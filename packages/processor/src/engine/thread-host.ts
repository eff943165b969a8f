import { Worker } from 'node:worker_threads'
import { ParentEnd } from './channel.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { disableTelemetry } from './telemetry.ts'

/** Where a model lives: something that takes messages, gives messages, and can die. */
export interface Host {
  post(message: ToWorker): void
  /** Of a host whose answers can be looked for: see `ParentEnd`. */
  readonly answers?: Pick<ParentEnd, 'watch' | 'look'>
  /** Ends it, once what it is computing is computed. Nothing is reported afterwards. */
  close(): Promise<void>
}

export interface HostEvents {
  onMessage(message: FromWorker): void
  /** It died by itself; `reason` is one line. */
  onDeath(reason: string): void
}

/** A host that is a worker thread. `env` is added to its environment. */
export function startThread(env: Readonly<Record<string, string>>, events: HostEvents): Host {
  disableTelemetry()
  let alive = true
  const channel = new ParentEnd((message) => alive && events.onMessage(message))
  const worker = new Worker(entry, {
    env: { ...process.env, ...env },
    name: 'model',
    // The kind of an `--eval` would be taken for the worker's. Otherwise it has the process's own: V8's cannot be named here.
    ...(process.execArgv.some((arg) => arg.startsWith('--input-type')) && { execArgv: [] }),
    workerData: channel.data,
    transferList: [channel.data.port],
  })
  const died = (reason: string) => {
    if (alive) events.onDeath(reason)
    alive = false
    channel.close()
  }
  worker.on('error', (error) => died(error.message))
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      died(`the worker thread ended with code ${code}`)
      resolve()
    })
  })
  return {
    post: (message) => channel.post(message),
    answers: channel,
    // Asked, not terminated: ONNX Runtime's binding aborts the process when its thread is ended within a call.
    close() {
      alive = false
      channel.post({ kind: 'close' })
      return ended
    },
  }
}

/** `worker-main.ts` as infra/bundle.ts puts it beside this code. */
const entry = new URL('./model-worker.js', import.meta.url)
