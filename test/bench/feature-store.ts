import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench, Report } from './bench.ts'
import { preparePython } from './python.ts'
import { root } from './servers.ts'

const run = promisify(execFile)
const rows = Number(process.env.BENCH_ROWS || 1_000_000)

/** A catalogue of a million items and 20 columns: what it takes to load, hold, ask and replace it. */
export const featureStore: Bench = {
  name: 'feature-store',
  summary: 'a million items of 20 columns from Parquet (BENCH_ROWS for another number)',
  async run(report) {
    const { command } = await preparePython()
    await featureStoreOf(command, report)
  },
}

/** The benchmark with a given Python that has pyarrow. */
export async function featureStoreOf(python: string, report: Report): Promise<void> {
  const folder = join(root, `.cache/bench-items-${rows}`)
  const file = join(folder, 'items.parquet')
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true })
    await run(python, [join(import.meta.dirname, 'feature_store_parquet.py'), file, String(rows)])
  }
  const child = join(import.meta.dirname, 'feature-store-child.ts')
  const { stdout } = await run(process.execPath, ['--import', 'tsx', '--expose-gc', child, folder, String(rows)])
  const result = JSON.parse(stdout)
  const megabytes = result.bytes / 1e6
  report.figure({
    figure: `load of ${rows} items`,
    value: result.loadMs,
    unit: 'ms',
    against: `20 columns of Parquet, snappy; ${Math.round(result.loadCpuMs)} ms of processor time`,
    goal: { max: 10_000 },
  })
  report.figure({
    figure: 'resident memory of the items',
    value: result.residentBytes / result.bytes,
    unit: 'x',
    against: `their ${megabytes.toFixed(0)} MB; ${(result.peakBytes / 1e6).toFixed(0)} MB at most while loading, ${(result.swappedBytes / 1e6).toFixed(0)} MB after three swaps`,
    goal: { max: 1.5 },
  })
  report.figure({
    figure: 'time of a lookup',
    value: 1e6 / result.lookupsPerSecond,
    unit: 'us',
    against: `${(result.lookupsPerSecond / 1e6).toFixed(1)} million a second of processor time`,
    goal: { max: 0.2 },
  })
  report.figure({
    figure: 'delay of requests during a swap, p99',
    value: result.swappingMs[1] / result.quietMs[1],
    unit: 'x',
    against: `${result.quietMs[1].toFixed(2)} ms without; a swap takes ${(result.swapMs / 1000).toFixed(1)} s`,
    goal: { max: 1.2 },
  })
}
