import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, roundsFromEnv } from './bench.ts'
import { coldModels } from './cold-models.ts'
import { median } from './interleave.ts'
import { keepServer } from './spawned.ts'

/** Loads of a 50 MB model, each for a request and each in the place of the one before. */
const cycles = 500
/** Cycles until the allocator has what it keeps. */
const warmUps = 50

/** Two models of which only one fits into EAS_MODEL_BYTES, asked in turn: every request loads one and evicts the other. */
export const evict: Bench = {
  name: 'evict',
  summary: `resident memory over ${cycles} loads and evictions of a 50 MB model`,
  async run(report) {
    const folder = mkdtempSync(join(tmpdir(), 'eas-evict-'))
    try {
      const files = ['a', 'b'].map((name) => placed(folder, name))
      for (const { what, env } of isolations) {
        const resident = await residentOver(files, env)
        const [first, last] = [resident.slice(0, 20), resident.slice(-20)].map(median)
        report.figure({
          figure: `resident memory after ${resident.length} loads and evictions, ${what}`,
          value: (last ?? Number.NaN) / (first ?? Number.NaN),
          unit: 'x',
          against: `after the first ${warmUps}: ${((first ?? 0) / 1e6).toFixed(0)} MB`,
          goal: { max: 1.05 },
        })
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** As several services run unless something else is asked for, and in one process. */
const isolations = [
  { what: 'all processes together', env: {} },
  { what: 'models in threads', env: { EAS_ISOLATION: 'thread' } },
]

const { onnx, request } = coldModels.medium

/** Writes a model and its service. Gives the service's file. */
function placed(folder: string, name: string): string {
  const home = join(folder, name)
  mkdirSync(home)
  writeFileSync(join(home, 'model.onnx'), onnx())
  const file = join(home, 'service.json')
  const metadata = { instance: 1, rpc: { keepalive: 120_000 } }
  writeFileSync(file, JSON.stringify({ name, processor: 'pytorch_cpu_1.10', model_path: 'model.onnx', metadata }))
  return file
}

/** Resident bytes after each cycle but the first ones. */
async function residentOver(files: readonly string[], isolation: Readonly<Record<string, string>>): Promise<number[]> {
  const env = { EAS_MODEL_BYTES: String(modelBytes * 1.2), EAS_LOAD: 'lazy', ...isolation }
  const server = await keepServer(files, env)
  try {
    const resident: number[] = []
    for (let i = 0; i < warmUps + roundsFromEnv(cycles); i++) {
      await server.ask(i % 2 === 0 ? 'a' : 'b', request)
      await sleep(settleMs)
      if (i >= warmUps) resident.push(residentBytes(server.pid))
    }
    return resident
  } finally {
    server.end()
  }
}

/** About what the weights of `coldModels.medium` are. */
const modelBytes = 50e6

/** Milliseconds until a model has left: the answer does not wait for that. */
const settleMs = 20

/** Of a process and those that it has started. */
function residentBytes(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return [pid, ...children].reduce((sum, each) => sum + ofOne(each), 0)
}

function ofOne(pid: number): number {
  try {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) * 1024
  } catch {
    return 0 // it has just ended
  }
}
