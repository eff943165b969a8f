import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { casesOf } from './cases.ts'
import { type Client, installClient } from './install.ts'
import { clientPlan, type Language, languages } from './plan.ts'
import { type RunningServices, startServices } from './server.ts'

const root = resolve(import.meta.dirname, '../..')
const heldOut = join(root, 'packages/cli/examples/digits/held-out.json')
const clientTimeoutMs = 180_000

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: languages.join(',') },
    require: { type: 'string', default: '' },
    main: { type: 'string', default: join(root, 'dist/cli/main.js') },
  },
})

interface Result {
  readonly case: string
  /** `null` where the SDK has no such thing. */
  readonly ok: boolean | null
  readonly detail: string
}

const write = (line = '') => process.stdout.write(`${line}\n`)

/** Installs every client that can be; says what could not, and gives a failure for each that is required. */
async function installAll(chosen: readonly Language[], required: readonly string[]) {
  const clients: [Language, Client][] = []
  let missing = 0
  for (const language of chosen) {
    try {
      const client = await installClient(language)
      clients.push([language, client])
      write(`${language}: ${client.sdk} is installed`)
    } catch (error) {
      const needed = required.includes(language)
      if (needed) missing++
      write(`${language}: the SDK cannot be installed, so its cases ${needed ? 'fail' : 'do not run'}`)
      write(indent(error instanceof Error ? error.message : String(error)))
    }
  }
  return { clients, missing }
}

/** Runs a client to its end and gives one result per case, in the order of the table. */
async function runClient(
  language: Language,
  client: Client,
  services: RunningServices,
  folder: string,
): Promise<Result[]> {
  const plan = join(folder, `${language}-plan.json`)
  writeFileSync(plan, JSON.stringify(clientPlan(language, services, heldOut, folder)))
  const child = spawn(client.command, client.args, {
    env: { ...process.env, SDK_PLAN: plan },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: clientTimeoutMs,
  })
  const reported = new Map<string, Result>()
  let noise = ''
  const keep = (text: string) => {
    noise = (noise + text).slice(-2000)
  }
  child.stderr.on('data', (chunk: Buffer) => keep(chunk.toString()))
  createInterface(child.stdout).on('line', (line) => {
    const result = parseResult(line)
    if (result) reported.set(result.case, result)
    else keep(`${line}\n`)
  })
  const end = await new Promise<string>((done) => {
    child.on('error', (error) => done(error.message))
    child.on('close', (code, signal) => done(code === 0 ? '' : `client ended with ${signal ?? code}`))
  })
  if (end) write(indent(`${end}\n${noise.trimEnd()}`))
  const cases = casesOf(language)
  const known = Object.keys(cases).map(
    (name) => reported.get(name) ?? { case: name, ok: false, detail: 'not reported' },
  )
  const unknown = [...reported.values()].filter((result) => !(result.case in cases))
  return [...known, ...unknown.map((result) => ({ ...result, ok: false, detail: 'not in cases.ts' }))]
}

function parseResult(line: string): Result | undefined {
  if (!line.startsWith('{"case"')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function printResults(language: Language, client: Client, results: readonly Result[], seconds: number) {
  const cases = casesOf(language)
  write(`\n${client.sdk} (${seconds.toFixed(1)} s)`)
  const skipped = new Map<string, string[]>()
  for (const { case: name, ok, detail } of results) {
    if (ok === null) skipped.set(detail, [...(skipped.get(detail) ?? []), name])
    else write(`  ${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(30)}${ok ? cases[name] : detail}`)
  }
  for (const [reason, names] of skipped) write(`  skip  ${reason}: ${names.join(', ')}`)
}

function indent(text: string) {
  return text.replaceAll(/^/gm, '    ')
}

async function main(): Promise<number> {
  const chosen = languages.filter((language) => options.only.split(',').includes(language))
  const count = { passed: 0, failed: 0, skipped: 0 }
  const { clients, missing } = await installAll(chosen, options.require.split(','))
  count.failed += missing
  if (clients.length > 0) {
    if (!existsSync(options.main))
      throw new Error(`Cannot start servers: ${options.main} is missing, run npm run build`)
    const folder = mkdtempSync(join(tmpdir(), 'eas-sdk-'))
    const servers = await startServices(options.main, folder)
    try {
      for (const message of Object.values(servers.failures)) write(message)
      for (const [language, client] of clients) {
        const started = performance.now()
        const results = await runClient(language, client, servers.running, folder)
        printResults(language, client, results, (performance.now() - started) / 1000)
        for (const { ok } of results) count[ok === null ? 'skipped' : ok ? 'passed' : 'failed']++
      }
    } finally {
      await servers.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  return count.failed > 0 ? 1 : 0
}

process.exitCode = await main()
