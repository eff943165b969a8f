import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LoadClient, startLoad } from './load.ts'

/** The repository. */
export const root = resolve(import.meta.dirname, '../..')

/** The bundle that users run; another one to compare with another build. */
const main = resolve(process.env.BENCH_MAIN || join(root, 'dist/cli/main.js'))

export const token = 'bench-token'
export const digits = join(root, 'packages/cli/examples/digits/digits.onnx')

export interface RunningServer {
  readonly port: number
  readonly pid: number
}

export interface Program {
  /** For messages. */
  readonly name: string
  readonly command: string
  readonly args: (port: number) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Answers 200 once it can serve. */
  readonly readyPath: string
}

/** node:http alone: reads a body, answers 500 bytes. What no server on Node can be faster than. */
export const emptyServer: Program = {
  name: 'empty server',
  command: process.execPath,
  args: (port) => [
    '--eval',
    `const answer = Buffer.alloc(500)
    require('node:http').createServer((message, response) => message.resume().on('end', () => {
      response.writeHead(200, { 'content-length': answer.length }).end(answer)
    })).listen(${port}, '127.0.0.1')`,
  ],
  readyPath: '/',
}

export interface Servers {
  start(program: Program): Promise<RunningServer>
  /** The bundle, serving one model as in production: signatures asked for, a log line per request, into a file. */
  startEas(service: { readonly name: string; readonly model: string; readonly rpc?: object }): Promise<RunningServer>
  startLoad(): LoadClient
  /** Has something else stopped with the servers. */
  stopLater(child: { stop(): Promise<void> }): void
}

/** Runs `use`, then stops all that it has started. */
export async function withServers(use: (servers: Servers) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'eas-bench-'))
  const children: { stop(): Promise<void> }[] = []
  const servers: Servers = {
    async start(program) {
      const { server, stop } = await start(program, folder)
      children.push({ stop })
      return server
    },
    startEas({ name, model, rpc }) {
      const file = join(folder, `${name}.json`)
      const metadata = { instance: 1, ...(rpc && { rpc }) }
      writeFileSync(file, JSON.stringify({ name, processor: 'pytorch_cpu_1.10', model_path: model, metadata }))
      const nodeArgs = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((arg) => arg !== '')
      return servers.start({
        name,
        command: process.execPath,
        args: (port) => [...nodeArgs, main, 'serve', file, '--host', '127.0.0.1', '--port', String(port)],
        env: { EAS_TOKEN: token, EAS_LOG_LEVEL: 'info' },
        readyPath: '/readyz',
      })
    },
    startLoad() {
      const load = startLoad()
      children.push(load)
      return load
    },
    stopLater: (child) => void children.push(child),
  }
  try {
    await use(servers)
  } finally {
    await Promise.all(children.map((child) => child.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 5000

async function start({ name, command, args, env, readyPath }: Program, folder: string) {
  const port = await freePort()
  const logFile = join(folder, `${name}.log`)
  const log = openSync(logFile, 'w')
  const child = spawn(command, args(port), { env: { ...process.env, ...env }, stdio: ['ignore', log, log] })
  closeSync(log)
  const failed = once(child, 'error').then(([error]) => Promise.reject(error))
  const ended = once(child, 'exit')
  failed.catch(() => {})

  const stop = async () => {
    if (child.exitCode !== null || child.signalCode || child.pid === undefined) return
    child.kill('SIGTERM')
    const killing = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await ended
    clearTimeout(killing)
  }
  try {
    await Promise.race([
      failed,
      ready(`http://127.0.0.1:${port}${readyPath}`, () => child.exitCode ?? child.signalCode),
    ])
  } catch (cause) {
    await stop()
    const said = readFileSync(logFile, 'utf8').trimEnd().slice(-1000)
    throw new Error(`Cannot start ${name}: ${cause instanceof Error ? cause.message : cause}\n${said}`, { cause })
  }
  return { server: { port, pid: child.pid ?? 0 }, stop }
}

async function ready(url: string, ended: () => number | string | null) {
  const deadline = Date.now() + startTimeoutMs
  while (Date.now() < deadline) {
    const end = ended()
    if (end !== null) throw new Error(`it ended with ${end}`)
    const response = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined)
    await response?.arrayBuffer()
    if (response?.status === 200) return
    await sleep(50)
  }
  throw new Error(`not ready after ${startTimeoutMs} ms`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || !address) throw new Error('A listening TCP server has an address')
  return address.port
}
