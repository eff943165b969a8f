import { describe, expect, it } from 'vitest'
import { type EventFixture, eventFixtures } from '../../../test/support/platforms/event-fixtures.ts'
import {
  aliyunWork,
  awsWork,
  googleWork,
  jobItems,
  nameOf,
  type ObjectReference,
  objectScorer,
  type WorkItem,
  workOn,
} from './index.ts'

const fixtures = eventFixtures.map((fixture) => [fixture.name, fixture] as const)

function itemsOf({ reads, events, requests }: EventFixture): readonly WorkItem[] {
  const found = {
    aws: () => events.map((one) => awsWork(one)?.items),
    aliyun: () => events.map((one) => aliyunWork(one)),
    google: () => requests.map(({ headers, body }) => googleWork(headers, Buffer.from(JSON.stringify(body)))),
  }[reads]()
  return found.flatMap((items) => items ?? [{ id: '', objects: [], error: 'not read' }])
}

/** A processor that answers with what it was sent, and a store of objects whose content is their own key. */
function scoring(keys: Iterable<string>) {
  const stored = new Map([...keys].map((key) => [key, Buffer.from(key)]))
  const written: string[] = []
  const scorer = objectScorer(
    {
      processor: {
        async handle({ body }: { body: Uint8Array }) {
          return { status: 200, headers: {}, body }
        },
      },
      service: { name: 'test', token: '' },
    } as unknown as Parameters<typeof objectScorer>[0], // what a scorer uses of the core
    {
      async read({ key }) {
        return stored.get(key)
      },
      async write({ scheme, bucket, key }, body) {
        written.push(`${scheme}://${bucket}/${key} ${Buffer.from(body)}`)
      },
    },
    's3://out/scores/',
  )
  return { scorer, written }
}
const soon = () => ({ deadline: Date.now() + 20_000, concurrency: 2 })

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

  it('reaches the right objects', async () => {
    const { scorer, written } = scoring(fixture.keys)
    const result = await workOn(itemsOf(fixture), { scorer, ...soon() })
    expect(result.failures).toEqual([])
    expect(written.sort()).toEqual(fixture.keys.map((key) => `s3://out/scores/${key} ${key}`).sort())
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

  it('a message that names no object fails alone', () => {
    const record = (messageId: string, body: string) => ({ messageId, body, eventSource: 'aws:sqs' })
    const good = JSON.stringify({ uri: 's3://in/a' })
    const work = awsWork({ Records: [record('1', good), record('2', 'no JSON'), record('3', '{}'), record('4', good)] })
    expect(work?.items.map(({ id, error }) => [id, error !== undefined])).toEqual([
      ['1', false],
      ['2', true],
      ['3', true],
      ['4', false],
    ])
  })

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

describe('objectScorer()', () => {
  const object = (key: string, more: Partial<ObjectReference> = {}): ObjectReference => ({
    scheme: 's3',
    bucket: 'in',
    key,
    ...more,
  })
  const options = { deadline: Date.now() + 20_000, signal: new AbortController().signal }

  it('takes the key whose object has the size that the event says', async () => {
    const { scorer, written } = scoring(['a b', 'a%20b'])
    await scorer.score(object('a b', { otherKeys: ['a%20b'], size: 5 }), options)
    await scorer.score(object('a b', { otherKeys: ['a%20b'], size: 3 }), options)
    await scorer.score(object('a b', { otherKeys: ['a%20b'], size: 9 }), options)
    expect(written).toEqual(['s3://out/scores/a%20b a%20b', 's3://out/scores/a b a b', 's3://out/scores/a b a b'])
  })

  it('does not score its own results', async () => {
    const { scorer, written } = scoring(['scores/a'])
    expect(await scorer.score({ scheme: 's3', bucket: 'out', key: 'scores/a' }, options)).toEqual({ status: 'skipped' })
    expect(written).toEqual([])
  })
})
