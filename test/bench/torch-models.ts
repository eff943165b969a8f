import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { importTorchScript } from '@eas/import-torchscript'
import { type ElementType, joinChunks, sourceOf } from '@eas/onnx'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type Bench, type Report, roundsFromEnv } from './bench.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import { preparePython } from './python.ts'
import { root } from './servers.ts'

const folder = join(root, '.cache/bench-torch')

/** What torch_models.py says of a model it exported. */
interface Exported {
  readonly name: string
  readonly inputs: readonly { readonly dtype: ElementType; readonly shape: readonly number[] }[]
  /** Exporters of PyTorch that could export it: its ONNX file is `<name>.<exporter>.onnx`. */
  readonly exports: readonly string[]
}

/** A Python that has the packages already, if one is named; `BENCH_MODELS` names some of the models. */
const pythonOf = async () => process.env.BENCH_TORCH_PYTHON || (await preparePython('torch')).command
const wanted = () => (process.env.BENCH_MODELS ? process.env.BENCH_MODELS.split(',') : [])

/** Processor time of one inference on one thread: models we lowered, the same archives in PyTorch, and PyTorch's exports. */
export const torchModels: Bench = {
  name: 'torch-models',
  summary: 'inference of imported TorchScript, against torch and its exporters (BENCH_TORCH_PYTHON, BENCH_MODELS)',
  async run(report) {
    const torch = await startTorch(await pythonOf())
    try {
      const models: readonly Exported[] = JSON.parse(readFileSync(join(folder, 'models.json'), 'utf8')) // it was just written
      for (const model of models) await compare(model, torch, report)
    } finally {
      torch.stop()
    }
  },
}

async function compare(model: Exported, torch: Torch, report: Report): Promise<void> {
  const { name } = model
  const inputs = model.inputs.map(({ dtype, shape }, i) => {
    const { buffer } = new Uint8Array(readFileSync(join(folder, `${name}.${i}.bin`)))
    return new Tensor(dtype as 'float32', arrayOf(dtype, buffer), shape) // its array is of that type
  })
  const sessions = new Map([['ours', await ourSession(model, 'any batch')]])
  // Exporters fix all sizes unless told otherwise, which spares ONNX Runtime some planning: so do we, to compare with them.
  if (model.exports.length > 0) sessions.set('fixed', await ourSession(model, 'fixed sizes'))
  for (const exporter of model.exports)
    sessions.set(exporter, await InferenceSession.create(join(folder, `${name}.${exporter}.onnx`), options))
  const contenders: Record<string, () => Promise<number>> = { torch: () => torch.micros(name) }
  for (const [contender, session] of sessions) contenders[contender] = () => micros(session, inputs)
  const samples = await interleave(contenders, { rounds: roundsFromEnv(21), warmUps: 3 })
  for (const session of sessions.values()) await session.release()
  const { ours = [], fixed = [], ...others } = samples
  for (const [contender, theirs] of Object.entries(others)) {
    report.figure({
      figure: contender === 'torch' ? name : `${name}, ONNX of the ${contender} exporter`,
      value: medianRatio(contender === 'torch' ? ours : fixed, theirs),
      unit: 'x',
      against: `${contender}, ${(median(theirs) / 1000).toPrecision(3)} ms of processor time`,
      goal: { max: contender === 'torch' ? 1 : 1.1 },
    })
  }
  for (const exporter of ['torchscript', 'dynamo'])
    if (!model.exports.includes(exporter))
      report.missing(`${name}, ONNX of the ${exporter} exporter`, 'it cannot export the model')
}

const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 } as const

/** The archive lowered for any batch, as a server lowers it for its first request; or for these sizes. */
async function ourSession({ name, inputs }: Exported, sizes: 'any batch' | 'fixed sizes'): Promise<InferenceSession> {
  const archive = readFileSync(join(folder, `${name}.pt`))
  const imported = await importTorchScript(sourceOf(archive), {
    location: `${name}.pt`,
    inputs: inputs.map(({ dtype, shape }, input) => ({
      input,
      dtype,
      shape: shape.map((size, axis) => (axis === 0 && sizes === 'any batch' ? 'batch' : size)),
      example: shape,
    })),
  })
  return InferenceSession.create(joinChunks(imported.model), {
    ...options,
    externalData: imported.externalData.map((path) => ({ path, data: archive })),
  })
}

/**
 * Microseconds of processor time of one inference: what else the machine does is not in it. The one before it brings back to the
 * caches what the rivals' copies of the weights have driven out, which for small models is most of the time.
 */
async function micros(session: InferenceSession, inputs: readonly Tensor[]): Promise<number> {
  const feeds = Object.fromEntries(session.inputNames.map((name, i) => [name, inputs[i] as Tensor])) // one per input
  await session.run(feeds)
  const before = process.cpuUsage()
  await session.run(feeds)
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function arrayOf(dtype: ElementType, buffer: ArrayBufferLike): Float32Array {
  const array = dtype === 'int64' ? new BigInt64Array(buffer) : new Float32Array(buffer)
  return array as Float32Array // onnxruntime takes either; the tensor says which
}

type Torch = Awaited<ReturnType<typeof startTorch>>

/** A process of torch_models.py: a line in, a line out. */
async function startTorch(python: string) {
  const child = spawn(python, [join(import.meta.dirname, 'torch_models.py'), folder, ...wanted()])
  // What exporters say fills the pipe unless it is read; the last of it says why there is an end.
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4096)
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failure = new Promise<never>((_, reject) => child.once('error', reject))
  failure.catch(() => {})
  // Whatever is said before that is an exporter's.
  while ((await Promise.race([nextLine(lines, () => said), failure])) !== 'ready');
  return {
    async micros(name: string): Promise<number> {
      child.stdin.write(`${name}\n`)
      return Number(await nextLine(lines, () => said))
    },
    stop: () => void child.kill(),
  }
}

async function nextLine(lines: AsyncIterator<string>, said: () => string): Promise<string> {
  const { value, done } = await lines.next()
  if (!done) return value
  throw new Error(`torch_models.py ended: ${said().trim().split('\n').at(-1)}`)
}
