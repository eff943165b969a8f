import { EasError, oneLine } from '@eas/base'
import type { EasRequestHead } from '@eas/protocol'
import { authorize } from './authorize.ts'
import { MethodNotAllowed } from './responses.ts'
import { type BasePath, parseTarget, type Route } from './route.ts'
import type { Service } from './service.ts'
import type { ServiceSpec } from './service-types.ts'
import type { Settings } from './settings.ts'

/** Where a request goes: `service` where the route names one. */
export interface Found {
  readonly route: Route
  readonly service: Service | undefined
}

/** Where requests go, and which of them go no further: what the head of one decides. */
export interface Gate {
  /** @throws {EasError} `not_found` */
  find(head: EasRequestHead): Found
  /** Throws what the head alone decides: whether this may be asked. */
  check(found: Found, head: EasRequestHead): void
}

/** @param services By each name that they are called. */
export function createGate(services: ReadonlyMap<string, Service>, settings: Settings): Gate {
  const all = [...new Set(services.values())]
  const specs = all.map(({ spec }) => spec)
  const basePaths = parseBasePaths(settings.basePaths, specs)
  const authorizeOptions = {
    basePaths: basePaths.map((base) => base.path),
    dateSkewSecondsMax: settings.dateSkewSecondsMax,
    now: Date.now,
  }

  /** @param name Of a service, of its group, or of both, as EAS's console shows them: `group.service`. */
  const serviceOf = (name: string) =>
    services.get(name) ?? all.find(({ spec }) => spec.group !== undefined && `${spec.group}.${spec.name}` === name)

  function find(head: EasRequestHead): Found {
    const route = parseTarget(head.target, basePaths)
    const service = 'service' in route ? serviceOf(route.service) : undefined
    if ('service' in route && !service) throw new EasError('not_found', `Service not found: ${oneLine(route.service)}`)
    return { route, service }
  }

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

  return { find, check }
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
