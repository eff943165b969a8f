import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { RawResponse } from './raw-http.ts'

const main = join(import.meta.dirname, '../../dist/cli/main.js')

/** A `serve` process under test. */
export interface RunningServer {
  readonly port: number
  readonly child: ChildProcess
  /** Resolves with the exit code, or the name of the signal. */
  readonly exited: Promise<number | string>
  /** Everything it has written to standard error. */
  stderr(): string
  /** Everything it has written to standard output: its log. */
  log(): string
  rssBytes(): number
  stop(): Promise<void>
}

export interface ServeOptions {
  /** Arguments after `serve`. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Of Node, such as `--max-old-space-size=512`. */
  readonly nodeArgs?: readonly string[]
  /** Resolve as soon as it answers, whether or not its models are loaded. */
  readonly unready?: true
}

/** Starts the bundle on a free port and waits until it says that it is ready. */
export async function serve({ args, env = {}, nodeArgs = [], unready }: ServeOptions): Promise<RunningServer> {
  const port = await freePort()
  const child = spawn(process.execPath, [...nodeArgs, main, 'serve', ...args, '--port', String(port)], {
    env: { ...cleanEnv(), EAS_LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  let log = ''
  child.stdout.on('data', (chunk) => {
    log += chunk
  })
  const exited = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  const up = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      stderr += chunk
      if (/ is ready on \w+: http/.test(stderr)) resolve()
    })
    void exited.then((code) => reject(new Error(`serve ended with ${code}: ${stderr}`)))
  })
  const server: RunningServer = {
    port,
    child,
    exited,
    stderr: () => stderr,
    log: () => log,
    rssBytes: () => rssBytes(child.pid),
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
  if (unready) up.catch(() => {})
  else await up
  return server
}

/** A run that is expected to end by itself. */
export async function serveToEnd(
  options: ServeOptions,
): Promise<{ code: number | string; stderr: string; ms: number }> {
  const start = performance.now()
  const server = await serve({ ...options, unready: true })
  const code = await server.exited
  return { code, stderr: server.stderr(), ms: performance.now() - start }
}

/** Process ids of a process's children; where `EAS_ISOLATION=process` puts its models. */
export function childrenOf(pid: number | undefined): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

/** Resident memory of a process. */
export const rssBytes = (pid: number | undefined): number =>
  1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

/** What `/proc` shows of how a process was started. */
export const environmentOf = (pid: number): string => readFileSync(`/proc/${pid}/environ`, 'latin1')

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (typeof address !== 'object' || !address) throw new Error('No port')
  return address.port
}

/** The environment of the tests without what would configure the server. */
export const cleanEnv = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:EAS_|PORT$|HOST$|NODE_OPTIONS$|VITEST)/.test(name)),
  )

/** One sample of a metric in Prometheus text; 0 when there is none yet. */
export function sample(metrics: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  for (const line of metrics.split('\n')) {
    const [, found, inside = '', number] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (found === name && Object.entries(labels).every(([key, value]) => inside.includes(`${key}="${value}"`))) {
      return Number(number)
    }
  }
  return 0
}

/** The text of a response, as its client would show it. */
export const textOf = (response: RawResponse | undefined) => response?.body.toString('utf8') ?? ''
