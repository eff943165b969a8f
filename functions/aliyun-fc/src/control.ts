import { aliyunWork, type Core, failuresText, loadedWithin, parsed, type Scorer, workOn } from '@eas/event-sources'
import type { Exchange } from '@eas/processor'
import type { EasRequestHead, EasResponse } from '@eas/protocol'
import type { Credentials } from '@eas/storage'
import { flushed, loadOrThrow } from './core.ts'

/** Left before the platform ends the invocation. */
const marginMs = 1000
/** Limits of the two hooks. @see Alibaba Cloud "Function Compute: limits" */
const initializerMs = 300_000
const preStopMs = 90_000

export interface ControlOptions {
  readonly core: Core
  /** `undefined` where `EAS_BATCH_OUTPUT` is not set: events are then refused. */
  readonly scorer: Scorer | undefined
  /** Resolves when nothing else is under way. */
  readonly idle: () => Promise<void>
}

/** A call of the platform's own: how long it may take, and what it does. */
interface Control {
  readonly timeoutMs: (head: EasRequestHead) => number
  readonly run: (options: ControlOptions, body: Uint8Array, timeoutMs: number) => Promise<string>
}

/** @see Alibaba Cloud "Custom Container: request handling", "Lifecycle hooks" */
const controls: Readonly<Record<string, Control>> = {
  '/initialize': {
    timeoutMs: () => initializerMs,
    async run({ core }) {
      await loadOrThrow(core)
      return 'initialized'
    },
  },
  '/invoke': {
    timeoutMs: ({ headers }) => Number(headers['x-fc-function-timeout'] || 60) * 1000 - marginMs,
    async run({ core: { processor, service }, scorer }, body, timeoutMs) {
      if (!scorer) throw new Error('Events are not served: EAS_BATCH_OUTPUT is not set')
      const deadline = Date.now() + timeoutMs
      const items = aliyunWork(parsed(Buffer.from(body).toString('utf8')))
      if (!items) throw new Error('Cannot read the event: it is not of OSS and names no object')
      await loadedWithin(processor, timeoutMs)
      const result = await workOn(items, { scorer, deadline, concurrency: service.workersMax })
      if (result.failures.length > 0) throw new Error(failuresText(result, items.length))
      return JSON.stringify({ done: result.done.length })
    },
  },
  '/pre-stop': {
    timeoutMs: () => preStopMs,
    async run({ core, idle }) {
      core.processor.drain()
      await idle()
      await flushed(core)
      return 'stopped'
    },
  },
  '/pre-freeze': {
    timeoutMs: () => preStopMs,
    async run({ core }) {
      await flushed(core)
      return 'flushed'
    },
  },
}

/**
 * The platform's own calls to a custom container; `undefined` for everything else, which is a client's. They are told by
 * `x-fc-control-path`, never by the path: the platform drops a client's `x-fc-*` headers, and what a client sends to `/invoke`
 * comes as `/http-invoke`. A failure is signalled by `X-Fc-Status`; without it the platform counts the call as a success.
 */
export function beginControl(head: EasRequestHead, options: ControlOptions): Exchange | undefined {
  const path = head.headers['x-fc-control-path'] ?? ''
  const control = Object.hasOwn(controls, path) ? controls[path] : undefined
  if (!control) return undefined
  const timeoutMs = control.timeoutMs(head)
  const failed = (status: number, message: string): EasResponse => {
    options.core.log.error(message)
    return respond(status, message, { 'x-fc-status': '404' })
  }
  return {
    refusal: undefined,
    timeoutMs,
    fail: ({ status, message }) => failed(status, message),
    async finish(body) {
      try {
        return respond(200, await control.run(options, body, timeoutMs))
      } catch (thrown) {
        return failed(500, thrown instanceof Error ? thrown.message : String(thrown))
      }
    },
  }
}

const respond = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): EasResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body: Buffer.from(text),
})

/** @see "Custom Container: request handling", common headers */
export function credentialsOf({ headers }: EasRequestHead): Credentials | undefined {
  const accessKeyId = headers['x-fc-access-key-id']
  const accessKeySecret = headers['x-fc-access-key-secret']
  const securityToken = headers['x-fc-security-token']
  if (!accessKeyId || !accessKeySecret) return undefined
  return { accessKeyId, secretAccessKey: accessKeySecret, sessionToken: securityToken }
}
