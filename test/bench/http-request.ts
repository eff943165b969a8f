import { createHash, createHmac } from 'node:crypto'

/**
 * A whole HTTP/1.1 prediction request as the Python SDK sends it, signed with `token`.
 * @see eas-wire 2.3, "Signature", and 2.4 for the headers of each SDK
 */
export function predictRequest(service: string, token: string, body: Uint8Array): Uint8Array {
  const target = `/api/predict/${service}`
  const md5 = createHash('md5').update(body).digest('hex')
  const date = new Date().toUTCString()
  const contentType = 'application/octet-stream'
  const signature = createHmac('sha1', token)
    .update(`POST\n${md5}\n${contentType}\n${date}\n${target}`)
    .digest('base64')
  return request('POST', target, body, {
    'Accept-Encoding': 'identity',
    'Content-MD5': md5,
    Date: date,
    'Content-Type': contentType,
    'Content-Length': String(body.length),
    Authorization: `EAS ${signature}`,
    'User-Agent': 'python-urllib3/1.26.20',
  })
}

/** As PAI-Rec's own client sends it: the token itself. */
export const tokenRequest = (service: string, token: string, body: Uint8Array): Uint8Array =>
  request('POST', `/api/predict/${service}`, body, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(body.length),
    Authorization: token,
  })

export const getRequest = (target: string): Uint8Array => request('GET', target, new Uint8Array(), {})

function request(method: string, target: string, body: Uint8Array, headers: Readonly<Record<string, string>>) {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: 127.0.0.1']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body])
}
