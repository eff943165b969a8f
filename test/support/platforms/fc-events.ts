import { type ClientRequest, type ClientResponse, headerValues, isText, relevant } from './client.ts'

/** The event of an HTTP trigger of Function Compute 3.0. @see functions/aliyun-fc/src/event.ts for the page */
export function fcHttpEvent({ method, target, headers, body }: ClientRequest) {
  const at = target.indexOf('?')
  const rawPath = at < 0 ? target : target.slice(0, at)
  const text = isText(headers)
  const parameters: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(at < 0 ? '' : target.slice(at + 1))) {
    parameters[name] = name in parameters ? `${parameters[name]},${value}` : value
  }
  return {
    version: 'v1',
    rawPath,
    body: Buffer.from(body ?? new Uint8Array()).toString(text ? 'utf8' : 'base64'),
    isBase64Encoded: !text,
    // Their first letters are capitals, as in the page's sample.
    headers: Object.fromEntries(
      [...headerValues(headers)].map(([name, values]) => [
        name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase()),
        values.join(','),
      ]),
    ),
    queryParameters: parameters,
    requestContext: {
      accountId: '123456*********',
      domainName: 'sum-test-tntxxnkxrp.cn-hangzhou.fcapp.run',
      domainPrefix: 'sum-test-tntxxnkxrp',
      requestId: '1-64f6cd87-*************',
      time: '2026-11-21T10:00:00Z',
      timeEpoch: '1795255200000',
      http: { method, path: decodeURI(rawPath), protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
    },
  }
}

/** What the answer becomes on the wire. */
export function fcResponse(result: unknown): ClientResponse {
  const { statusCode, headers, body, isBase64Encoded } = result as {
    statusCode: number
    headers: Record<string, string>
    body: string
    isBase64Encoded: boolean
  } // what the function answered, which the tests compare
  return {
    status: statusCode,
    headers: relevant(headers),
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  }
}

/** The context of an invocation. Its credentials are others each time, as Function Compute's are. */
export const fcContext = (round = 0) => ({
  requestId: `1-64f6cd87-${round}`,
  credentials: {
    accessKeyId: `STS.NSk${round}`,
    accessKeySecret: `secret-${round}`,
    securityToken: `token-${round}`,
  },
  function: { name: 'eas', handler: 'index.handler', memory: 1024, timeout: 30 },
  service: { logProject: '', logStore: '', qualifier: 'LATEST', versionId: '' },
  region: 'cn-hangzhou',
  accountId: '123456',
})

/** The headers that the platform puts on what it sends to a container. */
export const fcHeaders = (controlPath: string, round = 0): readonly (readonly [string, string])[] => {
  const { requestId, credentials, region, accountId } = fcContext(round)
  return [
    ['x-fc-request-id', requestId],
    ['x-fc-control-path', controlPath],
    ['x-fc-access-key-id', credentials.accessKeyId],
    ['x-fc-access-key-secret', credentials.accessKeySecret],
    ['x-fc-security-token', credentials.securityToken],
    ['x-fc-function-name', 'eas'],
    ['x-fc-function-timeout', '30'],
    ['x-fc-region', region],
    ['x-fc-account-id', accountId],
  ]
}
