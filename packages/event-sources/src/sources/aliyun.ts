import { at, type Json, list, number, parsed, text } from '../json.ts'
import { possibleKeys } from '../object-key.ts'
import type { WorkItem } from '../work.ts'
import { optional, taskItems } from './task.ts'

/**
 * The work in an event of an OSS trigger, of OSS through EventBridge, or a task (an asynchronous invocation's payload), and in
 * messages of MNS, now Simple Message Queue, that hold one of these. No page says whether keys are encoded, so a reference has every key that the text may stand for.
 *
 * @returns `undefined` when it is none of these.
 * @see Alibaba Cloud "OSS triggers", event format; "EventBridge: OSS events"; "MNS topic triggers", "MNS queue triggers",
 * event format; "OSS: event notifications", which are in base64
 */
export function aliyunWork(event: Json): readonly WorkItem[] | undefined {
  const messages = (Array.isArray(event) ? event : [event]).map(messageIn)
  return messages.some((message) => message !== undefined) ? messages.flatMap(messageItems) : notified(event)
}

/** What a topic's or a queue's message says, and its id. */
function messageIn(event: Json): { readonly id: string; readonly body: string } | undefined {
  const isTopic = text(at(event, 'TopicName')) !== undefined
  const isQueue = text(at(event, 'type'))?.startsWith('mns:') === true
  const body = text(isTopic ? at(event, 'Message') : isQueue ? at(event, 'data', 'messageBody') : undefined)
  const id = text(isTopic ? at(event, 'MessageId') : at(event, 'data', 'messageId')) ?? text(at(event, 'id')) ?? ''
  return body === undefined ? undefined : { id, body }
}

function messageItems(message: ReturnType<typeof messageIn>, index: number): readonly WorkItem[] {
  const id = message?.id || `[${index}]`
  const body = message?.body ?? ''
  const json = parsed(body) ?? parsed(Buffer.from(body, 'base64').toString('utf8'))
  return notified(json) ?? [{ id, objects: [], error: 'Cannot read the message: it names no object' }]
}

function notified(event: Json): readonly WorkItem[] | undefined {
  const events = list(at(event, 'events'))
  if (events.length > 0) return events.map(ossEvent)
  const clouds = Array.isArray(event) ? event : [event]
  if (clouds.length > 0 && clouds.every((cloud) => text(at(cloud, 'source')) === 'acs.oss')) {
    return clouds.map((cloud, i) => ossEvent({ eventName: at(cloud, 'type'), oss: at(cloud, 'data', 'oss') }, i))
  }
  return taskItems(event, 'oss')
}

function ossEvent(event: Json, index: number): WorkItem {
  const bucket = text(at(event, 'oss', 'bucket', 'name'))
  const written = text(at(event, 'oss', 'object', 'key'))
  if (!bucket || !written)
    return { id: `events[${index}]`, objects: [], error: 'Cannot read the event: it names no object' }
  const [key, ...otherKeys] = possibleKeys(written)
  const id = `oss://${bucket}/${key}`
  if (!/^(?:oss:)?ObjectCreated:/.test(text(at(event, 'eventName')) ?? '')) return { id, objects: [] }
  const object = {
    scheme: 'oss',
    bucket,
    key,
    ...(otherKeys.length > 0 ? { otherKeys } : {}),
    ...optional('size', number(at(event, 'oss', 'object', 'size'))),
    ...optional('version', text(at(event, 'oss', 'object', 'eTag'))),
  } as const
  return { id, objects: [object] }
}
