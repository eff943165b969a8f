/** A request as a client sends it. */
export interface ClientRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: Uint8Array
}

/** What a client gets, as far as every platform must agree about it. */
export interface ClientResponse {
  readonly status: number
  /** Those of `relevantHeaders` that it has. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A function's bundle, running as its platform runs it. */
export interface RunningPlatform {
  readonly name: string
  send(request: ClientRequest): Promise<ClientResponse>
}

/** What a client can act on; the rest (dates, connections, lengths) is the platform's own. */
const relevantHeaders = ['content-type', 'allow', 'retry-after']

/** @param headers Names in lower case. */
export const relevant = (headers: Readonly<Record<string, string | undefined>>): ClientResponse['headers'] =>
  Object.fromEntries(relevantHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])))

/** Headers of a platform's event: lower-case names, values of a repeated one in order. */
export function headerValues(headers: ClientRequest['headers']): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    values.set(key, [...(values.get(key) ?? []), value])
  }
  return values
}

export const isText = (headers: ClientRequest['headers']) =>
  headers.some(([name, value]) => /^content-type$/i.test(name) && /^text\/|json|xml|javascript/.test(value))
