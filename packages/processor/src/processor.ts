import { assert, EasError, easStatus } from '@eas/base'
import type { ItemCacheStatus } from '@eas/feature-store'
import type { EasRequest, EasRequestHead, EasResponse } from '@eas/protocol'
import { authorize } from './authorize.ts'
import { discoveryReply } from './discovery.ts'
import type { Logger } from './log.ts'
import { MemoryBudget } from './memory-budget.ts'
import { createMetrics } from './metrics.ts'
import { Recorder } from './recorder.ts'
import { type Carry, rehearse } from './rehearsal.ts'
import { type BasePath, parseTarget, type Route } from './route.ts'
import { type Client, Service, type ServiceEvent, type ServiceSpec } from './service.ts'
import type { Settings } from './settings.ts'
import { signatureJson } from './signature-json.ts'
import type { Stages } from './stages.ts'
import type { WarmUpReport } from './warm-up/replay.ts'

export interface Processor {
  /**
   * Loads every model, unless they are loaded lazily. Resolves when each has loaded or failed; the failures are in `readiness`.
   *
   * @param carry How a request comes from a client to the core, to rehearse it with a warm-up request before `/readyz` is 200.
   */
  load(carry?: Carry): Promise<void>
  /** Answers a request that has come whole. Never rejects: every failure is a response. */
  handle(request: EasRequest): Promise<EasResponse>
  /** Begins with a request whose body has yet to come. */
  begin(head: EasRequestHead): Exchange
  readiness(): Readiness
  /** From now on `/readyz` answers 503, so that a load balancer looks elsewhere. Predictions that still come are answered. */
  drain(): void
  /** Resolves when every worker has ended, which is after what it is computing. */
  close(): Promise<void>
}

/** One request in two steps: its head has been looked at, its body is awaited. One of the three answers it. */
export interface Exchange {
  /** The answer that no body can change, so that none need be read: a wrong path or token, a full queue. */
  readonly refusal: EasResponse | undefined
  /** Milliseconds that the request may take in all, its body included. */
  readonly timeoutMs: number
  /** Never rejects. @param client Told to when it leaves, so that nothing is computed for it. */
  finish(body: Uint8Array, client?: Client): Promise<EasResponse>
  /** The answer to a body that never came whole. */
  fail(error: EasError): EasResponse
}

export interface Readiness {
  readonly ready: boolean
  readonly services: readonly ServiceReadiness[]
}

export interface ServiceReadiness {
  readonly name: string
  /** `idle`: its model is loaded when it is asked for. */
  readonly state: 'idle' | 'loading' | 'ready' | 'failed' | 'draining'
  /** Of the model, as its origin names it. */
  readonly version?: string
  readonly execution_provider?: string
  readonly workers?: number
  readonly loadMs?: number
  /** What was replayed before the model was ready, and what it bought. */
  readonly warm_up?: WarmUpReport
  /** Of its item features: how many, as of when, and why they are no newer. */
  readonly items?: ItemCacheStatus
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
    const service: Service = new Service(spec, {
      onEvent: (event) => logServiceEvent(log, spec.name, event),
      onLoaded: () => void budget.fit(service),
      onIdle: () => void budget.fit(service),
    })
    for (const name of spec.group === undefined ? [spec.name] : [spec.name, spec.group]) {
      if (services.has(name)) throw new EasError('invalid_request', `Two services are called ${name}`)
      services.set(name, service)
    }
  }
  const all = new Set(services.values())
  const budget = new MemoryBudget([...all], settings.modelBytesMax)
  const refresher =
    settings.refreshSeconds > 0 ? setInterval(refresh, settings.refreshSeconds * 1000).unref() : undefined
  const basePaths = parseBasePaths(settings.basePaths, specs)
  const authorizeOptions = {
    basePaths: basePaths.map((base) => base.path),
    dateSkewSecondsMax: settings.dateSkewSecondsMax,
    now: Date.now,
  }
  const looksAtMd5 = settings.contentMd5 === 'verify' || settings.javaIsCompressed === 'on'
  let draining = false
  let rehearsing = false
  /** Whether a client has asked for a prediction. */
  let isAsked = false

  const metrics = createMetrics(() =>
    [...all].map((service) => {
      const state = service.state()
      return {
        name: service.spec.name,
        inside: service.inside,
        queued: service.queued,
        workers: state.state === 'ready' ? state.workers : 0,
        ready: state.state === 'ready',
        modelBytes: service.bytes,
        requestFiles: service.requestFileCounts,
      }
    }),
  )

  const recorder = new Recorder(metrics, log)
  function renderMetrics(): Promise<string> {
    recorder.flush()
    return metrics.render()
  }

  function refresh() {
    for (const service of all) void service.refresh()
  }

  function find(head: EasRequestHead): Found {
    const route = parseTarget(head.target, basePaths)
    const service = 'service' in route ? services.get(route.service) : undefined
    if ('service' in route && !service) throw new EasError('not_found', 'Service not found')
    return { route, service }
  }

  /** Throws what the head alone decides: whether this may be asked. */
  function check({ route, service }: Found, head: EasRequestHead): void {
    if (head.method === 'HEAD') return
    const isService = route.kind === 'predict' || route.kind === 'queue'
    if (isService && service?.spec.token) authorize(head, service.spec.token, authorizeOptions)
    if (route.kind === 'metrics') authorizeAny(head)
    if (route.kind === 'queue') {
      throw new EasError('not_implemented', 'The queue service is not supported: use predict requests')
    }
    const methods = route.kind === 'predict' ? 'GET, HEAD, POST' : 'GET, HEAD'
    if (!methods.split(', ').includes(head.method)) {
      throw new MethodNotAllowed(methods)
    }
    if (route.kind === 'predict' && head.method === 'POST') service?.checkOpen()
  }

  /** Metrics are of all services: the token of any will do, and Prometheus can only send one with a scheme before it. */
  function authorizeAny(head: EasRequestHead): void {
    const tokens = new Set(specs.map((spec) => spec.token))
    if (tokens.has('')) return
    const authorization = head.headers.authorization?.replace(/^Bearer /i, '')
    const refusals: unknown[] = []
    for (const token of tokens) {
      try {
        authorize({ ...head, headers: { ...head.headers, authorization } }, token, authorizeOptions)
        return
      } catch (thrown) {
        refusals.push(thrown)
      }
    }
    throw refusals[0]
  }

  async function answer(
    found: Found,
    request: EasRequest,
    receivedAt: number,
    client: Client | undefined,
  ): Promise<Answer> {
    const { route, service } = found
    // A HEAD for a service is answered at once, however busy its model is; EAS's own lets its clients wait.
    if (request.method === 'HEAD' && 'service' in route) return { response: text(200, '') }
    switch (route.kind) {
      case 'healthz':
        return { response: text(200, 'ok\n') }
      case 'readyz': {
        const readiness = readinessNow()
        return { response: json(readiness.ready ? 200 : 503, JSON.stringify(readiness)) }
      }
      case 'metrics':
        return { response: respond(200, metrics.contentType, encode(await renderMetrics())) }
      case 'discovery':
        return {
          response: json(200, discoveryReply(route.service, settings.publicEndpoint || request.headers.host)),
        }
      case 'queue': // `check` has refused it
      case 'predict':
        return predict(service as Service, request, receivedAt, client) // `find` found it
    }
  }

  async function predict(
    service: Service,
    request: EasRequest,
    receivedAt: number,
    client: Client | undefined,
  ): Promise<Answer> {
    if (request.method === 'GET' || request.body.length === 0) {
      const state = await service.whenReady()
      return { response: json(200, signatureJson(state.info, state.info.signature ?? service.spec.signature_name)) }
    }
    const contentMd5 = looksAtMd5 ? request.headers['content-md5'] : undefined
    const { result, stages } = await service.predict({
      body: request.body,
      contentMd5,
      receivedAt,
      client,
      isRehearsal: request.isRehearsal,
    })
    if (result instanceof EasError) return { response: errorResponse(result), error: result, stages }
    const headers = { 'content-type': 'application/octet-stream', ...result.headers }
    return { response: { status: 200, headers, body: result.body }, stages }
  }

  function begin(head: EasRequestHead): Exchange {
    const receivedAt = performance.now()
    let found: Found | undefined
    let refused: EasError | undefined
    let request_id = head.headers['x-request-id']
    try {
      found = find(head)
      check(found, head)
    } catch (thrown) {
      refused = EasError.from(thrown)
    }
    const label = found?.service?.spec.name ?? ''
    if (found?.service && !head.isRehearsal) isAsked = true
    const end = (answered: Answer, requestBytes: number) => {
      const totalMs = performance.now() - receivedAt
      const { response, error, stages } = answered
      if (head.isRehearsal) return response
      recorder.record({
        service: label,
        method: head.method,
        request_id,
        status: error?.status ?? response.status,
        error,
        stages,
        totalMs,
        requestBytes,
        responseBytes: response.body.length,
        at: Date.now(),
      })
      return head.method === 'HEAD' ? { ...answered.response, body: nothing } : answered.response
    }
    const fail = (error: EasError, requestBytes = 0) => end({ response: errorResponse(error), error }, requestBytes)

    return {
      refusal: refused && fail(refused),
      timeoutMs: found?.service?.spec.rpc.keepalive ?? otherTimeoutMs,
      fail,
      async finish(body, client) {
        assert(found && !refused, 'a refused request is not finished')
        try {
          if (body.length > settings.bodyBytesMax) throw bodyTooLarge(body.length, settings.bodyBytesMax)
          request_id = found.service?.requestIdOf(body) ?? request_id
          return end(await answer(found, { ...head, body }, receivedAt, client), body.length)
        } catch (thrown) {
          return fail(EasError.from(thrown), body.length)
        }
      },
    }
  }

  const carryWithin: Carry = async (request) => {
    const exchange = begin(request)
    return exchange.refusal ?? exchange.finish(request.body)
  }

  function readinessNow(): Readiness {
    const readiness = [...all].map((service): ServiceReadiness => {
      const { name } = service.spec
      const state = service.state()
      if (draining) return { name, state: 'draining' }
      if (state.state === 'failed') return { name, state: 'failed', error: state.error.message }
      if (state.state === 'idle')
        return { name, state: service.isEvicted || settings.load === 'lazy' ? 'idle' : 'loading' }
      if (state.state !== 'ready') return { name, state: state.state }
      if (rehearsing) return { name, state: 'loading' }
      const { execution_provider, loadMs } = state.info
      const { version = '', warmUpReport, itemsStatus } = service
      return {
        name,
        state: 'ready',
        version,
        execution_provider,
        workers: state.workers,
        loadMs: Math.round(loadMs),
        ...(warmUpReport && { warm_up: warmUpReport }),
        ...(itemsStatus && { items: itemsStatus }),
      }
    })
    // A model that is loaded when it is asked for is as ready as it will be.
    return { ready: readiness.every(({ state }) => state === 'ready' || state === 'idle'), services: readiness }
  }

  return {
    async load(carry = carryWithin) {
      if (settings.load !== 'eager') return
      await Promise.allSettled([...all].map((service) => service.load()))
      // The way is the same for every service.
      const [rehearsal] = [...all].flatMap((service) => service.takeRehearsal() ?? [])
      if (!rehearsal) return
      rehearsing = true
      // A session that is being made anew takes the cores, and answers faster once it is there.
      await within(settleMsMax, Promise.all([...all].map((service) => service.settled())))
      const isWanted = () => !isAsked && !draining
      await rehearse(rehearsal, carry, isWanted).catch((error: Error) =>
        log.debug({ error: error.message }, 'not rehearsed'),
      )
      rehearsing = false
    },
    async handle(request) {
      const exchange = begin(request)
      const response = exchange.refusal ?? (await exchange.finish(request.body))
      await Promise.all([...all].map((service) => service.flush(flushMsMax)))
      // Where requests come whole, the instance may be frozen once they are answered.
      recorder.flush()
      return response
    },
    begin,
    readiness: readinessNow,
    drain() {
      draining = true
    },
    async close() {
      clearInterval(refresher)
      recorder.flush()
      await Promise.all([...all].map((service) => service.close()))
    },
  }
}

/** Milliseconds that `/readyz` waits for sessions that are being exchanged for faster ones. */
const settleMsMax = 10_000

/** Resolves when `work` does, or after so many milliseconds. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Also for whoever reads bodies, to be used before one has been read whole. */
export const bodyTooLarge = (bytes: number, bytesMax: number) =>
  new EasError('too_large', `Request body too large: ${bytes} bytes, the limit is ${bytesMax} (EAS_MAX_BODY_BYTES)`)

/** Milliseconds that an answer may be kept for the files its request is to leave; few requests leave any. */
const flushMsMax = 1000

/** EAS's default of `metadata.rpc.keepalive`, for requests that are no service's. */
const otherTimeoutMs = 5000

class MethodNotAllowed extends EasError {
  /** The methods that are, as the Allow header lists them. */
  readonly allow: string

  constructor(allow: string) {
    super('method_not_allowed', `Method not allowed: use ${allow}`)
    this.allow = allow
  }
}

/** Where a request goes: `service` where the route names one. */
interface Found {
  readonly route: Route
  readonly service: Service | undefined
}

interface Answer {
  readonly response: EasResponse
  /** Why it is a failure, if it is. */
  readonly error?: EasError
  readonly stages?: Stages
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

/** Statuses after which EAS closes the connection; eas-service 2. */
const closing: ReadonlySet<number> = new Set([easStatus.timeout, easStatus.queue_full])

/** A failure as EAS clients show it: its status, and one line of text. */
function errorResponse(error: EasError): EasResponse {
  const response = text(error.status, error.message)
  const headers: Record<string, string> = { ...response.headers }
  if (closing.has(error.status)) headers.connection = 'close'
  if (error instanceof MethodNotAllowed) headers.allow = error.allow
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

function logServiceEvent(log: Logger, service: string, event: ServiceEvent) {
  switch (event.kind) {
    case 'loaded': {
      const { execution_provider, loadMs, warnings, inputs, outputs } = event.info
      for (const warning of warnings) log.warn({ service }, warning)
      const names = { inputs: inputs.map(({ name }) => name), outputs: outputs.map(({ name }) => name) }
      const { workers } = event
      return log.info({ service, execution_provider, loadMs: Math.round(loadMs), workers, ...names }, 'model loaded')
    }
    case 'load_failed':
    case 'unavailable':
      return log.error({ service, error: event.error.message, retryInMs: event.retryInMs }, 'model not loaded')
    case 'worker_died': {
      const { reason, lost, retryInMs } = event
      return log.error({ service, reason, lost, retryInMs }, 'model worker died')
    }
    case 'replaced':
      return log.info({ service, version: event.version }, 'model replaced by a newer version')
    case 'not_replaced':
      return log.error({ service, error: event.error.message }, 'model not replaced, the old version goes on')
    case 'prepared':
      return log.info({ service, folder: event.folder }, 'model prepared for later starts')
    case 'not_prepared':
      return log.warn({ service, error: event.error.message }, 'model not prepared')
    case 'evicted':
      return log.info({ service, bytes: event.bytes }, 'model unloaded')
    case 'warmed':
      return log.info({ service, ...event.report }, 'model warmed up')
    case 'not_kept':
      return log.warn({ service, error: event.error.message }, 'request not kept for warm-up')
    case 'not_written':
      return log.warn({ service, error: event.error.message }, 'requests not written to disk')
    case 'noted':
      return log.info({ service, ...event.facts }, event.message)
  }
}
