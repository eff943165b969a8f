import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openIndex, type RecallIndex, type SearchParams } from '@eas/recall'
import { type Bench, type Report, roundsFromEnv } from './bench.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import { preparePython } from './python.ts'
import { root } from './servers.ts'

const rows = Number(process.env.BENCH_ROWS || 1_000_000)
const dimension = 64
const k = 200
const folder = join(root, '.cache/bench-faiss')

interface Contest {
  readonly figure: string
  readonly name: 'flat' | 'ivf' | 'hnsw'
  readonly params: SearchParams
  readonly goal: number
}

const contests: readonly Contest[] = [
  { figure: 'exact search', name: 'flat', params: {}, goal: 2 },
  { figure: 'IVF search, 8 of 1000 lists', name: 'ivf', params: { nprobe: 8 }, goal: 2 },
  { figure: 'IVF search, 64 of 1000 lists', name: 'ivf', params: { nprobe: 64 }, goal: 2 },
  { figure: 'IVF search, 800 of 1000 lists', name: 'ivf', params: { nprobe: 800 }, goal: 2 },
  { figure: 'HNSW search, efSearch 200', name: 'hnsw', params: { efSearch: 200 }, goal: 3 },
]

/** Queries against a million rows of 64 floats, 200 neighbours, by us and by faiss-cpu on one thread. */
export const recall: Bench = {
  name: 'recall',
  summary: 'searching FAISS index files, against faiss-cpu (BENCH_ROWS for another number than a million)',
  async run(report) {
    const { command } = await preparePython()
    await recallAgainst(command, report)
  },
}

/** The benchmark with a given Python that has faiss-cpu. Building a million rows of HNSW takes it minutes, once. */
export async function recallAgainst(python: string, report: Report): Promise<void> {
  const faiss = await startFaiss(python)
  try {
    const queries = new Float32Array(new Uint8Array(readFileSync(join(folder, 'queries.f32'))).buffer)
    for (const { figure, name, params, goal } of contests) {
      const index = await openIndex(join(folder, `${name}-${rows}x${dimension}.faiss`))
      const parameter = params.nprobe ?? params.efSearch ?? 0
      const samples = await interleave(
        {
          ours: () => searchMicros(index, queries, params),
          faiss: () => faiss.searchMicros(name, parameter),
        },
        { rounds: roundsFromEnv(11), warmUps: 2 },
      )
      report.figure({
        figure,
        value: medianRatio(samples.ours, samples.faiss),
        unit: 'x',
        against: `faiss-cpu, one thread, ${(median(samples.faiss) / 1000).toPrecision(3)} ms of processor time`,
        goal: { max: goal },
      })
    }
  } finally {
    faiss.stop()
  }
}

/** Microseconds of processor time that a query takes, over all of them: what else the machine does is not in it. */
function searchMicros(index: RecallIndex, queries: Float32Array, params: SearchParams): number {
  const count = queries.length / dimension
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) index.search(queries.subarray(i * dimension, (i + 1) * dimension), 1, k, params)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** A process of faiss_search.py: a line in, a line out. */
async function startFaiss(python: string) {
  const script = join(import.meta.dirname, 'faiss_search.py')
  const child = spawn(python, [script, folder, String(rows), String(dimension), String(k)])
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await nextLine(lines, child)
  return {
    async searchMicros(name: string, parameter: number): Promise<number> {
      child.stdin.write(`${name} ${parameter}\n`)
      return Number(await nextLine(lines, child))
    },
    stop: () => void child.kill(),
  }
}

async function nextLine(lines: AsyncIterator<string>, child: ChildProcessWithoutNullStreams): Promise<string> {
  const { value, done } = await lines.next()
  if (done)
    throw new Error(
      `faiss_search.py ended: ${String(child.stderr.read() ?? '')
        .trim()
        .split('\n')
        .at(-1)}`,
    )
  return value
}
