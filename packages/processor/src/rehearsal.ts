import type { EasRequest } from '@eas/protocol'
import { signature } from './authorize.ts'

/** A request that a model has answered well during warm-up, and whose service it was. */
export interface Rehearsal {
  readonly service: string
  /** Empty for none. */
  readonly token: string
  readonly body: Uint8Array
}

/** Brings a request to the core as a client's request comes, and resolves when its answer has gone the whole way back. */
export type Carry = (request: EasRequest) => Promise<unknown>

/** Latency is at its floor after about so many requests. */
const sends = 12
/** Milliseconds; a model that is slow hides what the way costs. */
const budgetMs = 60

/**
 * Sends one request again and again on the whole way that clients' requests take. Replaying it to the model warms the model;
 * what the first client would still wait for is all code before it: HTTP, signature, admission, which runs for the first time.
 *
 * @param isWanted Whether nobody has asked yet; who has asked must not wait for this.
 */
export async function rehearse({ service, token, body }: Rehearsal, carry: Carry, isWanted: () => boolean) {
  const target = `/api/predict/${service}`
  const contentType = 'application/octet-stream'
  const start = performance.now()
  for (let sent = 0; sent < sends && isWanted() && performance.now() - start < budgetMs; sent++) {
    const date = new Date().toUTCString()
    const signed = `EAS ${signature(token, `POST\n\n${contentType}\n${date}\n${target}`)}`
    // PAI-Rec sends the token itself, the SDKs sign.
    const authorization = sent % 2 === 0 ? signed : token
    const headers = { 'content-type': contentType, 'content-length': String(body.length), date, authorization }
    // A copy: a worker keeps what it is sent.
    await carry({ method: 'POST', target, headers, body: new Uint8Array(body), isRehearsal: true })
  }
}
