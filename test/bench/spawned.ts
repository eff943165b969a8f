import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { predictRequest } from './http-request.ts'
import { root, token } from './servers.ts'

const main = resolve(process.env.BENCH_MAIN || `${root}/dist/cli/main.js`)

export interface Spawned {
  /** From the start of the process until its first answer has come whole. */
  readonly firstAnswerMs: number
  /** Of the model: what `/readyz` says at the end. */
  readonly loadMs: number
  /** Largest resident memory of the process until the end. */
  readonly peakBytes: number
  /** Latencies of the requests after the first. */
  readonly laterMs: readonly number[]
  readonly firstMs: number
  /** Latencies of further ones, each after a rest as long as the client's before the first, when nobody asked for anything. */
  readonly restedMs: readonly number[]
}

export interface SpawnOptions {
  readonly serviceJson: string
  readonly service: string
  readonly request: Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Requests after the first. */
  readonly more?: number
  /** Whether the first request waits until `/readyz` is 200, which is after warm-up. */
  readonly waitsUntilReady?: boolean
}

/** Starts the bundled server, asks it once it listens, and stops it. */
export async function spawnServer(options: SpawnOptions): Promise<Spawned> {
  const { serviceJson, service, request, env = {}, more = 0, waitsUntilReady = false } = options
  const port = await freePort()
  const start = performance.now()
  const child = spawn(process.execPath, [main, 'serve', serviceJson, '--port', String(port)], {
    env: { ...process.env, EAS_TOKEN: token, EAS_LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    const bytes = predictRequest(service, token, request)
    const socket = await connected(port)
    if (waitsUntilReady) while ((await readiness(port)).status !== 200) await sleep(5)
    const asked = performance.now()
    await exchange(socket, bytes)
    const answered = performance.now()
    const laterMs: number[] = []
    for (let i = 0; i < more; i++) {
      const from = performance.now()
      await exchange(socket, bytes)
      laterMs.push(performance.now() - from)
    }
    const restedMs: number[] = []
    for (let i = 0; i < (more > 0 ? 9 : 0); i++) {
      await sleep(5)
      const from = performance.now()
      await exchange(socket, bytes)
      restedMs.push(performance.now() - from)
    }
    socket.destroy()
    const { loadMs } = await readiness(port)
    const [, peak = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
    return {
      firstAnswerMs: answered - start,
      firstMs: answered - asked,
      loadMs,
      peakBytes: Number(peak) * 1024,
      laterMs,
      restedMs,
    }
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

/** A bundled server that stays, for requests one after the other. */
export async function keepServer(serviceJsons: readonly string[], env: Readonly<Record<string, string>>) {
  const port = await freePort()
  const child = spawn(process.execPath, [main, 'serve', ...serviceJsons, '--port', String(port)], {
    env: { ...process.env, EAS_TOKEN: token, EAS_LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const socket = await connected(port)
  return {
    pid: child.pid ?? 0,
    ask: (service: string, request: Uint8Array) => exchange(socket, predictRequest(service, token, request)),
    end() {
      socket.destroy()
      child.kill('SIGKILL')
    },
  }
}

/** Starts a Node script and waits for its first byte of output. */
export async function spawnScript(script: string, args: readonly string[]): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, ['--eval', script, '--', ...args], {
    cwd: root,
    // As the server does without; with it the script would start later.
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  const ms = performance.now() - start
  await ended
  return ms
}

async function readiness(port: number): Promise<{ status: number; loadMs: number }> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  const { services } = (await response.json()) as { services: { loadMs?: number }[] } // the server's own form
  return { status: response.status, loadMs: services[0]?.loadMs ?? Number.NaN }
}

/** Asks every 5 ms, since a server that starts has use for every core; it listens longer than that before its model is there. */
async function connected(port: number): Promise<Socket> {
  for (let tries = 0; tries < 4_000; tries++) {
    const socket = connect(port, '127.0.0.1')
    const [error] = await Promise.race([once(socket, 'connect').then(() => [undefined]), once(socket, 'error')]).catch(
      (thrown) => [thrown],
    )
    if (!error) return socket
    await sleep(5)
  }
  throw new Error('The server does not listen')
}

/** Sends a request and reads its answer whole. @throws When it is not 200. */
async function exchange(socket: Socket, bytes: Uint8Array): Promise<void> {
  let text = Buffer.alloc(0)
  const done = new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      text = Buffer.concat([text, chunk])
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = text.subarray(0, end).toString('latin1')
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (text.length < end + 4 + length) return
      socket.off('data', onData).off('error', reject)
      if (head.startsWith('HTTP/1.1 200')) resolve()
      else reject(new Error(`The answer is ${head.split('\r\n')[0]}: ${text.subarray(end + 4).toString()}`))
    }
    socket.on('data', onData).on('error', reject)
  })
  socket.write(bytes)
  await done
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number } // listening on TCP
  server.close()
  await once(server, 'close')
  return port
}
