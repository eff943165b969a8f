import { oneLine } from '@eas/base'
import { at, type Json, list, number, parsed, text } from '../json.ts'
import { formDecoded } from '../object-key.ts'
import type { ObjectReference, WorkItem } from '../work.ts'
import { optional, taskItems } from './task.ts'

/** How Lambda wants to hear about failures, which depends on what invoked it. */
export type AwsReply = 'batchItemFailures' | 'itemResults' | 'throw'

export interface AwsWork {
  readonly items: readonly WorkItem[]
  readonly reply: AwsReply
}

/**
 * The work in an event of S3, S3 through EventBridge, SQS (a pipe's too) or SNS, a batch of a Step Functions Distributed Map, or a task.
 *
 * @returns `undefined` when it is none of these.
 * @see Amazon S3 "Event message structure" 2.x and "EventBridge event message structure"; AWS Lambda "Using Lambda with
 * Amazon SQS", partial batch responses; EventBridge Pipes "Batching and concurrency"; Step Functions "ItemBatcher"
 */
export function awsWork(event: Json): AwsWork | undefined {
  // EventBridge Pipes hands over the records alone, and takes the same answer.
  const records = Array.isArray(event) ? event : list(at(event, 'Records'))
  if (text(at(records[0], 'eventSource')) === 'aws:sqs') {
    return { items: records.map(sqsMessage), reply: 'batchItemFailures' }
  }
  if (Array.isArray(at(event, 'Items'))) return { items: mapItems(event), reply: 'itemResults' }
  const items = notified(event, 2) ?? taskItems(event, 's3')
  return items && { items, reply: 'throw' }
}

/** A message fails as one, whatever number of objects it names: SQS delivers messages, not parts of them. */
function sqsMessage(record: Json): WorkItem {
  const id = text(at(record, 'messageId')) ?? ''
  const body = parsed(text(at(record, 'body')) ?? '')
  const items = notified(body, 2) ?? taskItems(body, 's3')
  if (!items) return { id, objects: [], error: 'Cannot read the message: it names no object' }
  const errors = items.flatMap(({ error }) => error ?? [])
  return { id, objects: items.flatMap(({ objects }) => objects), ...optional('error', errors.join('; ') || undefined) }
}

/** @param depth Envelopes that may still be opened: SNS wraps an event in text. */
function notified(event: Json, depth: number): readonly WorkItem[] | undefined {
  if (text(at(event, 'Event')) === 's3:TestEvent') return []
  if (text(at(event, 'Type')) === 'Notification' && depth > 0) {
    return notified(parsed(text(at(event, 'Message')) ?? ''), depth - 1)
  }
  if (text(at(event, 'source')) === 'aws.s3') return eventBridge(event)
  const records = list(at(event, 'Records'))
  if (records.length === 0) return undefined
  return records.flatMap((record, i): readonly WorkItem[] => {
    if (text(at(record, 'EventSource')) === 'aws:sns' && depth > 0) {
      const inner = parsed(text(at(record, 'Sns', 'Message')) ?? '')
      return (
        notified(inner, depth - 1) ??
        taskItems(inner, 's3') ?? [
          { id: `Records[${i}]`, objects: [], error: 'Cannot read the message: it names no object' },
        ]
      )
    }
    return [s3Record(record, i)]
  })
}

function s3Record(record: Json, index: number): WorkItem {
  const source = text(at(record, 'eventSource')) ?? text(at(record, 'EventSource')) ?? 'another source'
  // Not as an event of S3 that is no creation: what a stream or a queue brings would be lost without a word.
  if (at(record, 's3') === undefined) {
    return { id: `Records[${index}]`, objects: [], error: `Cannot read the record: it is of ${oneLine(source)}` }
  }
  const eventName = text(at(record, 'eventName')) ?? ''
  const encoded = text(at(record, 's3', 'object', 'key'))
  const bucket = text(at(record, 's3', 'bucket', 'name'))
  const key = encoded === undefined ? undefined : formDecoded(encoded)
  const id = bucket === undefined || key === undefined ? `Records[${index}]` : `s3://${bucket}/${key}`
  if (eventName !== '' && !/^(?:s3:)?ObjectCreated:/.test(eventName)) return { id, objects: [] }
  if (!bucket || !key)
    return { id, objects: [], error: `Cannot read the record: its key is ${oneLine(String(encoded))}` }
  const object = at(record, 's3', 'object')
  return { id, objects: [s3Object(bucket, key, object)] }
}

function eventBridge(event: Json): readonly WorkItem[] {
  const bucket = text(at(event, 'detail', 'bucket', 'name'))
  const key = text(at(event, 'detail', 'object', 'key')) // not encoded here
  const id = text(at(event, 'id')) ?? `s3://${bucket}/${key}`
  if (text(at(event, 'detail-type')) !== 'Object Created') return [{ id, objects: [] }]
  if (!bucket || !key) return [{ id, objects: [], error: 'Cannot read the event: it names no object' }]
  return [{ id, objects: [s3Object(bucket, key, at(event, 'detail', 'object'))] }]
}

/** The items are what the state machine's reader found: `Key` of a listing, or rows of its own. */
function mapItems(event: Json): readonly WorkItem[] {
  const bucket = text(at(event, 'BatchInput', 'bucket'))
  return list(at(event, 'Items')).map((item, i) => {
    const key = text(at(item, 'Key'))
    if (key !== undefined && bucket) return { id: key, objects: [s3Object(bucket, key, item)] }
    const [task] = taskItems(item, 's3') ?? []
    return (
      task ?? { id: `Items[${i}]`, objects: [], error: 'Cannot read the item: it has no Key, or BatchInput no bucket' }
    )
  })
}

/** The names differ in case between the three sources. */
const s3Object = (bucket: string, key: string, object: Json): ObjectReference => ({
  scheme: 's3',
  bucket,
  key,
  ...optional('size', number(at(object, 'size') ?? at(object, 'Size'))),
  ...optional(
    'version',
    text(
      at(object, 'versionId') ??
        at(object, 'version-id') ??
        at(object, 'eTag') ??
        at(object, 'etag') ??
        at(object, 'Etag'),
    ),
  ),
  ...optional('sequencer', text(at(object, 'sequencer'))),
})
