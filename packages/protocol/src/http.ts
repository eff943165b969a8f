/** A request as the core sees it: what any platform's HTTP event is translated to. */
export interface EasRequest extends EasRequestHead {
  /** The body as it came, still compressed if the client compressed it. Empty when there is none. */
  readonly body: Uint8Array
}

/** The part of a request that is known before its body has arrived. */
export interface EasRequestHead {
  /** Upper case. */
  readonly method: string
  /** Path and query exactly as the client sent them: not decoded, not normalised. The signature covers these bytes. */
  readonly target: string
  /** Names in lower case; a repeated header has its values joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Sent by this process to itself before it is ready: answered like any other, but not counted, logged or kept. */
  readonly isRehearsal?: boolean
}

/** A response as the core makes it. */
export interface EasResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}
