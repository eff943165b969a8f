import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
      const { onnx, request } = coldModels.medium
      const bytes = onnx()
      const files = ['a', 'b'].map((name) => {
        const home = join(folder, name)
        mkdirSync(home)
        writeFileSync(join(home, 'model.onnx'), bytes)
        const file = join(home, 'service.json')
        const rpc = { keepalive: 120_000 }
        const service = {
          name,
          processor: 'pytorch_cpu_1.10',
          model_path: 'model.onnx',
          metadata: { instance: 1, rpc },
        }
        writeFileSync(file, JSON.stringify(service))
        return file
      })
      const env = { EAS_MODEL_BYTES: String(Math.round(bytes.length * 1.2)), EAS_LOAD: 'lazy', EAS_ISOLATION: 'thread' }
      const server = await keepServer(files, env)
      try {
        const resident: number[] = []
        for (let i = 0; i < warmUps + roundsFromEnv(cycles); i++) {
          await server.ask(i % 2 === 0 ? 'a' : 'b', request)
          if (i >= warmUps) resident.push(residentBytes(server.pid))
        }
        const [first, last] = [resident.slice(0, 20), resident.slice(-20)].map(median)
        report.figure({
          figure: `resident memory after ${resident.length} loads and evictions`,
          value: (last ?? Number.NaN) / (first ?? Number.NaN),
          unit: 'x',
          against: `after the first ${warmUps}: ${((first ?? 0) / 1e6).toFixed(0)} MB`,
          goal: { max: 1.05 },
        })
      } finally {
        server.end()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function residentBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
