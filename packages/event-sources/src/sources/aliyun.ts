import { at, type Json, list, number, text } from '../json.ts'
import { possibleKeys } from '../object-key.ts'
import type { WorkItem } from '../work.ts'
import { optional, taskItems } from './task.ts'

/**
 * The work in an event of an OSS trigger, of OSS through EventBridge, or a task (an asynchronous invocation's payload).
 * No page says whether keys are encoded, so a reference has every key that the text may stand for.
 *
 * @returns `undefined` when it is none of these.
 * @see Alibaba Cloud "OSS triggers", event format; "EventBridge: OSS events"
 */
export function aliyunWork(event: Json): readonly WorkItem[] | undefined {
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
