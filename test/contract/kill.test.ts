import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelOrigin, platformName, preparedFolder } from '@eas/models'
import { onnxRuntimeVersion } from '@eas/processor'
import { DiskCache } from '@eas/storage'
import { build } from 'esbuild'
import { afterAll, expect, it } from 'vitest'

// 200 moments each with EAS_FULL=1, as many as a busy machine has time for without.
const kills = process.env.EAS_FULL ? 200 : 12

const folder = mkdtempSync(join(tmpdir(), 'eas-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const root = join(import.meta.dirname, '../..')
const ended = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** Kills a process again and again, each time at another moment of how long it takes. Says how often it was at it. */
async function killedAtRandom(start: () => ChildProcess, look: () => Promise<void> | void): Promise<number> {
  const from = performance.now()
  expect(await ended(start())).toBe(0)
  const wholeMs = performance.now() - from
  await look()
  let killed = 0
  for (let i = 0; i < kills; i++) {
    const child = start()
    await new Promise((resolve) => setTimeout(resolve, (0.2 + 0.8 * Math.random()) * wholeMs))
    child.kill('SIGKILL')
    if ((await ended(child)) === null) killed++
    await look()
  }
  return killed
}

it(`eas prepare killed at ${kills} random moments leaves a prepared model that is whole, or none`, async () => {
  const home = join(folder, 'prepare')
  mkdirSync(home)
  const path = join(home, 'model.pt')
  copyFileSync(join(root, 'packages/cli/examples/digits/digits.trace.pt'), path)
  const platform = platformName(onnxRuntimeVersion())
  const cache = () => DiskCache.open(join(folder, 'cache'))
  const options = { baseDir: home, mounts: [], stores: {}, cache, platform, deadlineMs: 1000 }
  const origin = modelOrigin({ model_path: path, model_entry: undefined }, options)
  const main = join(root, 'dist/cli/main.js')
  const start = () => spawn(process.execPath, [main, 'prepare', path], { stdio: 'ignore' })

  await killedAtRandom(start, async () => {
    // What is there has been compared with its manifest, byte for byte.
    const { prepared } = await origin.open()
    expect(prepared !== undefined).toBe(existsSync(join(preparedFolder(path, platform), 'manifest.json')))
  })
  expect(await ended(start())).toBe(0)
  expect((await origin.open()).prepared).toBeDefined()
  expect(readdirSync(home).sort()).toEqual(['model.pt', 'model.pt.eas'])
  expect(readdirSync(join(home, 'model.pt.eas')), 'nothing of those that were killed').toEqual([platform])
}, 300_000)

it(`recording of warm-up requests killed at ${kills} random moments leaves whole requests, and none twice`, async () => {
  const home = join(folder, 'keep')
  const script = join(folder, 'keeper.mjs')
  await build({
    entryPoints: [join(root, 'test/support/kill/keeper-child.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@aws-sdk/*'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    logLevel: 'error',
  })
  const filesMax = 64
  const look = () => {
    const files = readdirSync(home).filter((name) => name.endsWith('.pb'))
    expect(files.length).toBeLessThanOrEqual(filesMax)
    const heads = files.map((name) => {
      const text = readFileSync(join(home, name), 'utf8')
      expect(text).toBe(text.slice(0, 12).repeat(20_000))
      return text.slice(0, 12)
    })
    expect(new Set(heads).size).toBe(files.length)
  }
  mkdirSync(home)
  const start = () => spawn(process.execPath, [script, home, String(filesMax)], { stdio: 'ignore' })
  await killedAtRandom(() => {
    rmSync(home, { recursive: true })
    mkdirSync(home)
    return start()
  }, look)
  expect(await ended(start())).toBe(0)
  look()
  expect(readdirSync(home).filter((name) => name.endsWith('.pb'))).toHaveLength(filesMax)
}, 300_000)
