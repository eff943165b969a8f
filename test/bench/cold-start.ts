import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineOf, prepareBeside, settingsFromEnv } from '@eas/processor'
import { bareStart } from './bare-start.ts'
import { type Bench, type Report, roundsFromEnv } from './bench.ts'
import type { CappedStore } from './capped-store.ts'
import { startChild } from './child.ts'
import { type ColdModel, coldModels } from './cold-models.ts'
import { interleave, median, medianDifference, medianRatio } from './interleave.ts'
import { spawnScript, spawnServer } from './spawned.ts'

const megabyte = 1e6
/** Bytes a second of one connection, as S3 gives. */
const connectionCap = 85 * megabyte
/** Connections that the goal reckons with. */
const connections = 12

interface Placed {
  readonly path: string
  readonly serviceJson: string
  readonly bytes: number
}

/** Process start to first answer: on local disk, with and without a prepared model, from object storage. */
export const coldStart: Bench = {
  name: 'cold-start',
  summary: 'process start to first answer: tiny and large models, prepared or not, from disk and from S3',
  async run(report) {
    const folder = mkdtempSync(join(tmpdir(), 'eas-cold-'))
    try {
      await tinyModel(report, folder)
      await largeModel(report, folder)
      for (const name of ['embedding', 'dense', 'convolutional'] as const) await firstRequest(report, folder, name)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function place(folder: string, name: string, { onnx, request }: ColdModel): Placed {
  const home = join(folder, name)
  mkdirSync(home, { recursive: true })
  const path = join(home, 'model.onnx')
  const bytes = onnx()
  writeFileSync(path, bytes)
  writeFileSync(join(home, 'warm.bin'), request)
  return { path, serviceJson: service(home, name, path), bytes: bytes.length }
}

function service(home: string, name: string, model_path: string, more: object = {}): string {
  const file = join(home, `${name}.json`)
  const metadata = { instance: 1, rpc: { keepalive: 120_000 } }
  writeFileSync(file, JSON.stringify({ name, processor: 'pytorch_cpu_1.10', model_path, metadata, ...more }))
  return file
}

const prepare = (path: string) => prepareBeside(path, '/', machineOf(settingsFromEnv({})))

async function tinyModel(report: Report, folder: string): Promise<void> {
  const model = coldModels.tiny
  const { path, serviceJson } = place(folder, 'tiny', model)
  const samples = await interleave(
    {
      served: async () => (await spawnServer({ serviceJson, service: 'tiny', request: model.request })).firstAnswerMs,
      bare: () => spawnScript(bareStart, [path, model.dtype, ...model.shape.map(String)]),
    },
    { rounds: roundsFromEnv(15), warmUps: 2 },
  )
  report.figure({
    figure: 'tiny model, process start to first answer',
    value: medianRatio(samples.served, samples.bare),
    unit: 'x',
    against: `node, onnxruntime-node, a session and a run: ${median(samples.bare).toFixed(0)} ms`,
    goal: { max: 1.35 },
  })
}

async function largeModel(report: Report, folder: string): Promise<void> {
  const model = coldModels.embedding
  const plain = place(folder, 'plain', model)
  const prepared = place(folder, 'prepared', model)
  const form = await prepare(prepared.path)
  const store = startChild<CappedStore, number>('./capped-store.ts')
  try {
    const port = await store.ask({ folder, bytesPerSecond: connectionCap })
    await asPreparedInStore(form.folder, `http://127.0.0.1:${port}/bucket/prepared/model.onnx`)
    const remote = (name: 'plain' | 'prepared') =>
      service(join(folder, name), `${name}-s3`, `s3://bucket/${name}/model.onnx`)
    const [plainS3, preparedS3] = [remote('plain'), remote('prepared')]
    let fresh = 0
    const run = async (serviceJson: string, name: string, isRemote = false) => {
      const cache = join(folder, `cache-${fresh++}`)
      const env = {
        EAS_S3_ENDPOINT: `http://127.0.0.1:${port}`,
        AWS_ACCESS_KEY_ID: 'bench',
        AWS_SECRET_ACCESS_KEY: 'bench',
        EAS_CACHE_DIR: cache,
      }
      const spawned = await spawnServer({ serviceJson, service: name, request: model.request, env })
      rmSync(cache, { recursive: true, force: true })
      peaks[name] = [...(peaks[name] ?? []), spawned.peakBytes / megabyte]
      loads[name] = [...(loads[name] ?? []), spawned.loadMs]
      return isRemote ? spawned.firstAnswerMs : spawned.loadMs
    }
    const peaks: Record<string, number[]> = {}
    const loads: Record<string, number[]> = {}
    const samples = await interleave(
      {
        plain: () => run(plain.serviceJson, 'plain'),
        prepared: () => run(prepared.serviceJson, 'prepared'),
        plainS3: () => run(plainS3, 'plain-s3', true),
        preparedS3: () => run(preparedS3, 'prepared-s3', true),
        sequential: () => sequentialStart(port, folder),
      },
      { rounds: roundsFromEnv(5), warmUps: 1 },
    )
    const [plainMs, preparedMs] = [median(loads['plain-s3'] ?? []), median(loads['prepared-s3'] ?? [])]
    if (preparedMs > plainMs / 2) throw new Error('The prepared form in the store was not used')
    const megabytes = plain.bytes / megabyte
    report.figure({
      figure: 'embedding model of 400 MB, session created, prepared',
      value: median(samples.prepared),
      unit: 'ms',
      against: `${median(samples.plain).toFixed(0)} ms as it is`,
      goal: { max: 60 },
    })
    report.figure({
      figure: 'embedding model of 400 MB, peak memory, prepared, over 1.35 times the model',
      value: median(peaks.prepared ?? []) - 1.35 * megabytes,
      unit: 'MB',
      against: `${median(peaks.plain ?? []).toFixed(0)} MB in all as it is`,
      goal: { max: 100 },
    })
    const networkMs = (plain.bytes / (connections * connectionCap)) * 1000
    report.figure({
      figure: 'embedding model of 400 MB from S3, process start to first answer, over what the network takes',
      value: median(samples.preparedS3) - networkMs,
      unit: 'ms',
      against: `${networkMs.toFixed(0)} ms for ${connections} connections of 85 MB/s; not prepared ${median(samples.plainS3).toFixed(0)} ms in all`,
      goal: { max: 300 },
    })
    report.figure({
      figure: 'the same, times faster than one GET and a default session',
      value: medianRatio(samples.sequential, samples.preparedS3),
      unit: 'x',
      against: `${median(samples.sequential).toFixed(0)} ms, ${medianDifference(samples.sequential, samples.preparedS3).toFixed(0)} ms more; not prepared ${medianRatio(samples.sequential, samples.plainS3).toFixed(2)} x`,
      goal: { min: 6 },
    })
  } finally {
    await store.stop()
  }
}

/** Makes a prepared form what `eas prepare s3://…` would have made of it: of the version that the store says. */
async function asPreparedInStore(folder: string, url: string): Promise<void> {
  const { headers } = await fetch(url, { method: 'HEAD' })
  const file = join(folder, 'manifest.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) // as `prepareBeside` has just written it
  manifest.of.version = headers.get('etag')?.replaceAll('"', '')
  writeFileSync(file, JSON.stringify(manifest))
}

/** What a script would do: fetch the model in one request, open it, run it. */
function sequentialStart(port: number, folder: string): Promise<number> {
  const { dtype, shape } = coldModels.embedding
  const path = join(folder, 'sequential.onnx')
  const script = `
    const [url, path, dtype, ...shape] = process.argv.slice(1)
    const { createWriteStream, writeSync } = require('node:fs')
    const { InferenceSession, Tensor } = require('onnxruntime-node')
    require('node:http').get(url, (response) => {
      response.pipe(createWriteStream(path)).on('finish', async () => {
        const session = await InferenceSession.create(path)
        const count = shape.reduce((product, size) => product * size, 1)
        const data = dtype === 'int64' ? new BigInt64Array(count) : new Float32Array(count)
        await session.run({ [session.inputNames[0]]: new Tensor(dtype, data, shape.map(Number)) })
        writeSync(1, '1')
        process.exit(0)
      })
    })`
  return spawnScript(script, [`http://127.0.0.1:${port}/bucket/plain/model.onnx`, path, dtype, ...shape.map(String)])
}

/** The first request after ready beside those that follow, with and without warm-up. */
async function firstRequest(
  report: Report,
  folder: string,
  name: 'embedding' | 'dense' | 'convolutional',
): Promise<void> {
  const model = coldModels[name]
  const { path } = place(folder, `first-${name}`, model)
  await prepare(path)
  const home = join(folder, `first-${name}`)
  const cold = service(home, 'cold', path)
  const warm = service(home, 'warm', path, { warm_up_data_path: join(home, 'warm.bin') })
  /** What a request costs that is not one of a row, however warm the server is. */
  const rested: number[] = []
  const ratio = async (serviceJson: string, id: string) => {
    const { firstMs, laterMs, restedMs } = await spawnServer({
      serviceJson,
      service: id,
      request: model.request,
      more: 200,
      waitsUntilReady: true,
    })
    rested.push(median(restedMs) / median(laterMs))
    return firstMs / median(laterMs)
  }
  const samples = await interleave(
    { cold: () => ratio(cold, 'cold'), warm: () => ratio(warm, 'warm') },
    { rounds: roundsFromEnv(7), warmUps: 1 },
  )
  report.figure({
    figure: `first request after ready, ${name} model`,
    value: median(samples.warm),
    unit: 'x',
    against: `the median of the 200 after it; ${median(rested).toFixed(1)} times after a rest of 5 ms, ${median(samples.cold).toFixed(1)} without warm-up`,
    goal: { max: 1.2 },
  })
}
