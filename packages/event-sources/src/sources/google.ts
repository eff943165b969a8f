import { at, type Json, number, parsed, text } from '../json.ts'
import type { WorkItem } from '../work.ts'
import { optional, taskItems } from './task.ts'

/**
 * The work in a request that Eventarc or a Pub/Sub push subscription makes: a CloudEvent in binary or structured mode, or a
 * push message, wrapped or not. One request is acknowledged as a whole, by its status.
 *
 * @param headers Names in lower case.
 * @returns `undefined` when it is none of these.
 * @see Eventarc "Cloud Storage events" (`google.cloud.storage.object.v1.finalized`); Cloud Storage "Pub/Sub notifications"; Pub/Sub
 * "Payload unwrapping for push subscriptions";
 * CloudEvents 1.0 HTTP binding
 */
export function googleWork(
  headers: Readonly<Record<string, string | undefined>>,
  body: Uint8Array,
): readonly WorkItem[] | undefined {
  const json = parsed(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  if (headers['content-type']?.toLowerCase().startsWith('application/cloudevents+json')) {
    return cloudEvent(text(at(json, 'type')) ?? '', text(at(json, 'id')), at(json, 'data'))
  }
  const type = headers['ce-type']
  return type === undefined ? (pushed(json) ?? unwrapped(headers, json)) : cloudEvent(type, headers['ce-id'], json)
}

/**
 * A message whose subscription takes the wrapper off: the body is its data, and its attributes are headers where the
 * subscription writes metadata. Where it does not, that an object was removed is known by `timeDeleted` alone.
 */
function unwrapped(headers: Parameters<typeof googleWork>[0], json: Json): readonly WorkItem[] | undefined {
  const id = headers['x-goog-pubsub-message-id']
  const { eventtype, bucketid, objectid, objectgeneration } = headers
  const isObject = text(at(json, 'kind')) === 'storage#object'
  if (eventtype === undefined && !isObject) return taskItems(json, 'gs')
  const isCreated = (eventtype ?? 'OBJECT_FINALIZE') === 'OBJECT_FINALIZE' && at(json, 'timeDeleted') === undefined
  // The body first: what is not ASCII may have suffered in a header.
  return [stored(id, isCreated, isObject ? json : { bucket: bucketid, name: objectid, generation: objectgeneration })]
}

function cloudEvent(type: string, id: string | undefined, data: Json): readonly WorkItem[] | undefined {
  if (type === 'google.cloud.pubsub.topic.v1.messagePublished') return pushed(data)
  if (!type.startsWith('google.cloud.storage.object.v1.')) return undefined
  return [stored(id, type.endsWith('.finalized'), data)]
}

function pushed(json: Json): readonly WorkItem[] | undefined {
  const message = at(json, 'message')
  const id = text(at(message, 'messageId')) ?? text(at(message, 'message_id'))
  if (id === undefined) return undefined
  const data = parsed(Buffer.from(text(at(message, 'data')) ?? '', 'base64').toString('utf8'))
  const attributes = at(message, 'attributes')
  const eventType = text(at(attributes, 'eventType'))
  if (eventType === undefined) {
    return taskItems(data, 'gs') ?? [{ id, objects: [], error: 'Cannot read the message: it names no object' }]
  }
  // A notification may be configured to carry no payload; the attributes are always there.
  const object = {
    bucket: at(attributes, 'bucketId'),
    name: at(attributes, 'objectId'),
    generation: at(attributes, 'objectGeneration'),
    size: at(data, 'size'),
  }
  return [stored(id, eventType === 'OBJECT_FINALIZE', object)]
}

/** @param object The object resource of the JSON API: its name is not encoded. */
function stored(eventId: string | undefined, isCreated: boolean, object: Json): WorkItem {
  const bucket = text(at(object, 'bucket'))
  const key = text(at(object, 'name'))
  const id = eventId ?? `gs://${bucket}/${key}`
  if (!isCreated) return { id, objects: [] }
  if (!bucket || !key) return { id, objects: [], error: 'Cannot read the event: it names no object' }
  const size = number(at(object, 'size'))
  const version = text(at(object, 'generation'))
  return { id, objects: [{ scheme: 'gs', bucket, key, ...optional('size', size), ...optional('version', version) }] }
}

/**
 * The lines of a job's list that one of its tasks works on: every `taskCount`-th, from `taskIndex` on, so that neighbours,
 * which are often alike in size, are spread.
 *
 * @param manifest An object's name per line, or a JSON item per line; empty lines count for nothing.
 * @see Cloud Run "Container runtime contract", environment of jobs: CLOUD_RUN_TASK_INDEX, CLOUD_RUN_TASK_COUNT
 */
export function jobItems(manifest: string, taskIndex: number, taskCount: number): readonly WorkItem[] {
  return manifest
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .filter((_, i) => i % taskCount === taskIndex)
    .flatMap((line) => {
      const isJson = /^\s*[{["]/.test(line)
      return (
        taskItems(isJson ? parsed(line) : line, 'gs') ?? [
          { id: line, objects: [], error: 'Cannot read the line: it names no object' },
        ]
      )
    })
}
