import { EasError, limits, oneLine } from '@eas/base'

export type Route =
  | { readonly kind: 'predict'; readonly service: string; readonly path: string; readonly query: string }
  | { readonly kind: 'queue' | 'discovery'; readonly service: string }
  | { readonly kind: 'healthz' | 'readyz' | 'metrics' }

const discoveryPrefixes = [
  /** eas-prediction 0.34 and newer. */
  '/api/v1/servicediscovery/upstreams/',
  /** Python up to 0.33, Java, Go. */
  '/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/',
]

const fixedPaths: { readonly [path: string]: Route } = {
  '/healthz': { kind: 'healthz' },
  '/readyz': { kind: 'readyz' },
  '/metrics': { kind: 'metrics' },
}

/** Query keys of the queue service, which shares the predict path; eas-wire 8. */
const queueKey = /(?:^|&)_(?:index|indexes|attrs|watch|eos|trunc|search|count)_=/

/**
 * What a request target asks for. Everything after the service's name is its sub-path; an endpoint's path prefix stands
 * before `/api/predict/`; Java's trailing slash on an endpoint doubles the first one.
 *
 * @param basePaths Paths that stand for a service, longest first.
 * @throws {EasError} `not_found`
 * @see eas-wire 1 and 10
 */
export function parseTarget(target: string, basePaths: readonly BasePath[]): Route {
  if (target.length > limits.targetChars) throw new EasError('not_found', 'Path not found: it is too long')
  const { path, query } = splitTarget(target)
  const fixed = Object.hasOwn(fixedPaths, path) ? fixedPaths[path] : undefined
  if (fixed) return fixed

  const at = path.indexOf('/api/predict/')
  if (at >= 0) {
    // A service name that is configured with a slash before it doubles this one.
    const rest = path.slice(at + '/api/predict/'.length).replace(/^\/+/, '')
    const service = decodeSegment(firstSegment(rest))
    if (service !== '') return predict(service, rest, query)
  }
  for (const prefix of discoveryPrefixes) {
    if (path.startsWith(prefix))
      return { kind: 'discovery', service: decodeSegment(firstSegment(path.slice(prefix.length))) }
  }
  for (const base of basePaths) {
    if (path === base.path || path.startsWith(`${base.path}/`)) return predict(base.service, base.service, query)
  }
  throw new EasError('not_found', `Path not found: ${oneLine(path)}`)
}

/** A configured path and the service it stands for. */
export interface BasePath {
  readonly path: string
  readonly service: string
}

function predict(service: string, path: string, query: string): Route {
  // A longer sub-path that ends so is the client's own.
  if (queueKey.test(query) || path === `${firstSegment(path)}/sink`) return { kind: 'queue', service }
  return { kind: 'predict', service, path, query }
}

/** Path and query of a target, which may be a whole URL (RFC 9112, absolute-form); leading slashes become one. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target)
  const origin = absolute ? target.slice(absolute[0].length) : target
  const mark = origin.indexOf('?')
  const path = mark < 0 ? origin : origin.slice(0, mark)
  return { path: path.replace(/^\/+/, '/') || '/', query: mark < 0 ? '' : origin.slice(mark + 1) }
}

function firstSegment(path: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? path : path.slice(0, slash)
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
