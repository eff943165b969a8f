import { EasError, easStatus } from '@eas/base'
import type { EasRequest, EasRequestHead, EasResponse } from '@eas/protocol'
import { authorize } from './authorize.ts'
import { discoveryReply } from './discovery.ts'
import type { EngineEvent } from './engine/engine.ts'
import type { Logger } from './log.ts'
import { createMetrics } from './metrics.ts'
import { type BasePath, parseTarget, type Route } from './route.ts'
import { notReady, type Served, Service, type ServiceSpec } from './service.ts'
import type { Settings } from './settings.ts'
import { signatureJson } from './signature-json.ts'
import type { Stages } from './stages.ts'

export interface Processor {
  /** Loads every model. Resolves when each has loaded or failed; the failures are in `readiness`. */
  load(): Promise<void>
  /**
   * Answers a request that has come whole. Never rejects: every failure is a response.
   * @param context When its first byte came (clock of `performance.now()`, default now), and a signal of the client's leaving.
   */
  handle(request: EasRequest, context?: RequestContext): Promise<EasResponse>
  /** The answer that no body can change, so that none need be read: a wrong path or token, a full queue. */
  preflight(head: EasRequestHead): EasResponse | undefined
  /** Milliseconds that a request with this head may take in all, its body included. */
  timeoutMs(head: EasRequestHead): number
  /** An answer to what never became a request, such as a body that did not arrive in time; counted and logged alike. */
  refuse(head: EasRequestHead | undefined, error: EasError, receivedAt: number): EasResponse
  readiness(): Readiness
  /** From now on `/readyz` answers 503, so that a load balancer looks elsewhere. Predictions that still come are answered. */
  drain(): void
  close(): void
}

export interface RequestContext {
  readonly receivedAt?: number
  readonly signal?: AbortSignal
}

export interface Readiness {
  readonly ready: boolean
  readonly services: readonly ServiceReadiness[]
}

export interface ServiceReadiness {
  readonly name: string
  readonly state: 'loading' | 'ready' | 'failed' | 'draining'
  readonly execution_provider?: string
  readonly workers?: number
  readonly loadMs?: number
  readonly error?: string
}

export interface ProcessorOptions {
  readonly services: readonly ServiceSpec[]
  readonly settings: Settings
  readonly log: Logger
}

/** The inference core that every platform shares: a request in, a response out. */
export function createProcessor({ services: specs, settings, log }: ProcessorOptions): Processor {
  const services = new Map<string, Service>()
  for (const spec of specs) {
    const service = new Service(spec, (event) => logEngineEvent(log, spec.name, event))
    for (const name of spec.group === undefined ? [spec.name] : [spec.name, spec.group]) {
      if (services.has(name)) throw new EasError('invalid_request', `Two services are called ${name}`)
      services.set(name, service)
    }
  }
  const all = new Set(services.values())
  const basePaths = parseBasePaths(settings.basePaths, specs)
  const authorizeOptions = {
    basePaths: basePaths.map((base) => base.path),
    dateSkewSecondsMax: settings.dateSkewSecondsMax,
    now: Date.now,
  }
  const looksAtMd5 = settings.contentMd5 === 'verify' || settings.javaIsCompressed === 'on'
  let draining = false

  const metrics = createMetrics(() =>
    [...all].map((service) => {
      const state = service.state()
      return {
        name: service.spec.name,
        queued: service.queued,
        workers: state.state === 'ready' ? state.workers : 0,
        ready: state.state === 'ready',
      }
    }),
  )

  /** What the head alone decides: where to, and whether it may. */
  function enter(head: EasRequestHead): { readonly route: Route; readonly service: Service | undefined } {
    const route = parseTarget(head.target, basePaths)
    const named = 'service' in route ? services.get(route.service) : undefined
    if ('service' in route && !named) throw new EasError('not_found', 'Service not found')
    if (head.method === 'HEAD') return { route, service: named }
    if (route.kind === 'predict' && named?.spec.token) authorize(head, named.spec.token, authorizeOptions)
    if (route.kind === 'metrics') authorizeAny(head)
    const methods = route.kind === 'predict' ? 'GET, HEAD, POST' : 'GET, HEAD'
    if (!methods.split(', ').includes(head.method)) {
      throw new EasError('method_not_allowed', `Method not allowed: use ${methods}`)
    }
    return { route, service: named }
  }

  function authorizeAny(head: EasRequestHead) {
    const tokens = new Set(specs.map((spec) => spec.token))
    if (tokens.has('')) return
    // Prometheus can only send a token with a scheme before it.
    const { authorization } = head.headers
    const bare = { ...head, headers: { ...head.headers, authorization: authorization?.replace(/^Bearer /i, '') } }
    let refused: unknown
    for (const token of tokens) {
      try {
        return authorize(bare, token, authorizeOptions)
      } catch (thrown) {
        refused = thrown
      }
    }
    throw refused
  }

  async function answer(request: EasRequest, context: RequestContext, receivedAt: number): Promise<Answer> {
    const { route, service } = enter(request)
    const label = service?.spec.name ?? ''
    if (request.method === 'HEAD') return { response: text(200, ''), label }
    switch (route.kind) {
      case 'healthz':
        return { response: text(200, 'ok\n'), label }
      case 'readyz': {
        const readiness = readinessNow()
        return { response: json(readiness.ready ? 200 : 503, JSON.stringify(readiness)), label }
      }
      case 'metrics':
        return { response: respond(200, metrics.contentType, encode(await metrics.render())), label }
      case 'discovery':
        return {
          response: json(200, discoveryReply(route.service, settings.publicEndpoint || request.headers.host)),
          label,
        }
      case 'predict':
        return predict(service as Service, request, context, receivedAt) // `enter` found it
    }
  }

  async function predict(
    service: Service,
    request: EasRequest,
    context: RequestContext,
    receivedAt: number,
  ): Promise<Answer> {
    const state = service.state()
    if (state.state !== 'ready') throw notReady(state)
    const label = service.spec.name
    if (request.method === 'GET' || request.body.length === 0) {
      return { response: json(200, signatureJson(state.info, service.spec.signature_name)), label }
    }
    const served = await service.predict({
      body: request.body,
      contentMd5: looksAtMd5 ? request.headers['content-md5'] : undefined,
      receivedAt,
      signal: context.signal,
    })
    return { response: toResponse(served), label, stages: served.stages, error: served.result }
  }

  function readinessNow(): Readiness {
    const readiness = [...all].map((service): ServiceReadiness => {
      const { name } = service.spec
      const state = service.state()
      if (draining) return { name, state: 'draining' }
      if (state.state === 'failed') return { name, state: 'failed', error: state.error.message }
      if (state.state === 'loading') return { name, state: 'loading' }
      const { execution_provider, loadMs } = state.info
      return { name, state: 'ready', execution_provider, workers: state.workers, loadMs: Math.round(loadMs) }
    })
    return { ready: readiness.every(({ state }) => state === 'ready'), services: readiness }
  }

  /** The name under which a request is counted: a service that exists, or nothing, so that a client cannot add labels. */
  function labelOf(head: EasRequestHead | undefined): string {
    if (!head) return ''
    try {
      const route = parseTarget(head.target, basePaths)
      return 'service' in route ? (services.get(route.service)?.spec.name ?? '') : ''
    } catch {
      return ''
    }
  }

  function record(head: EasRequestHead | undefined, requestBytes: number, answered: Answer, receivedAt: number) {
    const { response, label: service, stages, error } = answered
    const status = error instanceof EasError ? error.status : response.status
    const ms = performance.now() - receivedAt
    metrics.observe(service, status, stages, ms, { request: requestBytes, response: response.body.length })
    const failure = error instanceof EasError ? error : undefined
    const isProbe = head?.method === 'GET' && service === ''
    const level = failure?.code === 'internal' ? 'error' : isProbe ? 'debug' : 'info'
    if (!log.isLevelEnabled(level)) return
    log[level](
      {
        service,
        method: head?.method,
        status,
        ms: round(ms),
        ...(stages && { stages: roundStages(stages) }),
        requestBytes,
        responseBytes: response.body.length,
        request_id: head?.headers['x-request-id'],
        ...(failure && { error: failure.message }),
        ...(failure?.code === 'internal' && { cause: describeCause(failure.cause) }),
      },
      'request',
    )
  }

  return {
    async load() {
      await Promise.allSettled([...all].map((service) => service.load()))
    },
    async handle(request, context = {}) {
      const receivedAt = context.receivedAt ?? performance.now()
      let answered: Answer
      try {
        answered = await answer(request, context, receivedAt)
      } catch (thrown) {
        const error = EasError.from(thrown)
        answered = { response: errorResponse(error), label: labelOf(request), error }
      }
      record(request, request.body.length, answered, receivedAt)
      return request.method === 'HEAD' ? { ...answered.response, body: nothing } : answered.response
    },
    preflight(head) {
      const receivedAt = performance.now()
      try {
        const { route, service } = enter(head)
        if (head.method !== 'POST' || route.kind !== 'predict') return undefined
        service?.checkOpen()
        return undefined
      } catch (thrown) {
        return this.refuse(head, EasError.from(thrown), receivedAt)
      }
    },
    timeoutMs(head) {
      try {
        const route = parseTarget(head.target, basePaths)
        const service = 'service' in route ? services.get(route.service) : undefined
        return service?.spec.rpc.keepalive ?? otherTimeoutMs
      } catch {
        return otherTimeoutMs
      }
    },
    refuse(head, error, receivedAt) {
      const answered = { response: errorResponse(error), label: labelOf(head), error }
      record(head, 0, answered, receivedAt)
      return answered.response
    },
    readiness: readinessNow,
    drain() {
      draining = true
    },
    close() {
      for (const service of all) service.close()
    },
  }
}

/** EAS's default of `metadata.rpc.keepalive`, for requests that are no service's. */
const otherTimeoutMs = 5000

interface Answer {
  readonly response: EasResponse
  /** The service it is counted for; empty for none. */
  readonly label: string
  readonly stages?: Stages
  readonly error?: Served['result'] | EasError
}

const nothing = new Uint8Array()
const encoder = new TextEncoder()
const encode = (content: string) => encoder.encode(content)

const respond = (status: number, contentType: string, body: Uint8Array): EasResponse => ({
  status,
  headers: { 'content-type': contentType },
  body,
})
const text = (status: number, body: string) => respond(status, 'text/plain; charset=utf-8', encode(body))
const json = (status: number, body: string) => respond(status, 'application/json; charset=utf-8', encode(body))

function toResponse({ result }: Served): EasResponse {
  if (result instanceof EasError) return errorResponse(result)
  const headers = { 'content-type': 'application/octet-stream', ...result.headers }
  return { status: 200, headers, body: result.body }
}

/** Statuses after which EAS closes the connection; eas-service 2. */
const closing: ReadonlySet<number> = new Set([easStatus.timeout, easStatus.queue_full])

/** A failure as EAS clients show it: its status, and one line of text. */
export function errorResponse(error: EasError): EasResponse {
  const response = text(error.status, error.message)
  const headers: Record<string, string> = { ...response.headers }
  if (closing.has(error.status)) headers.connection = 'close'
  if (error.code === 'method_not_allowed') headers.allow = 'GET, HEAD, POST'
  if (error.code === 'not_ready') headers['retry-after'] = '1'
  return { ...response, headers }
}

function parseBasePaths(entries: readonly string[], specs: readonly ServiceSpec[]): readonly BasePath[] {
  return entries
    .map((entry) => {
      const [path = '', service = specs.length === 1 ? specs[0]?.name : undefined] = entry.split('=')
      if (!path.startsWith('/') || service === undefined) {
        throw new EasError('invalid_request', `Cannot use base path ${entry}: it must be /path, or /path=service`)
      }
      return { path: path.replace(/\/+$/, ''), service }
    })
    .sort((a, b) => b.path.length - a.path.length)
}

function logEngineEvent(log: Logger, service: string, event: EngineEvent) {
  if (event.kind === 'loaded') {
    const { execution_provider, loadMs, warnings, inputs, outputs } = event.info
    for (const warning of warnings) log.warn({ service }, warning)
    const names = { inputs: inputs.map(({ name }) => name), outputs: outputs.map(({ name }) => name) }
    log.info({ service, execution_provider, loadMs: round(loadMs), workers: event.workers, ...names }, 'model loaded')
  } else if (event.kind === 'load_failed') {
    log.error({ service, error: event.error.message, retryInMs: event.retryInMs }, 'model not loaded')
  } else {
    const { reason, lost, retryInMs } = event
    log.error({ service, reason, lost, retryInMs }, 'model worker died')
  }
}

const describeCause = (cause: unknown) =>
  cause instanceof Error ? cause.stack : cause === undefined ? undefined : String(cause)
const round = (ms: number) => Math.round(ms * 1000) / 1000
const roundStages = (stages: Stages) => ({
  receive: round(stages.receive),
  queue: round(stages.queue),
  decode: round(stages.decode),
  compute: round(stages.compute),
  encode: round(stages.encode),
})
