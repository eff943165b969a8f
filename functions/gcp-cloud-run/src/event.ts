import { failuresText, googleWork, type WorkItem, type WorkResult } from '@eas/event-sources'
import type { Exchange, Logger } from '@eas/processor'
import type { EasRequestHead, EasResponse } from '@eas/protocol'

/**
 * One request of Eventarc or Pub/Sub. 200 acknowledges it; any other status makes it come again, until the subscription's
 * dead-letter topic takes it: 400 for what cannot be read, 500 for what could not be done.
 *
 * @see Pub/Sub "Push subscriptions", receive messages; Eventarc "Retry events"
 */
export function eventExchange(
  { headers }: EasRequestHead,
  timeoutMs: number,
  log: Pick<Logger, 'error'>,
  work: (items: readonly WorkItem[]) => Promise<WorkResult>,
): Exchange {
  const answered = (status: number, text: string): EasResponse => {
    if (status !== 200) log.error(text)
    return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: Buffer.from(text) }
  }
  return {
    refusal: undefined,
    timeoutMs,
    fail: ({ status, message }) => answered(status, message),
    async finish(body) {
      const items = googleWork(headers, body)
      if (!items) return answered(400, 'Cannot read the event: it is not of Cloud Storage and names no object')
      const result = await work(items)
      return result.failures.length > 0
        ? answered(500, failuresText(result, items.length))
        : answered(200, `${result.done.length} done`)
    },
  }
}
