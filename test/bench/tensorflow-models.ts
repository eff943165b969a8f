import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { folderOf, importSavedModel } from '@eas/import-savedmodel'
import { joinChunks } from '@eas/onnx'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type Bench, type Report, roundsFromEnv } from './bench.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import { preparePython } from './python.ts'
import { root } from './servers.ts'

const folder = join(root, '.cache/bench-tensorflow')

interface Contest {
  readonly name: string
  readonly batch: number
  readonly dtype: 'float32' | 'int32'
  readonly dims: readonly number[]
}

const contests: readonly Contest[] = [
  { name: 'mobilenet_v2', batch: 1, dtype: 'float32', dims: [224, 224, 3] },
  { name: 'resnet50', batch: 1, dtype: 'float32', dims: [224, 224, 3] },
  { name: 'efficientnet_b0', batch: 1, dtype: 'float32', dims: [224, 224, 3] },
  { name: 'encoder', batch: 1, dtype: 'int32', dims: [64] },
  { name: 'lstm', batch: 1, dtype: 'float32', dims: [50, 32] },
  { name: 'ranking', batch: 64, dtype: 'int32', dims: [40] },
]

/** SavedModels imported by us and run, against TensorFlow and against what tf2onnx makes of them. */
export const tensorflowModels: Bench = {
  name: 'tensorflow-models',
  summary: 'SavedModels: import time and memory, and run time against TensorFlow on the CPU and against tf2onnx',
  async run(report) {
    const { command } = await preparePython('tensorflow')
    await tensorflowModelsAgainst(command, report)
  },
}

/** The benchmark with a given Python that has tensorflow-cpu and tf2onnx. Making the models takes it a minute, once. */
export async function tensorflowModelsAgainst(python: string, report: Report): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const tensorflow = await startTensorFlow(python)
  const rounds = { rounds: roundsFromEnv(11), warmUps: 2 }
  try {
    for (const contest of contests) {
      const { name, batch } = contest
      await reportImport(name, report)
      const directory = join(folder, name)
      const imported = await importSavedModel(folderOf(directory), { location: (file) => join(name, file) })
      const ours = await openSession(joinChunks(imported.model), imported.externalData)
      const theirs = await InferenceSession.create(join(folder, `${name}.onnx`), oneThread)
      const samples = await interleave(
        {
          ours: () => runMicros(ours, contest),
          tf2onnx: () => runMicros(theirs, contest),
          tensorflow: () => tensorflow.runMicros(name, batch),
        },
        rounds,
      )
      const figure = `run of ${name}, batch ${batch}`
      const ms = (of: ArrayLike<number>): string => `${(median(of) / 1000).toPrecision(3)} ms of processor time`
      report.figure({
        figure,
        value: medianRatio(samples.ours, samples.tf2onnx),
        unit: 'x',
        against: `tf2onnx's model in the same runtime, ${ms(samples.tf2onnx)}`,
        goal: { max: 1.1 },
      })
      report.figure({
        figure,
        value: medianRatio(samples.ours, samples.tensorflow),
        unit: 'x',
        against: `TensorFlow, one thread, ${ms(samples.tensorflow)}`,
        goal: { max: 1.1 },
      })
      await ours.release()
      await theirs.release()
    }
  } finally {
    tensorflow.stop()
  }
}

/** Time and memory of an import in a process of its own: what this one has warmed or kept is in neither. */
async function reportImport(name: string, report: Report): Promise<void> {
  const script = join(import.meta.dirname, 'tensorflow-import.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, join(folder, name)], { cwd: root })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  const [first = Number.NaN, warm = Number.NaN, megabytes = Number.NaN] = (lines.at(-1) ?? '').split(' ').map(Number)
  const against = `nothing; ${first.toFixed(0)} ms the first time in a process`
  report.figure({ figure: `import of ${name}`, value: warm, unit: 'ms', against, goal: { max: 1000 } })
  report.figure({
    figure: `memory of importing ${name}`,
    value: megabytes,
    unit: 'MB',
    against: 'the process before it; weights are not read',
    goal: { max: 150 },
  })
}

const oneThread = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const

async function openSession(model: Uint8Array, files: readonly string[]): Promise<InferenceSession> {
  const externalData = files.map((path) => ({ path, data: readFileSync(join(folder, path)) }))
  return InferenceSession.create(model, { ...oneThread, externalData })
}

/** Microseconds of processor time of one run, over 0.2 s of them. */
async function runMicros(session: InferenceSession, { batch, dtype, dims }: Contest): Promise<number> {
  const shape = [batch, ...dims]
  const size = shape.reduce((a, b) => a * b, 1)
  const data =
    dtype === 'int32'
      ? Int32Array.from({ length: size }, (_, i) => (i * 2_654_435_761) % 8000)
      : Float32Array.from({ length: size }, (_, i) => Math.sin(i))
  const feeds = { [session.inputNames[0] ?? '']: new Tensor(dtype, data, shape) }
  await session.run(feeds)
  const begun = performance.now()
  const before = process.cpuUsage()
  let runs = 0
  for (; performance.now() - begun < 200; runs++) await session.run(feeds)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / runs
}

/** A process of tensorflow_models.py: a line in, a line out. */
async function startTensorFlow(python: string) {
  const script = join(import.meta.dirname, 'tensorflow_models.py')
  const child = spawn(python, [script, folder], { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('tensorflow_models.py ended: run it by hand to see why')
    return value
  }
  while ((await next()) !== 'ready');
  return {
    async runMicros(name: string, batch: number): Promise<number> {
      child.stdin.write(`${name} ${batch}\n`)
      return Number(await next())
    },
    stop: () => void child.kill(),
  }
}
