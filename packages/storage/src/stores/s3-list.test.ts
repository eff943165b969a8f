import { describe, expect, it } from 'vitest'
import { parseListPage } from './s3-list.ts'

const entry = (key: string, etag = '&quot;abc&quot;', size = '3') =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>${etag}</ETag><Size>${size}</Size></Contents>`
const page = (entries: readonly string[], rest = '<IsTruncated>false</IsTruncated>') =>
  `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>${rest}${entries.join('')}</ListBucketResult>`
const parse = (xml: string, after?: string) => parseListPage(xml, '', after, 'list s3://b/')

describe('parseListPage()', () => {
  it('reads keys as they are, whatever had to be escaped', () => {
    const keys = ['a &amp; b', 'c&lt;d&gt;&quot;&apos;', 'e&#x2F;f', 'g&#228;&#x1F600;']
    const { objects } = parse(page(keys.map((key) => entry(key))))
    expect(objects.map(({ key }) => key)).toEqual(['a & b', `c<d>"'`, 'e/f', 'gä😀'])
    expect(objects[0]).toEqual({
      key: 'a & b',
      size: 3,
      version: 'abc',
      modified: new Date('2026-01-02T03:04:05.000Z'),
    })
  })

  it('says where the next page goes on', () => {
    const rest = '<IsTruncated>true</IsTruncated><NextContinuationToken>1&amp;2</NextContinuationToken>'
    expect(parse(page([entry('a')], rest)).next).toBe('1&2')
    expect(parse(page([entry('a')], rest.replace('true', 'false'))).next).toBeUndefined()
    expect(parse(page([])).objects).toEqual([])
  })

  it.each([
    ['is HTML', '<html><body>hello</body></html>'],
    ['is cut off', page([entry('a')]).slice(0, -10)],
    ['repeats a key', page([entry('a'), entry('a')])],
    ['goes back', page([entry('b'), entry('a')])],
    ['has a weak ETag', page([entry('a', 'W/&quot;abc&quot;')])],
    ['has no size', page([entry('a').replace('<Size>3</Size>', '')])],
    ['has a negative size', page([entry('a', '&quot;abc&quot;', '-1')])],
    ['does not say where it goes on', page([entry('a')], '<IsTruncated>true</IsTruncated>')],
  ])('refuses an answer that %s', (_, xml) => {
    expect(() => parse(xml)).toThrow('Cannot list s3://b/')
  })

  it('refuses a page that begins before the one before it ended', () => {
    expect(() => parse(page([entry('a')]), 'a')).toThrow('the keys are not in order')
  })

  it('reads 1,000 keys of hostile text in no time', () => {
    const xml = page([`<Contents>${'<Key>'.repeat(200_000)}</Contents>`])
    expect(() => parse(xml)).toThrow('an entry has no key')
  })
})
