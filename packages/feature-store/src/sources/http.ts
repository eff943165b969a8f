import { badData, FeatureStoreError } from '../feature-store-error.ts'

/** Bytes of one answer that is read whole. The pages that are asked for are far smaller. */
const maxAnswerBytes = 1 << 28

/**
 * A call of a service.
 *
 * @param doing What for, in messages: `read items from FeatureDB`.
 * @throws {FeatureStoreError} `source_down`, with the status and the start of what the service says, if it is not 2xx.
 */
export async function httpCall(url: string, init: RequestInit, doing: string): Promise<Response> {
  const response = await fetchTwice(url, init).catch((cause) => {
    // `fetch failed` has the reason in its cause.
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
    throw FeatureStoreError.from(reason, doing)
  })
  if (response.ok) return response
  const said = await startOf(response)
  throw new FeatureStoreError('source_down', `Cannot ${doing}: it answers ${response.status}${said && ` ${said}`}`)
}

/** A connection that was kept open may turn out to have been closed by the other side: then another is tried, once. */
async function fetchTwice(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined // undici's
    const isClosed = cause?.code === 'UND_ERR_SOCKET' || cause?.code === 'ECONNRESET'
    if (!isClosed) throw error
    return fetch(url, init)
  }
}

/** An answer's body. @throws {FeatureStoreError} `bad_data` when it is larger than any should be. */
export async function bodyOf(response: Response, from: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > maxAnswerBytes) throw badData(`${from} answers with more than ${maxAnswerBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    throw FeatureStoreError.from(cause, `read the answer of ${from}`)
  }
  return Buffer.concat(chunks)
}

/** Printable text at the start of an error's body: a code and a reason, in most services. */
async function startOf(response: Response): Promise<string> {
  try {
    for await (const chunk of response.body ?? []) {
      return Buffer.from(chunk.subarray(0, 200))
        .toString('latin1')
        .replace(/[^ -~]+/g, ' ')
        .trim()
    }
  } catch {}
  return ''
}

/** A signal as `fetch` takes it: there, or left out. */
export const signalInit = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal ? { signal } : {})
