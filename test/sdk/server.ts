import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = resolve(import.meta.dirname, '../..')
const digits = join(root, 'packages/cli/examples/digits/digits.onnx')
const digitsTf = join(root, 'packages/cli/examples/digits/digits-tf.onnx')
const archive = (name: string) => join(root, 'packages/cli/examples/digits', name)
const model = (name: string) => join(import.meta.dirname, 'models', name)

/** The example whose scores are PyTorch's. */
export const recommender = join(root, 'packages/cli/examples/recommender')
/** What its script made for tests: other exports of the same model, and a match model with its index. */
export const recommenderGolden = join(root, 'test/golden/recommender')
/** Where it keeps requests. */
export const requestLog = (folder: string) => join(folder, 'request-log')

const torcheasyrec = 'easyrec-torch-1.12'
const easyrec = 'easyrec-3.0'
const pytorch = 'pytorch_cpu_1.10'
const tensorflow = 'tensorflow_cpu_2.7'
const token = 'sdk-suite-token'

interface Service {
  readonly processor: string
  readonly model: string
  readonly token?: string
  /** `metadata.rpc` of service.json. */
  readonly rpc?: Readonly<Record<string, number | string>>
  readonly env?: Readonly<Record<string, string>>
  readonly model_config?: Readonly<Record<string, unknown>>
  /** The model cannot be loaded. Another service stands beside it, since a process with nothing to serve ends. */
  readonly neverReady?: true
}

/** With the example's catalogue. */
const recommend = (model: string): Service => ({
  processor: torcheasyrec,
  model,
  token,
  model_config: { fg_mode: 'normal', item_empty_score: -1 },
  env: { EAS_ITEM_FEATURES: join(recommender, 'items') },
})

/** What is served, by service name. One process each. */
const services: Readonly<Record<string, Service>> = {
  digits: { processor: pytorch, model: digits, token },
  digits_tf: { processor: tensorflow, model: digitsTf, token },
  digits_trace: { processor: pytorch, model: archive('digits.trace.pt'), token },
  digits_script: { processor: pytorch, model: archive('digits.script.pt'), token },
  digits_savedmodel: { processor: tensorflow, model: archive('digits.savedmodel'), token },
  echo: { processor: tensorflow, model: model('echo.onnx') },
  echo_torch: { processor: pytorch, model: model('echo-torch.onnx'), token },
  torch_out: { processor: pytorch, model: model('torch-out.onnx'), token },

  digits_gzip: { processor: pytorch, model: digits, token, rpc: { decompressor: 'gzip' } },
  digits_zlib: { processor: pytorch, model: digits, token, rpc: { decompressor: 'zlib' } },
  digits_snappy: { processor: pytorch, model: digits, token, rpc: { decompressor: 'snappy' } },
  digits_lz4: { processor: pytorch, model: digits, token, rpc: { decompressor: 'lz4' } },
  digits_zstd: { processor: pytorch, model: digits, token, rpc: { decompressor: 'zstd' } },
  digits_java: { processor: pytorch, model: digits, token, env: { EAS_JAVA_IS_COMPRESSED: 'on' } },

  recommender: {
    ...recommend(join(recommender, 'model')),
    model_config: { fg_mode: 'normal', item_empty_score: -1, request_log_path: '/request_log' },
  },
  recommender_tile_2: recommend(join(recommenderGolden, 'tile-2')),
  recommender_tile_3: recommend(join(recommenderGolden, 'tile-3')),
  recommender_recall: {
    ...recommend(join(recommenderGolden, 'recall')),
    model_config: { fg_mode: 'normal', faiss_neigh_num: 5, faiss_nprobe: 8 },
  },
  recommender_easyrec: { ...recommend(join(recommender, 'model')), processor: easyrec },
  recommender_bypass: { processor: torcheasyrec, model: join(recommender, 'model'), token },

  hasty: { processor: pytorch, model: model('slow.onnx'), token, rpc: { keepalive: 200, worker_threads: 8 } },
  limited: { processor: pytorch, model: digits, token, rpc: { rate_limit: 1 } },
  narrow: {
    processor: pytorch,
    model: model('slow.onnx'),
    token,
    rpc: { worker_threads: 1, max_queue_size: 1, keepalive: 60_000 },
  },
  failing: { processor: pytorch, model: model('fail.onnx'), token },
  not_ready: { processor: pytorch, model: 'broken.onnx', token, neverReady: true },
}

export type RunningServices = Readonly<Record<string, { readonly port: number; readonly token: string }>>

/**
 * Serves every service from its own process and waits until each is ready. A service that does not come up is
 * left out of `running` and named in `failures` with the last lines it wrote.
 */
export async function startServices(main: string, folder: string) {
  const processes: ChildProcess[] = []
  const running: Record<string, { port: number; token: string }> = {}
  const failures: Record<string, string> = {}
  const waiting = Object.entries(services)
  const startNext = async (): Promise<void> => {
    const next = waiting.shift()
    if (!next) return
    const [name, service] = next
    try {
      running[name] = { port: await startService(main, folder, name, service, processes), token: service.token ?? '' }
    } catch (error) {
      failures[name] = error instanceof Error ? error.message : String(error)
    }
    return startNext()
  }
  await Promise.all([startNext(), startNext()])
  return { running, failures, stop: () => Promise.all(processes.map(stopProcess)) }
}

async function startService(main: string, folder: string, name: string, service: Service, processes: ChildProcess[]) {
  const files = [writeServiceJson(folder, name, service)]
  if (service.neverReady) {
    writeFileSync(join(folder, service.model), 'not a model')
    files.push(writeServiceJson(folder, 'beside', { ...service, model: digits }))
  }
  const port = await freePort()
  const env = {
    ...process.env,
    EAS_BUCKETS: `oss://request-log=file://${requestLog(folder)}`,
    ...service.env,
    EAS_TOKEN: service.token ?? '',
  }
  const args = [main, 'serve', ...files, '--host', '127.0.0.1', '--port', String(port)]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  processes.push(child)
  let log = ''
  const keep = (chunk: Buffer) => {
    log = (log + chunk).slice(-2000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  await ready(`http://127.0.0.1:${port}/readyz`, child, service.neverReady ?? false).catch((error: Error) => {
    throw new Error(`Cannot serve ${name}: ${error.message}\n${log.trimEnd()}`)
  })
  return port
}

function writeServiceJson(folder: string, name: string, { processor, model, rpc, model_config }: Service): string {
  const file = join(folder, `${name}.json`)
  const metadata = { instance: 1, ...(rpc && { rpc }) }
  const storage = model_config ? [{ mount_path: '/request_log', oss: { path: 'oss://request-log/' } }] : []
  writeFileSync(file, JSON.stringify({ name, processor, model_path: model, model_config, storage, metadata }, null, 2))
  return file
}

const startTimeoutMs = 60_000

async function ready(url: string, child: ChildProcess, anyAnswer: boolean) {
  const deadline = Date.now() + startTimeoutMs
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode)
      throw new Error(`process ended with ${child.exitCode ?? child.signalCode}`)
    const response = await fetch(url).catch(() => undefined)
    await response?.arrayBuffer()
    if (response && (anyAnswer || response.status === 200)) return
    await sleep(50)
  }
  throw new Error(`not ready after ${startTimeoutMs} ms`)
}

async function stopProcess(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode) return
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 3000)
  await once(child, 'exit')
  clearTimeout(force)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (!address || typeof address === 'string') throw new Error('Cannot find a free port')
  return address.port
}
