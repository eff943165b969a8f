import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { download, openStore } from '@eas/storage'

/**
 * Downloads one object into a file from a store on loopback whose connections are capped, and says how long it took, how long
 * `connections` connections at full speed would take, and what it cost this process.
 *
 * @param size Bytes.
 */
export async function benchDownload(size: number, connections = 12, bytesPerSecond = 85e6) {
  const server = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'capped-s3.ts'), `${size}`, `${bytesPerSecond}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const folder = await mkdtemp(join(tmpdir(), 'eas-bench-'))
  try {
    const endpoint = await new Promise<string>((resolve) =>
      server.stdout.once('data', (line) => resolve(`${line}`.trim())),
    )
    const credentials = () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' })
    const { store, key } = openStore('s3://bucket/model', { s3: { endpoint, credentials } })
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const done = await download(store, key, join(folder, 'model'), { connections })
    const ms = performance.now() - startedAt
    const { user, system } = process.cpuUsage(cpu)
    return {
      ms,
      idealMs: (size / (connections * bytesPerSecond)) * 1000,
      cpuMsPerMB: (user + system) / 1000 / (size / 1e6),
      verified: done.verified,
    }
  } finally {
    server.kill()
    await rm(folder, { recursive: true })
  }
}

if (process.argv[1] === import.meta.filename) {
  for (const size of [100e6, 1000e6]) process.stdout.write(`${size} ${JSON.stringify(await benchDownload(size))}\n`)
}
