import type { LookupFunction } from 'node:net'
import { describe, expect, it } from 'vitest'
import { checkHost, guardedLookup, isInside } from './address-guard.ts'
import { makeWire } from './wire.ts'

const forbidden = [
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '0.0.0.0',
  '224.0.0.1',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '[::ffff:169.254.169.254]',
  '[::ffff:a9fe:a9fe]',
  '[::169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]',
  '[::]',
  'metadata.google.internal',
  'METADATA.google.internal.',
  'metadata',
]
const allowed = [
  '127.0.0.1',
  '10.0.0.1',
  '100.118.28.50',
  '8.8.8.8',
  '[::1]',
  '[2001:db8::1]',
  'bucket.s3.amazonaws.com',
  'localhost',
]

describe('checkHost()', () => {
  it.each(forbidden)('refuses %s', (host) => expect(() => checkHost(host)).toThrow(/refused/))
  it.each(allowed)('lets %s pass', (host) => expect(() => checkHost(host)).not.toThrow())

  // WHATWG URLs read these as addresses; whoever checks the text is fooled.
  it.each([
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://①⑥⑨.254.169.254/',
  ])('refuses %s as a URL reads it', (url) => expect(() => checkHost(new URL(url).hostname)).toThrow(/refused/))
})

it.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:10.1.2.3', true],
  ['100.118.28.50', true],
  ['fd12::1', true],
  ['8.8.8.8', false],
  ['2606:4700::1', false],
])('isInside(%s) is %s', (address, inside) => expect(isInside(address)).toBe(inside))

describe('a name is refused for what it resolves to', () => {
  const resolvingTo =
    (...addresses: string[]): LookupFunction =>
    (_, options, callback) =>
      options.all
        ? callback(
            null,
            addresses.map((address) => ({ address, family: 4 })),
          )
        : callback(null, addresses[0] ?? '', 4)

  it.each([[['169.254.169.254']], [['8.8.8.8', '100.100.100.200']]])('%j', async (addresses) => {
    const wire = makeWire({ lookup: resolvingTo(...addresses) })
    const request = { method: 'GET', origin: new URL('http://innocent.example'), path: '/', doing: 'read it' }
    await expect(wire.send(request)).rejects.toMatchObject({ code: 'denied' })
    await expect(wire.resolve('innocent.example', 'read it')).rejects.toMatchObject({ code: 'denied' })
  })

  it('and passes with an address that is allowed', async () => {
    const lookup = guardedLookup(resolvingTo('8.8.8.8'))
    const found = await new Promise((resolve) => lookup('a.example', {}, (error, address) => resolve(error ?? address)))
    expect(found).toBe('8.8.8.8')
  })
})
