import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { exchange, rawRequest } from '../raw-http.ts'
import { cleanEnv } from '../server.ts'
import { type ClientRequest, type ClientResponse, relevant } from './client.ts'

export type Env = Readonly<Record<string, string>>

/** A bundle's file. */
export const bundled = (path: string) => new URL(`../../../dist/functions/${path}`, import.meta.url).pathname

/** A bundle that listens, as a process. */
export interface Container {
  readonly port: number
  readonly pid: number
  send(request: ClientRequest): Promise<ClientResponse & { readonly allHeaders: Readonly<Record<string, string>> }>
  /** Sends SIGTERM, and resolves with the exit code or the signal it died of. */
  end(): Promise<number | string>
}

/** Resolves once it listens, whether or not its model is loaded. */
export async function startContainer(bundle: string, env: Env): Promise<Container> {
  const child = spawn(process.execPath, [bundled(bundle)], {
    env: { ...cleanEnv(), ...env },
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
    void exited.then((code) => reject(new Error(`${bundle} ended with ${code}`)))
  })
  return {
    port,
    pid: child.pid ?? 0,
    async send({ method, target, headers, body = new Uint8Array() }) {
      const length: readonly [string, string] = ['Content-Length', String(body.length)]
      const own = headers.filter(([name]) => !/^(?:content-length|transfer-encoding|connection)$/i.test(name))
      const response = await exchange(
        port,
        rawRequest(method, target, [...own, ...(method === 'POST' ? [length] : [])], body),
      )
      if (!response) throw new Error(`${bundle} closed the connection`)
      const { status, headers: allHeaders } = response
      return { status, headers: relevant(allHeaders), allHeaders, body: response.body }
    },
    end() {
      child.kill('SIGTERM')
      return exited
    },
  }
}

/** A bundle whose functions are called, as a process: what goes in and comes out is JSON, as it is on the platforms. */
export interface HandlerProcess {
  /** @throws what the function threw, as a text. */
  call(name: string, event: unknown, context?: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Ends the process. */
  end(): Promise<void>
}

/**
 * @param runtime `lambda`: a module that is imported, called with an object. `lambda-stream`: its answers are what a
 * response stream was given. `fc`: a CommonJS module, called with bytes.
 */
export async function startHandler(runtime: 'lambda' | 'fc', bundle: string, env: Env): Promise<HandlerProcess> {
  const child = fork(new URL('../lambda-runtime.mjs', import.meta.url).pathname, [runtime, bundled(bundle)], {
    env: { ...cleanEnv(), ...env },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, (message: Message) => void>()
  let ended = false
  const exited = once(child, 'exit').then(() => {
    ended = true
    for (const settle of waiting.values()) settle({ id: 0, error: `${bundle} ended` })
  })
  child.on('message', (message: Message) => waiting.get(message.id)?.(message))
  let count = 0
  return {
    async call(name, event, context = {}) {
      const id = ++count
      const answer = new Promise<Message>((resolve) => {
        waiting.set(id, resolve)
        if (ended) resolve({ id, error: `${bundle} ended` })
      })
      child.send({ id, name, event: JSON.stringify(event), context }, () => {}) // that it has ended, `exited` says
      const { result, error } = await answer
      waiting.delete(id)
      if (error !== undefined) throw new Error(error)
      return result === undefined ? undefined : JSON.parse(result)
    },
    async end() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** What `lambda-runtime.mjs` answers a call with: its result as JSON, or why there is none. */
interface Message {
  readonly id: number
  readonly result?: string
  readonly error?: string
}
