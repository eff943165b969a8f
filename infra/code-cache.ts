import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { torchPredict } from '@eas/protocol'

/** How an entry is started and asked. */
export type Trainer = (entry: string, service: string) => Promise<void>

const token = 'training'
const digits = fileURLToPath(new URL('../packages/cli/examples/digits/digits.onnx', import.meta.url))
const recorder = fileURLToPath(new URL('./record-code.cjs', import.meta.url))
const request = torchPredict.encodeRequest({
  inputs: [{ dtype: 'float32', shape: [1, 64], data: new Float32Array(64) }],
  map_inputs: new Map(),
  output_filter: [],
  debug_level: 0,
})
const headers = { authorization: token, 'content-type': 'application/octet-stream' }
/** So that what is compiled by the first request, and what by the second, is there. */
const requests = 5

/** Milliseconds for one entry; two seconds are usual. */
const trainingMsMax = 120_000

/** Name of what V8 has made of a pack, by its version: no other version takes it. */
export const codeFile = (pack: string) => `${pack}.${process.versions.v8}-${process.arch}.cache`

/**
 * Has entries of a bundle serve a small model once, and keeps what V8 compiles meanwhile beside their packs, for this very
 * version of Node. An entry that does not serve here has none, and starts all the same; why is said.
 */
export async function train(
  folder: string,
  entries: Readonly<Record<string, Trainer>>,
  say: (line: string) => void,
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'eas-training-'))
  try {
    const service = join(home, 'service.json')
    const warm_up_data_path = join(home, 'warm.bin')
    await writeFile(warm_up_data_path, request)
    const json = { name: 'digits', processor: 'pytorch_cpu_1.10', model_path: digits, warm_up_data_path }
    await writeFile(service, JSON.stringify({ ...json, metadata: { instance: 1 } }))
    for (const [entry, trainer] of Object.entries(entries)) {
      await trainer(join(folder, `${entry}.js`), service).catch((error: Error) => say(error.message))
    }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** A server, which listens on `PORT`. */
export const asServer: (args: (service: string) => readonly string[]) => Trainer = (args) => async (entry, service) => {
  const port = await freePort()
  const child = start([entry, ...args(service)], { PORT: String(port), SERVICE_JSON: service })
  try {
    await ask(`http://127.0.0.1:${port}`, child, entry)
  } finally {
    const ended = once(child, 'exit')
    if (child.kill('SIGTERM')) await ended
  }
}

async function ask(url: string, child: Started, entry: string): Promise<void> {
  const isReady = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok
  while (!(await isReady())) {
    if (child.exitCode !== null || child.signalCode !== null) throw failed(entry, child)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (let i = 0; i < requests; i++) {
    const response = await fetch(`${url}/api/predict/digits`, { method: 'POST', headers, body: request })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`Not compiled ahead: ${entry} answers ${response.status}`)
  }
}

/** A handler, which is called with what its platform would make of a request. */
export const asHandler: (event: (body: string) => object) => Trainer = (event) => async (entry, service) => {
  const script = `
    import(${JSON.stringify(entry)}).then(async ({ handler, initialize }) => {
      const context = { requestId: 'training', credentials: {}, getRemainingTimeInMillis: () => 60_000 }
      await initialize?.(context)
      for (let i = 0; i < ${requests}; i++) {
        const { statusCode } = await handler(${JSON.stringify(event(Buffer.from(request).toString('base64')))}, context)
        if (statusCode !== 200) throw new Error('The answer is ' + statusCode)
      }
      process.exit(0)
    })`
  const child = start(['--eval', script], { SERVICE_JSON: service })
  await once(child, 'close')
  if (child.exitCode !== 0) throw failed(entry, child)
}

/** A function URL's event. */
export const lambdaEvent = (body: string) => ({
  version: '2.0',
  rawPath: '/api/predict/digits',
  rawQueryString: '',
  headers,
  requestContext: { http: { method: 'POST' } },
  body,
  isBase64Encoded: true,
})

/** An HTTP trigger's event. */
export const fcEvent = (body: string) => ({
  version: 'v1',
  rawPath: '/api/predict/digits',
  headers,
  queryParameters: {},
  requestContext: { http: { method: 'POST', path: '/api/predict/digits' } },
  body,
  isBase64Encoded: true,
})

interface Started extends ChildProcess {
  said: string
}

function start(args: readonly string[], env: Readonly<Record<string, string>>): Started {
  // Else what the environment says of services and stores would be trained with.
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env
  const options = {
    PATH,
    HOME,
    TMPDIR,
    EAS_TOKEN: token,
    EAS_LOG_LEVEL: 'info',
    NODE_OPTIONS: `--require ${JSON.stringify(recorder)}`,
  }
  const child = spawn(process.execPath, args, { env: { ...options, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  const started = Object.assign(child, { said: '' })
  const timer = setTimeout(() => child.kill('SIGKILL'), trainingMsMax)
  child.once('exit', () => clearTimeout(timer))
  child.stderr.on('data', (chunk) => {
    started.said += chunk
  })
  return started
}

const failed = (entry: string, { exitCode, signalCode, said }: Started) =>
  new Error(`Not compiled ahead: ${entry} ended with ${exitCode ?? signalCode}. ${said.trim()}`)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
