import { EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { authorize, signature as sign } from './authorize.ts'

const token = 'synthetic-token-0001'
const date = 'Thu, 01 Jan 2026 00:00:00 GMT'
const options = { basePaths: [], dateSkewSecondsMax: 0, now: () => Date.parse(date) }

const check = (headers: Record<string, string>, target: string, more: object = {}) => {
  try {
    authorize({ method: 'POST', target, headers }, token, { ...options, ...more })
    return 200
  } catch (thrown) {
    return EasError.from(thrown).status
  }
}
const octet = 'application/octet-stream'
const signed = (signature: string, md5: string, contentType = octet) => ({
  authorization: `EAS ${signature}`,
  'content-md5': md5,
  'content-type': contentType,
  date,
})

describe('authorize()', () => {
  // eas-wire 2.4, "Fixed test vectors": computed from the formula that reproduces all 74 captured signatures.
  const hello = '5d41402abc4b2a76b9719d911017c592'
  it.each([
    ['Python, Java and Go', 'F+piKwL+PjZG0h0xkqvv1U2Jd7s=', hello, octet, '/api/predict/demo', []],
    [
      'an empty body',
      'xEX8I+dtb0iUJyApmljtEIlHUGI=',
      'd41d8cd98f00b204e9800998ecf8427e',
      octet,
      '/api/predict/demo',
      [],
    ],
    [
      'another Content-Type',
      '2JMLHvEsmyUcJ9cjGGLO50fr6b0=',
      '99914b932bd37a50b983c5e7c90ae93b',
      'application/json',
      '/api/predict/demo',
      [],
    ],
    ['a path with a query', 'ioZlrKDIJeRTpxdGE9Yq6oMvwi8=', hello, octet, '/api/predict/demo/v3?uid=1+2', []],
    ['Java setUrl on its own path', 'gaC5KdFfInDNt6l2m7+6DLQVcQw=', hello, octet, '/custom/base', []],
    [
      'Java setUrl behind a platform that strips the path',
      'gaC5KdFfInDNt6l2m7+6DLQVcQw=',
      hello,
      octet,
      '/',
      ['/custom/base'],
    ],
    [
      'the slash that Go signs but does not send',
      'qwB4rGmqM2tyZjrkIJVG0LJ9pno=',
      hello,
      octet,
      '/api/predict/demo',
      [],
    ],
    [
      'Java leaving out leading zeros',
      'sVBYrsihz4TAWgQc2ysYiHoL1Ss=',
      '3e5a6f2e3d6e2ea182047b4bc1b484',
      octet,
      '/api/predict/demo',
      [],
    ],
    [
      'the same body from Python and Go',
      'PPhc4GUgyPmzoXq/9TTYebPwB3k=',
      '003e5a6f2e3d6e2ea182047b4bc1b484',
      octet,
      '/api/predict/demo',
      [],
    ],
    ['a path prefix that is not signed', 'F+piKwL+PjZG0h0xkqvv1U2Jd7s=', hello, octet, '/stage/api/predict/demo', []],
    ['doubled slashes', 'F+piKwL+PjZG0h0xkqvv1U2Jd7s=', hello, octet, '//api/predict/demo', []],
    ['a target that is a whole URL', 'F+piKwL+PjZG0h0xkqvv1U2Jd7s=', hello, octet, 'http://h:1/api/predict/demo', []],
    [
      'a query that is not signed, as Python does',
      'F+piKwL+PjZG0h0xkqvv1U2Jd7s=',
      hello,
      octet,
      '/api/predict/demo?x=1',
      [],
    ],
    [
      'a query that a platform spells another way',
      'ioZlrKDIJeRTpxdGE9Yq6oMvwi8=',
      hello,
      octet,
      '/api/predict/demo/v3?uid=1%202',
      [],
    ],
    [
      'a Content-Type that Go changed after signing',
      'F+piKwL+PjZG0h0xkqvv1U2Jd7s=',
      hello,
      'text/plain',
      '/api/predict/demo',
      [],
    ],
  ])('accepts %s', (_, signature, md5, contentType, target, basePaths) => {
    expect(check(signed(signature, md5, contentType), target, { basePaths })).toBe(200)
  })

  it.each(['/api/predict/demo/v1?', '/api/predict/demo/v1'])('accepts an empty query that is signed: %s', (target) => {
    const lines = `POST\n${hello}\n${octet}\n${date}\n/api/predict/demo/v1?`
    expect(check(signed(sign(token, lines), hello), target)).toBe(200)
  })

  it('accepts the token itself', () => {
    expect(check({ authorization: token }, '/api/predict/demo')).toBe(200)
  })

  it.each([
    ['nothing', {}],
    ['an empty header', { authorization: '' }],
    ['another token', { authorization: 'synthetic-token-0002' }],
    ['a part of the token', { authorization: token.slice(0, -1) }],
    ['the token with a scheme', { authorization: `Bearer ${token}` }],
    ['a signature of another body', signed('F+piKwL+PjZG0h0xkqvv1U2Jd7s=', '00000000000000000000000000000000')],
    ['a signature that is cut', signed('F+piKwL+PjZG0h0xkqvv1U2Jd7', hello)],
    ['an empty signature', signed('', hello)],
    ['the signature of another path', signed('ioZlrKDIJeRTpxdGE9Yq6oMvwi8=', hello)],
  ])('refuses %s with 401', (_, headers) => {
    expect(check(headers, '/api/predict/demo')).toBe(401)
  })

  it('looks at Date only when asked to, and then takes local time for GMT', () => {
    const headers = signed('F+piKwL+PjZG0h0xkqvv1U2Jd7s=', hello)
    const hours = (count: number) => () => Date.parse(date) + count * 3_600_000
    expect(check(headers, '/api/predict/demo', { now: hours(1000) })).toBe(200)
    expect(check(headers, '/api/predict/demo', { now: hours(8), dateSkewSecondsMax: 50_400 })).toBe(200)
    expect(check(headers, '/api/predict/demo', { now: hours(15), dateSkewSecondsMax: 50_400 })).toBe(401)
    expect(check({ ...headers, date: 'yesterday' }, '/api/predict/demo', { dateSkewSecondsMax: 50_400 })).toBe(401)
  })

  it('survives targets that cannot be decoded', () => {
    expect(check(signed('xxxx', hello), '/api/predict/demo%zz?%E4%BD')).toBe(401)
  })

  it.each(['latin1', 'utf8'] as const)('takes a token that is not ASCII in the bytes of %s', (encoding) => {
    const token = 'geheim-ü'
    const received = (text: string) => Buffer.from(text, encoding).toString('latin1')
    const ask = (given: string) =>
      authorize({ method: 'POST', target: '/', headers: { authorization: received(given) } }, token, options)
    expect(() => ask(token)).not.toThrow()
    expect(() => ask('geheim-ö')).toThrow('Authorization is not valid')
  })
})
