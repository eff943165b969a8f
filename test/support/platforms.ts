import { awsEvents, awsResponse, awsStreamed } from './platforms/aws-events.ts'
import { type ClientRequest, type RunningPlatform, relevant } from './platforms/client.ts'
import { fcContext, fcHeaders, fcHttpEvent, fcResponse } from './platforms/fc-events.ts'
import { type Container, type Env, startContainer, startHandler } from './platforms/processes.ts'
import { exchange, rawRequest } from './raw-http.ts'
import { serve } from './server.ts'

export type { ClientRequest, ClientResponse, RunningPlatform } from './platforms/client.ts'

/** One service, running on every platform at once. */
export interface EveryPlatform {
  readonly platforms: readonly RunningPlatform[]
  end(): Promise<void>
}

/** Starts every bundle as its platform starts it, each with its model loaded. */
export async function everyPlatform(env: Env & { readonly SERVICE_JSON: string }): Promise<EveryPlatform> {
  const [plain, run, container, lambda, fc] = await Promise.all([
    serve({ args: [env.SERVICE_JSON], env }),
    cloudRun(env),
    fcContainer(env),
    startHandler('lambda', 'aws-lambda/index.js', env),
    startHandler('fc', 'aliyun-fc/index.js', env),
  ])
  await fc.call('initialize', null, { ...fcContext(), isHook: true })
  const aws = Object.entries(awsEvents).map(
    ([name, toEvent]): RunningPlatform => ({
      name: `AWS Lambda, ${name}`,
      send: async (request) => awsResponse(await lambda.call('handler', toEvent(request))),
    }),
  )
  let round = 0
  return {
    platforms: [
      { name: 'the server', send: (request) => sendTo(plain.port, request) },
      { name: 'Cloud Run', send: (request) => run.send(request) },
      { name: 'a container of Function Compute', send: (request) => container.send(throughHttpTrigger(request)) },
      {
        name: 'Function Compute',
        send: async (request) => fcResponse(await fc.call('handler', fcHttpEvent(request), fcContext(++round))),
      },
      ...aws,
      {
        name: 'AWS Lambda, streamed',
        send: async (request) => awsStreamed(await lambda.call('streamHandler', awsEvents['function URL'](request))),
      },
    ],
    async end() {
      await Promise.all([plain.stop(), run.end(), container.end(), lambda.end(), fc.end()])
    },
  }
}

async function sendTo(port: number, { method, target, headers, body = new Uint8Array() }: ClientRequest) {
  const own = headers.filter(([name]) => !/^(?:content-length|transfer-encoding|connection)$/i.test(name))
  const length = method === 'POST' ? [['Content-Length', String(body.length)] as const] : []
  const response = await exchange(port, rawRequest(method, target, [...own, ...length], body))
  if (!response) throw new Error('The server closed the connection')
  return { status: response.status, headers: relevant(response.headers), body: response.body }
}

/** Cloud Run: a process that listens on `$PORT`, and gets requests once `/readyz` is 200. */
export async function cloudRun(env: Env): Promise<Container> {
  const instance = await startCloudRun(env)
  const probe = { method: 'GET', target: '/readyz', headers: [['Host', 'probe']] } as const
  while ((await instance.send(probe)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50))
  return instance
}

/** Resolves once it listens, whether or not its model is loaded. */
export const startCloudRun = (env: Env) => startContainer('gcp-cloud-run/index.js', { ...env, PORT: '0' })

/** Function Compute: a process that is initialized before requests come. */
export async function fcContainer(env: Env): Promise<Container> {
  const container = await startFcContainer(env)
  const { status, body } = await container.send(fcControl('/initialize'))
  if (status !== 200) throw new Error(`/initialize: ${status} ${body}`)
  return container
}

export const startFcContainer = (env: Env) =>
  startContainer('aliyun-fc/app/container.js', { ...env, FC_SERVER_PORT: '0' })

/** A call of Function Compute's own to a container. @param round Which credentials it brings. */
export const fcControl = (path: string, body?: Uint8Array, round = 0): ClientRequest => ({
  method: path === '/pre-stop' ? 'GET' : 'POST',
  target: path,
  headers: [['Host', 'fc'], ...fcHeaders(path, round)],
  ...(body ? { body } : {}),
})

/** A client's request as Function Compute hands it on: with headers of its own in place of the client's of the same names. */
export const throughHttpTrigger = (request: ClientRequest, round = 0): ClientRequest => ({
  ...request,
  headers: [...request.headers.filter(([name]) => !/^x-fc-/i.test(name)), ...fcHeaders('/http-invoke', round)],
})

/** AWS Lambda, called with the events of a function URL. */
export async function lambda(env: Env): Promise<RunningPlatform & { end(): Promise<void> }> {
  const handler = await startHandler('lambda', 'aws-lambda/index.js', env)
  return {
    name: 'AWS Lambda',
    send: async (request) => awsResponse(await handler.call('handler', awsEvents['function URL'](request))),
    end: () => handler.end(),
  }
}
