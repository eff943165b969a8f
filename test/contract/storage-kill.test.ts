import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { pack } from 'tar-stream'
import { afterAll, expect, it } from 'vitest'
import { startS3Server } from '../support/storage/s3-server.ts'

// 200 moments with EAS_FULL=1, as many as a busy machine has time for without.
const kills = process.env.EAS_FULL ? 200 : 40
const folder = await mkdtemp(join(tmpdir(), 'eas-kill-'))
const s3 = await startS3Server()
afterAll(async () => {
  await s3.close()
  await rm(folder, { recursive: true })
})

/** Bytes that do not compress, the same in every run. */
const noise = (seed: string, size: number) =>
  Buffer.concat(
    Array.from({ length: Math.ceil(size / 64) }, (_, i) => createHash('sha512').update(`${seed}${i}`).digest()),
  ).subarray(0, size)

async function archiveOf(files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const tar = pack()
  for (const [name, bytes] of files) tar.entry({ name }, bytes)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as AsyncIterable<unknown> as AsyncIterable<Buffer>) chunks.push(chunk) // tar-stream does not say so
  return gzipSync(Buffer.concat(chunks))
}

it(`killed at ${kills} random moments of download, unpacking and filling the cache, the next start is clean and right`, async () => {
  const files = new Map(Array.from({ length: 12 }, (_, i) => [`variables/part-${i}`, noise(`${i}`, 100_000 + i)]))
  s3.put('bucket/model.tar.gz', await archiveOf(files))
  const script = join(folder, 'child.mjs')
  const entry = join(import.meta.dirname, '..', 'support', 'storage', 'kill-child.ts')
  // One file that starts quickly. What it does not need, the SDK, is left outside.
  const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
  await build({
    entryPoints: [entry],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@aws-sdk/*'],
    banner: { js: banner },
    logLevel: 'error',
  })
  const root = join(folder, 'cache')
  const sums = JSON.stringify(Object.fromEntries([...files].map(([path, bytes]) => [path, crc32(bytes)])))
  const start = () =>
    spawn(process.execPath, [script, s3.endpoint, root, sums], { stdio: ['ignore', 'pipe', 'inherit'] })

  // How long one takes from its first line to its last.
  let longestMs = 0
  for (let i = 0; i < 3; i++) {
    await rm(root, { recursive: true, force: true })
    const child = start()
    await line(child, 'ready')
    const from = performance.now()
    await line(child, 'ok')
    longestMs = Math.max(longestMs, performance.now() - from)
    expect(await ended(child)).toBe(0)
  }

  let unfinished = 0
  for (let i = 0; i < kills; i++) {
    // Starting from nothing, from what the last one left, or from a complete entry.
    if (i % 4 === 0) await rm(root, { recursive: true, force: true })
    const child = start()
    await line(child, 'ready')
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longestMs))
    child.kill('SIGKILL')
    await ended(child)
    const left = await readdir(join(root, 'tmp')).catch(() => [])
    if (left.length > 0) unfinished++
    // Whatever is visible is complete.
    for (const name of await readdir(join(root, 'entries')).catch(() => [])) {
      for (const [path, bytes] of files) {
        expect(Buffer.compare(await readFile(join(root, 'entries', name, 'data', path)), bytes)).toBe(0)
      }
    }
    if (i % 4 === 3) {
      const next = start()
      expect(await ended(next)).toBe(0)
      expect(await readdir(join(root, 'tmp'))).toEqual([])
      expect(await readdir(join(root, 'fills'))).toEqual([])
      expect(await readdir(join(root, 'entries'))).toHaveLength(1)
    }
  }
  expect(unfinished).toBeGreaterThan(0) // some were killed in the middle of it
}, 300_000)

function line(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = ''
    child.stdout?.on('data', (chunk) => {
      seen += chunk
      if (seen.includes(text)) resolve()
    })
    child.on('exit', (code) => reject(new Error(`The child ended with ${code} before it said ${text}`)))
  })
}

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.on('exit', (code) => resolve(code)))
