import { describe, expect, it } from 'vitest'
import { headersOf, tokenFromEnv } from './client.ts'

const now = new Date('2026-01-01T00:00:00Z')
const token = 'synthetic-token-0001'
const hello = new TextEncoder().encode('hello')

describe('headersOf()', () => {
  // eas-wire 2.4, "Fixed test vectors"
  it.each([
    ['http://host/api/predict/demo', hello, 'EAS F+piKwL+PjZG0h0xkqvv1U2Jd7s='],
    ['http://host/api/predict/demo', new Uint8Array(), 'EAS xEX8I+dtb0iUJyApmljtEIlHUGI='],
    ['http://host/api/predict/demo/v3?uid=1+2', hello, 'EAS ioZlrKDIJeRTpxdGE9Yq6oMvwi8='],
    ['http://host/stage/api/predict/demo', hello, 'EAS F+piKwL+PjZG0h0xkqvv1U2Jd7s='],
    ['http://host/custom/base', hello, 'EAS gaC5KdFfInDNt6l2m7+6DLQVcQw='],
  ])('signs %s as the SDKs do', (url, body, authorization) => {
    const headers = headersOf('POST', new URL(url), body, { token, sign: true }, now)
    expect(headers.authorization).toBe(authorization)
    expect(headers.date).toBe('Thu, 01 Jan 2026 00:00:00 GMT')
  })

  it('keeps the zeros that Content-MD5 begins with', () => {
    const body = new TextEncoder().encode('lead533')
    const headers = headersOf('POST', new URL('http://host/api/predict/demo'), body, { token, sign: true }, now)
    expect(headers['content-md5']).toBe('003e5a6f2e3d6e2ea182047b4bc1b484')
    expect(headers.authorization).toBe('EAS PPhc4GUgyPmzoXq/9TTYebPwB3k=')
  })

  it('sends the token itself, or nothing', () => {
    const url = new URL('http://host/api/predict/demo')
    expect(headersOf('POST', url, hello, { token, sign: false }).authorization).toBe(token)
    expect(headersOf('POST', url, hello, { token: '', sign: false })).toEqual({
      'content-type': 'application/octet-stream',
      'content-length': '5',
    })
  })
})

describe('tokenFromEnv()', () => {
  it('refuses what no header carries, without showing it', () => {
    expect(tokenFromEnv({ EAS_TOKEN: 'a+/=' })).toBe('a+/=')
    expect(tokenFromEnv({})).toBe('')
    expect(tokenFromEnv({ EAS_TOKEN: 'from-a-file\n' })).toBe('from-a-file')
    expect(() => tokenFromEnv({ EAS_TOKEN: 'secret secret' })).toThrow(/^Cannot use EAS_TOKEN: (?!.*secret)/)
  })
})
