import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** A database of this machine's own, in a folder that is removed in the end. */
export interface DatabaseServer {
  readonly url: string
  /** Ends the process as a crash would; `start` brings it back with what it had kept. */
  kill(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('There is no port')
  return address.port
}

async function until(isReady: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (isReady()) return
    await setTimeout(100)
  }
  throw new Error(`${what} has not started within 30 s`)
}

const succeeds = (command: string, args: readonly string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve))
}

/** Debian: `apt-get install redis-server`. */
export async function startRedis(): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes']
    child = spawn('redis-server', args, { stdio: 'ignore' })
    await until(() => succeeds('redis-cli', ['-p', String(port), 'ping']), 'redis-server')
  }
  const kill = async () => {
    child?.kill('SIGKILL')
    if (child) await ended(child)
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    async close() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Debian: `apt-get install postgresql`. PostgreSQL refuses to run as root, so then it runs as `postgres`. */
export async function startPostgres(): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  const port = await freePort()
  const isRoot = process.getuid?.() === 0
  const as = (command: string, args: readonly string[]) =>
    isRoot ? (['runuser', ['-u', 'postgres', '--', command, ...args]] as const) : ([command, args] as const)
  if (isRoot) execFileSync('chown', ['postgres', folder])
  const [initCommand, initArgs] = as(program('initdb'), [
    '-D',
    join(folder, 'data'),
    '-U',
    'eas',
    '--auth=trust',
    '-E',
    'UTF8',
  ])
  execFileSync(initCommand, initArgs, { stdio: 'ignore', cwd: folder })
  let child: ChildProcess | undefined
  const start = async () => {
    const options = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-k', folder, '-c', 'fsync=off']
    const [command, args] = as(program('postgres'), ['-D', join(folder, 'data'), ...options])
    child = spawn(command, args, { stdio: 'ignore', cwd: folder })
    const probe = ['-h', '127.0.0.1', '-p', String(port), '-U', 'eas', '-d', 'postgres', '-c', 'SELECT 1']
    await until(() => succeeds(program('psql'), probe), 'postgres')
  }
  const stop = async (mode: 'fast' | 'immediate') => {
    const [command, args] = as(program('pg_ctl'), ['-D', join(folder, 'data'), '-m', mode, 'stop'])
    succeeds(command, args)
    if (child) await ended(child)
  }
  await start()
  return {
    url: `postgres://eas@127.0.0.1:${port}/postgres`,
    kill: () => stop('immediate'),
    start,
    async close() {
      await stop('immediate')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A program of the newest PostgreSQL here; Debian keeps them out of the PATH. */
function program(name: string): string {
  const root = '/usr/lib/postgresql'
  const [newest] = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  const path = newest ? join(root, newest, 'bin', name) : name
  return existsSync(path) ? path : name
}
