import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './messages.ts'
import { serveMessages } from './worker.ts'

/** Where a model lives: something that takes messages, gives messages, and can die. */
export interface Host {
  post(message: ToWorker, transfer: ArrayBuffer[]): void
  /** Ends it now, whatever it is doing. Nothing is reported afterwards. */
  kill(): void
}

export interface HostEvents {
  onMessage(message: FromWorker): void
  /** It died by itself; `reason` is one line. */
  onDeath(reason: string): void
}

/**
 * - `thread`: a worker thread. The fastest; a native crash ends the whole process, and the platform starts another.
 * - `process`: a child process. A native crash ends that model's process alone; each request is copied twice.
 * - `inline`: the calling thread, which is blocked while a model computes. For a single request at a time, and tests.
 */
export const isolations = ['thread', 'process', 'inline'] as const
export type Isolation = (typeof isolations)[number]

/** `env` is added to the host's environment: `processor_envs`. */
export type StartHost = (env: Readonly<Record<string, string>>, events: HostEvents) => Host

export const startHost: { readonly [I in Isolation]: StartHost } = {
  thread(env, events) {
    const worker = new Worker(entry, { env: { ...process.env, ...env }, execArgv, name: 'model' })
    let alive = true
    const died = (reason: string) => {
      if (alive) events.onDeath(reason)
      alive = false
    }
    worker.on('message', (message: FromWorker) => alive && events.onMessage(message))
    worker.on('error', (error) => died(error.message))
    worker.on('exit', (code) => died(`the worker thread ended with code ${code}`))
    return {
      post: (message, transfer) => worker.postMessage(message, transfer),
      kill() {
        alive = false
        void worker.terminate()
      },
    }
  },

  process(env, events) {
    const child = fork(fileURLToPath(entry), [], {
      env: { ...process.env, ...env },
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    let alive = true
    const died = (reason: string) => {
      if (alive) events.onDeath(reason)
      alive = false
    }
    child.on('message', (message) => alive && events.onMessage(message as FromWorker)) // the child runs worker-main.ts
    child.on('error', (error) => died(error.message))
    child.on('exit', (code, signal) => died(`the model process ended with ${signal ?? `code ${code}`}`))
    return {
      post: (message) => void child.send(message, (error) => error && died(error.message)),
      kill() {
        alive = false
        child.kill('SIGKILL')
      },
    }
  },

  inline(env, events) {
    Object.assign(process.env, env)
    let alive = true
    const serve = serveMessages((message) => alive && events.onMessage(message))
    return {
      post: (message) => serve(message),
      kill() {
        alive = false
      },
    }
  },
}

// Bundled, the worker stands beside this file as JavaScript; from source, tsx reads it.
const fromSource = import.meta.url.endsWith('.ts')
const entry = new URL(fromSource ? './worker-main.ts' : './model-worker.js', import.meta.url)
const execArgv = fromSource ? ['--import', 'tsx'] : []
