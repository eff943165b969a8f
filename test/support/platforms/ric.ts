// Runs the Lambda bundle under AWS's own runtime interface client, on three versions of Node, against a runtime API of ours.
// On demand, since the clients compile native code: `npx tsx test/support/platforms/ric.ts`. What it installs, it keeps in
// .cache/ric; it needs a C++ compiler, cmake, autoconf, automake and libtool.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { torchPredict } from '@eas/protocol'
import { bundle } from '../../../infra/bundle.ts'
import { graphs } from '../models.ts'
import { onnxModel, scratch } from '../onnx.ts'
import { patient, serviceJson } from '../processor.ts'
import { floats, torchBody } from '../requests.ts'
import { awsEvents, awsResponse } from './aws-events.ts'
import { type RuntimeApi, runtimeApi } from './runtime-api.ts'

const root = new URL('../../../', import.meta.url).pathname
const cache = process.env.EAS_RIC_CACHE ?? join(root, '.cache/ric')

/** Versions of the client, and of Node, as the npm registry has them. 3.3 is the last for Node 20. */
const rics = { 3: 'aws-lambda-ric@3.3.0', 4: 'aws-lambda-ric@4.0.2' } as const
const nodes = { 20: process.execPath, 22: 'node@22.23.3', 24: 'node@24.21.0' } as const

/** Is told of each check whether it holds. */
type Report = (what: string, holds: boolean) => void

const files = scratch('ric')
process.once('exit', () => files.remove()) // also when something throws
/** The folder as it is deployed, away from the repository. */
const deployed = join(files.folder, 'deployed')
const token = 'secret'
const serviceOf = (name: string, graph: Parameters<typeof onnxModel>[0]) =>
  files.write(`${name}.json`, serviceJson({ name, model: files.write(`${name}.onnx`, onnxModel(graph)), rpc: patient }))
const sum = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])
const request = (name: string, body = sum, authorization = token) => ({
  method: 'POST',
  target: `/api/predict/${name}`,
  headers: [['authorization', authorization] as const],
  body,
})
const event = (name: string, body = sum, authorization = token) =>
  awsEvents['function URL'](request(name, body, authorization))

/** A package in a folder of its own, installed once. */
function installed(folder: string, packages: readonly string[]): string {
  const at = join(cache, folder)
  if (!existsSync(join(at, 'node_modules'))) {
    mkdirSync(at, { recursive: true })
    writeFileSync(join(at, 'package.json'), '{}')
    execFileSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--engine-strict=false', '--loglevel=error', ...packages],
      { cwd: at, stdio: 'inherit' },
    )
  }
  return join(at, 'node_modules')
}

interface Instance {
  readonly api: RuntimeApi
  readonly pid: number
  end(): void
}

/** A fresh instance: the client, in the folder that is deployed, told where the runtime API is. */
async function start(
  node: string,
  ric: string,
  handler: string,
  env: Readonly<Record<string, string>>,
): Promise<Instance> {
  const api = await runtimeApi()
  const child = spawn(node, [join(ric, '.bin/aws-lambda-ric'), handler], {
    cwd: deployed,
    env: {
      PATH: process.env.PATH ?? '',
      AWS_LAMBDA_RUNTIME_API: api.host,
      AWS_LAMBDA_FUNCTION_NAME: 'eas',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/eas',
      AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      LAMBDA_TASK_ROOT: deployed,
      _HANDLER: handler, // version 4 takes it from here, 3 from its arguments
      EAS_LOG_LEVEL: 'silent',
      EAS_TOKEN: token,
      ...env,
    },
    stdio: ['ignore', 'ignore', process.env.EAS_RIC_VERBOSE ? 'inherit' : 'ignore'],
  })
  return {
    api,
    pid: child.pid ?? 0,
    end() {
      child.kill('SIGKILL')
      api.close()
    },
  }
}

const outputs = (body: Uint8Array) => torchPredict.decodeResponse(body).outputs.map(({ data }) => [...data])
const isSum = (body: Uint8Array) => JSON.stringify(outputs(body)) === '[[11,22],[22]]'

/** The prelude of a streamed answer is JSON, eight zero bytes end it. */
function split(body: Buffer) {
  const at = body.indexOf(Buffer.alloc(8))
  return { prelude: JSON.parse(body.toString('utf8', 0, at)), body: body.subarray(at + 8) }
}

async function check(node: string, ric: string, report: Report): Promise<void> {
  const start_ = (handler: string, name: string, graph: Parameters<typeof onnxModel>[0], env = {}) =>
    start(node, ric, handler, { SERVICE_JSON: serviceOf(name, graph), ...env })

  const buffered = await start_('index.handler', 'add', graphs.add)
  const first = await buffered.api.invoke(event('add'))
  report('a prediction', first.kind === 'response' && isSum(awsResponse(JSON.parse(first.body.toString())).body))
  const refused = await buffered.api.invoke(event('add', sum, 'wrong'))
  report('a refusal', JSON.parse(refused.body.toString()).statusCode === 401)
  const ping = await buffered.api.invoke({ source: 'aws.events' })
  report('a ping', JSON.parse(ping.body.toString()).body === 'warm')
  const misread = await buffered.api.invoke({ Records: [] })
  report('an error', misread.kind === 'error' && misread.body.toString().includes('Cannot read the event'))
  const after = await buffered.api.invoke(event('add'))
  report('a prediction after an error', isSum(awsResponse(JSON.parse(after.body.toString())).body))
  buffered.end()

  const streamed = await start_('index.streamHandler', 'add', graphs.add)
  const stream = await streamed.api.invoke(event('add'))
  const { prelude, body } = split(stream.body)
  report('a streamed prediction', prelude.statusCode === 200 && isSum(body))
  report(
    'its content type',
    stream.headers['content-type'] === 'application/vnd.awslambda.http-integration-response' &&
      prelude.headers['content-type'] === 'application/octet-stream',
  )
  const head = await streamed.api.invoke(
    awsEvents['function URL']({ method: 'HEAD', target: '/api/predict/add', headers: [] }),
  )
  report(
    'a streamed answer without a body',
    split(head.body).prelude.statusCode === 200 && split(head.body).body.length === 0,
  )
  streamed.end()

  const grown = await start_('index.streamHandler', 'grows', graphs.casts)
  const zeros = torchBody([{ dtype: 'int64', shape: [1_000_000], data: new BigInt64Array(1_000_000) }])
  const large = split((await grown.api.invoke(event('grows', zeros))).body)
  report('a streamed answer over 4.5 MB', large.prelude.statusCode === 200 && large.body.length > 4_715_520)
  grown.end()

  const broken = await start(node, ric, 'index.handler', { SERVICE_JSON: '/absent/service.json' })
  const { kind, body: reason } = await broken.api.initError
  report('an init that fails', kind === 'init-error' && reason.toString().includes('service.json'))
  broken.end()

  // Stopped as soon as the init phase is over, in the middle of its load; gone on with when an event comes.
  const frozen = await start_('index.handler', 'frozen', graphs.add)
  await frozen.api.ready
  process.kill(frozen.pid, 'SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const awaited = frozen.api.invoke(event('frozen'))
  process.kill(frozen.pid, 'SIGCONT')
  report('a load that was frozen', isSum(awsResponse(JSON.parse((await awaited).body.toString())).body))
  frozen.end()
}

/** The time from the start of the process to the first answer. */
async function coldStartMs(node: string, ric: string): Promise<number> {
  const begin = performance.now()
  const instance = await start(node, ric, 'index.handler', { SERVICE_JSON: serviceOf('cold', graphs.add) })
  await instance.api.invoke(event('cold'))
  instance.end()
  return performance.now() - begin
}

await bundle()
cpSync(join(root, 'dist/functions/aws-lambda'), deployed, { recursive: true, dereference: true })
let failures = 0
for (const version of [20, 22, 24] as const) {
  const node = version === 20 ? nodes[20] : join(installed(`node${version}`, [nodes[version]]), 'node/bin/node')
  for (const [major, name] of Object.entries(rics)) {
    if (version === 20 && major === '4') continue // asks for 22
    const ric = installed(`ric${major}`, [name])
    const [run] = execFileSync(node, ['--version']).toString().trim().split('\n')
    const report: Report = (what, holds) => {
      if (!holds) failures++
      process.stdout.write(`${holds ? 'ok  ' : 'FAIL'} ${name}, Node ${run}: ${what}\n`)
    }
    await check(node, ric, report).catch((error) => report(String(error), false))
    process.stdout.write(
      `     ${name}, Node ${run}: ${Math.round(await coldStartMs(node, ric))} ms to the first answer\n`,
    )
  }
}
process.exit(failures === 0 ? 0 : 1)
