import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Bench, type Report, roundsFromEnv } from './bench.ts'
import { median } from './interleave.ts'
import { root } from './servers.ts'

const run = promisify(execFile)
const folder = join(root, '.cache/bench-torch')

const image = [{ input: 0, dtype: 'float32', shape: ['batch', 3, 224, 224], example: [1, 3, 224, 224] }]
const tokens = [0, 1].map((input) => ({ input, dtype: 'int64', shape: ['batch', 'length'], example: [1, 128] }))

/** Archives that torch_models.py writes: the largest of a kind. */
const archives = [
  { name: 'ResNet-50 script', file: 'resnet50.script.pt', specs: image },
  { name: 'Swin-T script', file: 'swin_t.script.pt', specs: image },
  { name: 'BERT-base trace', file: 'bert_base.pt', specs: tokens },
] as const

/** What torch-import-child.ts prints. */
interface Imported {
  readonly importMs: number
  readonly peakBytes: number
  readonly graphBytes: number
  readonly fetchedBytes: number
  readonly fileBytes: number
}

/** A bundled importer in a process of its own: what a cold start on a function pays that no prepared model is there for. */
export const torchImport: Bench = {
  name: 'torch-import',
  summary: 'importing TorchScript in a cold process: time, memory, size of the graph (run torch-models once before)',
  async run(report) {
    const scratch = mkdtempSync(join(tmpdir(), 'eas-bench-import-'))
    try {
      const child = join(scratch, 'child.mjs')
      const esbuild = join(root, 'node_modules/esbuild/bin/esbuild')
      const entry = join(import.meta.dirname, 'torch-import-child.ts')
      const flags = [
        '--bundle',
        '--platform=node',
        '--format=esm',
        '--minify',
        '--log-level=error',
        `--outfile=${child}`,
      ]
      await run(esbuild, [entry, ...flags])
      for (const { name, file, specs } of archives) {
        const path = join(folder, file)
        if (!existsSync(path)) report.missing(name, `${file} is not there; run the benchmark torch-models`)
        else await measure(name, [child, path, JSON.stringify(specs), join(scratch, 'model.onnx')], report)
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  },
}

async function measure(name: string, args: readonly string[], report: Report): Promise<void> {
  const samples: Imported[] = []
  for (let round = 0; round < roundsFromEnv(9); round++) {
    const { stdout } = await run(process.execPath, [...args])
    samples.push(JSON.parse(stdout) as Imported) // what the child prints
  }
  const of = (pick: (sample: Imported) => number) => median(samples.map(pick))
  const file = `a file of ${(of((s) => s.fileBytes) / 1e6).toFixed(0)} MB`
  const fetched = `${(of((s) => s.fetchedBytes) / 1e6).toPrecision(2)} MB of it read`
  const rows = [
    ['', of((s) => s.importMs), 'ms', `${file}, ${fetched}`, 400],
    [', peak memory', of((s) => s.peakBytes) / 1e6, 'MB', file, 120],
    [', graph', of((s) => s.graphBytes / s.fileBytes), 'x', file, 0.01],
  ] as const
  for (const [what, value, unit, against, max] of rows)
    report.figure({ figure: `import of ${name}${what}`, value, unit, against, goal: { max } })
}
