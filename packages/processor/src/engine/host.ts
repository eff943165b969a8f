import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { takeEarly } from './early.ts'
import type { FromWorker } from './messages.ts'
import { disableTelemetry } from './telemetry.ts'
import { type Host, type HostEvents, startThread } from './thread-host.ts'

export type { Host, HostEvents } from './thread-host.ts'

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
  thread: (env, events) => (Object.keys(env).length === 0 && takeEarly(events)) || startThread(env, events),

  process(env, events) {
    disableTelemetry()
    const child = fork(fileURLToPath(entry), [], {
      env: { ...process.env, ...env },
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
    const ended = new Promise<void>((resolve) => {
      child.on('exit', (code, signal) => {
        died(`the model process ended with ${signal ?? `code ${code}`}`)
        resolve()
      })
    })
    return {
      post: (message) => void child.send(message, (error) => error && died(error.message)),
      close() {
        alive = false
        child.kill('SIGKILL')
        return ended
      },
    }
  },

  inline(env, events) {
    disableTelemetry()
    Object.assign(process.env, env)
    let alive = true
    // What computes is not loaded where it computes elsewhere.
    const server = import('./worker.ts').then(
      ({ ModelServer, turnIfSlow }) => new ModelServer((message) => alive && events.onMessage(message), turnIfSlow()),
    )
    return {
      // Later, as on any other host: whoever posts is not yet ready for an answer.
      post: (message) => void setImmediate(async () => (await server).receive(message)),
      close() {
        alive = false
        return Promise.resolve()
      },
    }
  },
}

/** `worker-main.ts` as infra/bundle.ts puts it beside this code. From source, only `inline` has what it needs. */
const entry = new URL('./model-worker.js', import.meta.url)
