import { assert, EasError } from '@eas/base'
import type { EasRequest, EasRequestHead, EasResponse } from '@eas/protocol'
import { discoveryReply } from './discovery.ts'
import { createGate, type Found } from './gate.ts'
import type { Logger } from './log.ts'
import { MemoryBudget } from './memory-budget.ts'
import { createMetrics } from './metrics.ts'
import { type Readiness, readinessOf } from './readiness.ts'
import { Recorder } from './recorder.ts'
import { type Carry, rehearse } from './rehearsal.ts'
import { headerRequestId } from './request-id.ts'
import { bodyTooLarge, encode, errorResponse, json, respond, text } from './responses.ts'
import { type Client, Service } from './service.ts'
import { logServiceEvent } from './service-log.ts'
import type { ServiceSpec } from './service-types.ts'
import type { Settings } from './settings.ts'
import { signatureJson } from './signature-json.ts'
import type { Stages } from './stages.ts'

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
  /** Why a body is refused once it has so many bytes, where that is sooner than by `EAS_MAX_BODY_BYTES`. */
  tooLong?(bytes: number): EasError | undefined
  /** Never rejects. @param client Told to when it leaves, so that nothing is computed for it. */
  finish(body: Uint8Array, client?: Client): Promise<EasResponse>
  /** The answer to a body that never came whole. */
  fail(error: EasError): EasResponse
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
  const all = [...new Set(services.values())]
  const gate = createGate(services, settings)
  const budget = new MemoryBudget(all, settings.modelBytesMax)
  const refresher =
    settings.refreshSeconds > 0 ? setInterval(refresh, settings.refreshSeconds * 1000).unref() : undefined
  const looksAtMd5 = settings.contentMd5 === 'verify' || settings.javaIsCompressed === 'on'
  let isDraining = false
  let isRehearsing = false
  /** Whether a client has asked for a prediction. */
  let isAsked = false

  const metrics = createMetrics(() =>
    all.map((service) => {
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
    let request_id = headerRequestId(head)
    try {
      found = gate.find(head)
      gate.check(found, head)
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
      return head.method === 'HEAD' ? { ...answered.response, body: new Uint8Array() } : answered.response
    }
    const fail = (error: EasError, requestBytes = 0) => end({ response: errorResponse(error), error }, requestBytes)

    return {
      refusal: refused && fail(refused),
      timeoutMs: found?.service?.spec.rpc.keepalive ?? otherTimeoutMs,
      fail,
      async finish(body, client) {
        assert(found && !refused, 'a refused request is not finished')
        const bytes = body.length // a large body is moved to the model's thread, and then has none
        try {
          if (bytes > settings.bodyBytesMax) throw bodyTooLarge(bytes, settings.bodyBytesMax)
          request_id = found.service?.requestIdOf(body) ?? request_id
          return end(await answer(found, { ...head, body }, receivedAt, client), bytes)
        } catch (thrown) {
          return fail(EasError.from(thrown), bytes)
        }
      },
    }
  }

  const carryWithin: Carry = async (request) => {
    const exchange = begin(request)
    return exchange.refusal ?? exchange.finish(request.body)
  }

  const readinessNow = () => readinessOf(all, { isDraining, isRehearsing, isLazy: settings.load === 'lazy' })

  return {
    async load(carry = carryWithin) {
      if (settings.load !== 'eager') return
      await Promise.allSettled(all.map((service) => service.load()))
      // The way is the same for every service.
      const [rehearsal] = all.flatMap((service) => service.takeRehearsal() ?? [])
      if (!rehearsal) return
      isRehearsing = true
      // A session that is being made anew takes the cores, and answers faster once it is there.
      await within(settleMsMax, Promise.all(all.map((service) => service.settled())))
      const isWanted = () => !isAsked && !isDraining
      await rehearse(rehearsal, carry, isWanted).catch((error: Error) =>
        log.debug({ error: error.message }, 'not rehearsed'),
      )
      isRehearsing = false
    },
    async handle(request) {
      const exchange = begin(request)
      const response = exchange.refusal ?? (await exchange.finish(request.body))
      await Promise.all(all.map((service) => service.flush(flushMsMax)))
      // Where requests come whole, the instance may be frozen once they are answered.
      recorder.flush()
      return response
    },
    begin,
    readiness: readinessNow,
    drain() {
      isDraining = true
    },
    async close() {
      clearInterval(refresher)
      recorder.flush()
      await Promise.all(all.map((service) => service.close()))
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

/** Milliseconds that an answer may be kept for the files its request is to leave; few requests leave any. */
const flushMsMax = 1000

/** EAS's default of `metadata.rpc.keepalive`, for requests that are no service's. */
const otherTimeoutMs = 5000

interface Answer {
  readonly response: EasResponse
  /** Why it is a failure, if it is. */
  readonly error?: EasError
  readonly stages?: Stages
}
