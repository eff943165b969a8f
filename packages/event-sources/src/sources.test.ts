import { describe, expect, it } from 'vitest'
import { type EventFixture, eventFixtures } from '../../../test/support/platforms/event-fixtures.ts'
import { aliyunWork, awsWork, googleWork, jobItems, nameOf, type WorkItem } from './index.ts'

const fixtures = eventFixtures.map((fixture) => [fixture.name, fixture] as const)

function itemsOf({ reads, events, requests }: EventFixture): readonly WorkItem[] {
  const found = {
    aws: () => events.map((one) => awsWork(one)?.items),
    aliyun: () => events.map((one) => aliyunWork(one)),
    google: () => requests.map(({ headers, body }) => googleWork(headers, Buffer.from(JSON.stringify(body)))),
  }[reads]()
  return found.flatMap((items) => items ?? [{ id: '', objects: [], error: 'not read' }])
}

describe.each(fixtures)('The event %s', (_, fixture) => {
  it('is about its objects, each an item or a part of one', () => {
    const items = itemsOf(fixture)
    expect(items.flatMap(({ error }) => error ?? [])).toEqual([])
    const named = items.flatMap(({ objects }) => objects).map(({ key, otherKeys = [] }) => [key, ...otherKeys])
    expect(named.length).toBe(fixture.keys.length)
    for (const [i, key] of fixture.keys.entries()) expect(named[i]).toContain(key)
    if (fixture.reads !== 'aliyun') expect(named).toEqual(fixture.keys.map((key) => [key]))
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
  })

  it('is heard of in the way of its source', () => {
    for (const event of fixture.reads === 'aws' ? fixture.events : []) {
      expect(awsWork(event)?.reply).toBe(fixture.reply)
    }
  })
})

describe('What is no event of theirs', () => {
  it.each([[null], [{}], ['text'], [7], [{ Records: [] }], [{ events: [] }], [{ source: 'aws.ec2' }]])(
    '%j is not read',
    (event) => {
      expect([awsWork(event), aliyunWork(event)]).toEqual([undefined, undefined])
      expect(googleWork({}, Buffer.from(JSON.stringify(event)))).toBeUndefined()
    },
  )

  it.each(['a queue', 'a pipe'])('a message of %s that names no object fails alone', (from) => {
    const record = (messageId: string, body: string) => ({ messageId, body, eventSource: 'aws:sqs' })
    const good = JSON.stringify({ uri: 's3://in/a' })
    const records = [record('1', good), record('2', 'no JSON'), record('3', '{}'), record('4', good)]
    const work = awsWork(from === 'a pipe' ? records : { Records: records })
    expect(work?.reply).toBe('batchItemFailures')
    expect(work?.items.map(({ id, error }) => [id, error !== undefined])).toEqual([
      ['1', false],
      ['2', true],
      ['3', true],
      ['4', false],
    ])
  })

  it('so it is with messages of MNS', () => {
    const message = (MessageId: string, Message: string) => ({ TopicName: 't', MessageId, Message })
    expect(aliyunWork(message('1', 'no JSON'))).toEqual([
      { id: '1', objects: [], error: 'Cannot read the message: it names no object' },
    ])
    const queued = ['oss://in/a', 'no object'].map((messageBody, i) => ({
      type: 'mns:Queue:SendMessage',
      data: { messageId: String(i), messageBody: JSON.stringify(messageBody) },
    }))
    expect(aliyunWork(queued)?.map(({ id, error }) => [id, error !== undefined])).toEqual([
      ['oss://in/a', false],
      ['1', true],
    ])
  })

  it.each(['aws:kinesis', 'aws:dynamodb'])(
    'a record of %s is an error: nothing of it would be scored',
    (eventSource) => {
      const record = { eventSource, eventName: 'INSERT', eventID: '1', kinesis: {}, dynamodb: {} }
      expect(awsWork({ Records: [record] })).toEqual({
        items: [{ id: 'Records[0]', objects: [], error: `Cannot read the record: it is of ${eventSource}` }],
        reply: 'throw',
      })
    },
  )

  it('a key with escapes that are none is an error of its record', () => {
    const record = {
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
      s3: { bucket: { name: 'in' }, object: { key: '%zz' } },
    }
    expect(awsWork({ Records: [record] })?.items).toEqual([
      { id: 'Records[0]', objects: [], error: 'Cannot read the record: its key is %zz' },
    ])
  })
})

describe('A CloudEvent in structured mode', () => {
  it('is told by its media type, in whatever letters', () => {
    const event = {
      type: 'google.cloud.storage.object.v1.finalized',
      id: '1',
      data: { bucket: 'in', name: 'a b', generation: '2', size: '3' },
    }
    const body = Buffer.from(JSON.stringify(event))
    for (const type of ['application/cloudevents+json', 'Application/CloudEvents+JSON; charset=utf-8']) {
      expect(googleWork({ 'content-type': type }, body)).toEqual([
        { id: '1', objects: [{ scheme: 'gs', bucket: 'in', key: 'a b', version: '2', size: 3 }] },
      ])
    }
  })
})

describe('jobItems()', () => {
  it('gives every line to exactly one task', () => {
    const lines = ['gs://in/a b', '{"uri":"gs://in/c","size":3}', '', 'gs://in/d%20', 's3://x/y', 'gs://in/é']
    const tasks = [0, 1, 2].map((index) => jobItems(lines.join('\r\n'), index, 3))
    expect(tasks.map((items) => items.length)).toEqual([2, 2, 1])
    const names = tasks.flat().flatMap(({ objects }) => objects.map(nameOf))
    expect(names.sort()).toEqual(['gs://in/a b', 'gs://in/c', 'gs://in/d%20', 'gs://in/é', 's3://x/y'])
  })

  it('says which line it cannot read', () => {
    expect(jobItems('not an object\nhttp://x/y', 0, 1).map(({ id, error }) => [id, error])).toEqual([
      ['not an object', 'Cannot read the line: it names no object'],
      ['http://x/y', 'Cannot read the line: it names no object'],
    ])
  })
})
