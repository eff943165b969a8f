import { fork, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { exchange, rawRequest } from './raw-http.ts'
import { cleanEnv } from './server.ts'

/** A request as a client sends it. */
export interface ClientRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: Uint8Array
}

/** What a client gets, as far as every platform must agree about it. */
export interface ClientResponse {
  readonly status: number
  readonly contentType: string | undefined
  readonly body: Buffer
}

/** A function's bundle, running as its platform runs it. */
export interface RunningPlatform {
  send(request: ClientRequest): Promise<ClientResponse>
  /** Sends SIGTERM, and resolves with the exit code or the signal it died of. */
  end(): Promise<number | string>
}

export interface CloudRunInstance extends RunningPlatform {
  readonly port: number
}

const bundleOf = (name: string) => new URL(`../../dist/functions/${name}/index.js`, import.meta.url).pathname
const environment = (env: Readonly<Record<string, string>>) => ({ ...cleanEnv(), ...env })

/** Cloud Run: a process that listens on `$PORT`, and gets requests once `/readyz` is 200. */
export async function cloudRun(env: Readonly<Record<string, string>>): Promise<CloudRunInstance> {
  const instance = await startCloudRun(env)
  const probe = { method: 'GET', target: '/readyz', headers: [['Host', 'probe']] } as const
  while ((await instance.send(probe)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50))
  return instance
}

/** Resolves once it listens, whether or not its model is loaded. */
export async function startCloudRun(env: Readonly<Record<string, string>>): Promise<CloudRunInstance> {
  const child = spawn(process.execPath, [bundleOf('gcp-cloud-run')], {
    env: environment({ ...env, PORT: '0' }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const { msg, port } = JSON.parse(line)
      if (msg === 'listening') resolve(port)
    })
    void exited.then((code) => reject(new Error(`The Cloud Run entry ended with ${code}`)))
  })
  return {
    port,
    async send({ method, target, headers, body = new Uint8Array() }) {
      const length: readonly [string, string] = ['Content-Length', String(body.length)]
      const response = await exchange(
        port,
        rawRequest(method, target, [...withoutLength(headers), ...(method === 'POST' ? [length] : [])], body),
      )
      if (!response) throw new Error('The Cloud Run entry closed the connection')
      return { status: response.status, contentType: response.headers['content-type'], body: response.body }
    },
    end() {
      child.kill('SIGTERM')
      return exited
    },
  }
}

/** Lambda: a process that is handed JSON and hands JSON back, one event at a time. */
export async function lambda(env: Readonly<Record<string, string>>): Promise<RunningPlatform> {
  const child = fork(new URL('lambda-runtime.mjs', import.meta.url).pathname, [bundleOf('aws-lambda')], {
    env: environment(env),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  let answered: (message: LambdaMessage) => void = () => {}
  child.on('message', (message) => answered(message as LambdaMessage)) // lambda-runtime.mjs sends nothing else
  const next = () =>
    new Promise<LambdaMessage>((resolve, reject) => {
      answered = resolve
      void exited.then((code) => reject(new Error(`The Lambda handler ended with ${code}`)))
    })
  await next()
  let last: Promise<unknown> = Promise.resolve()

  async function invoke(request: ClientRequest): Promise<ClientResponse> {
    const answer = next()
    child.send(JSON.stringify(functionUrlEvent(request)), () => {}) // that it has ended, `answer` says
    const { result, error } = await answer
    if (!result) throw new Error(error)
    const { statusCode, headers, body, isBase64Encoded } = JSON.parse(result)
    return {
      status: statusCode,
      contentType: headers['content-type'],
      body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
    }
  }

  return {
    send(request) {
      const answer = last.then(() => invoke(request))
      last = answer.catch(() => {})
      return answer
    },
    end() {
      child.kill('SIGTERM')
      return exited
    },
  }
}

/** What `lambda-runtime.mjs` sends: once that it is up, then for each event its result as JSON, or why there is none. */
interface LambdaMessage {
  readonly result?: string
  readonly error?: string
}

/** The event of a function URL, payload format 2.0: bodies come as base64 unless their type says that they are text. */
function functionUrlEvent({ method, target, headers, body }: ClientRequest) {
  const [rawPath, rawQueryString = ''] = target.split('?', 2)
  const isText = headers.some(([name, value]) => /^content-type$/i.test(name) && /^text\/|json/.test(value))
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    requestContext: { http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' } },
    ...(body && body.length > 0 ? { body: Buffer.from(body).toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: body !== undefined && body.length > 0 && !isText,
  }
}

const withoutLength = (headers: ClientRequest['headers']) =>
  headers.filter(([name]) => !/^(?:content-length|transfer-encoding|connection)$/i.test(name))
