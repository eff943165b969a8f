import { EasError, oneLine } from '@eas/base'

/**
 * The reply of a direct-mode lookup, which sends the client back to where it asked. ASCII, and every field is one that some
 * SDK reads: Go dies without `endpoints.items`, Python takes weight 0 for "no backend", Java repeats the entry `weight` times.
 *
 * @param host `host[:port]`: the Host header, or the configured public endpoint.
 * @throws {EasError} `invalid_request` when there is no usable host.
 * @see eas-wire 1.3
 */
export function discoveryReply(app: string, host: string | undefined): string {
  const [, name, port] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?$/.exec(host ?? '') ?? []
  if (name === undefined) {
    throw new EasError('invalid_request', `Cannot tell where to connect: Host is ${oneLine(host ?? 'missing')}`)
  }
  return JSON.stringify({ endpoints: { items: [{ app, ip: name, port: Number(port ?? 80), weight: 100 }] } })
}
