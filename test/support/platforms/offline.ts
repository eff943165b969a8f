// Serves the Lambda bundle with serverless-offline, and asks it with the official Python SDK. On demand, as both are installed
// first, into .cache/offline: `npx tsx test/support/platforms/offline.ts`. It needs Python 3 with venv.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../../../infra/bundle.ts'
import { graphs } from '../models.ts'
import { onnxModel, scratch } from '../onnx.ts'
import { patient, serviceJson } from '../processor.ts'

const root = new URL('../../../', import.meta.url).pathname
const cache = join(root, '.cache/offline')
/** Versions of the newest release that this was run with. */
const packages = ['serverless-offline@14.8.2', 'osls@4.3.1']
const pythonSdk = 'eas-prediction==0.36'
const [port, lambdaPort] = ['18631', '18632']
const token = 'secret'

const run = (program: string, args: readonly string[], cwd = cache) =>
  execFileSync(program, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] }).toString()

if (!existsSync(join(cache, 'node_modules'))) {
  mkdirSync(cache, { recursive: true })
  writeFileSync(join(cache, 'package.json'), '{}')
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '--legacy-peer-deps', ...packages])
}
if (!existsSync(join(cache, 'venv'))) {
  run('python3', ['-m', 'venv', 'venv'])
  run(join(cache, 'venv/bin/pip'), ['install', '--quiet', pythonSdk])
}

await bundle()
const files = scratch('offline')
const service = serviceJson({ name: 'add', model: files.write('add.onnx', onnxModel(graphs.add)), rpc: patient })
files.write(
  'serverless.yml',
  `service: eas
frameworkVersion: "4"
provider: { name: aws, runtime: nodejs22.x }
plugins: [serverless-offline]
functions:
  predict:
    handler: dist/functions/aws-lambda/index.handler
    timeout: 30
    environment: { SERVICE_JSON: "${files.write('add.json', service)}", EAS_TOKEN: ${token}, EAS_LOG_LEVEL: warn }
    events: [{ httpApi: "*" }]
`,
)
files.write('package.json', '{}')
symlinkSync(join(root, 'dist'), join(files.folder, 'dist'))
symlinkSync(join(cache, 'node_modules'), join(files.folder, 'node_modules'))

const offline = spawn(
  join(cache, 'node_modules/.bin/osls'),
  ['offline', '--host', '127.0.0.1', '--httpPort', port, '--lambdaPort', lambdaPort, '--noPrependStageInUrl'],
  { cwd: files.folder, stdio: ['ignore', 'ignore', process.env.EAS_OFFLINE_VERBOSE ? 'inherit' : 'ignore'] },
)
async function listens(): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('serverless-offline does not answer')
}
let failed = false
try {
  await listens()
  const client = join(import.meta.dirname, 'offline_client.py')
  const said = run(join(cache, 'venv/bin/python'), [client, `127.0.0.1:${port}`, 'add', token])
  process.stdout.write(`${said.trim()}   ${pythonSdk} through ${packages.join(' and ')}\n`)
} catch (error) {
  failed = true
  process.stdout.write(`FAIL ${error instanceof Error ? error.message : error}\n`)
} finally {
  offline.kill('SIGKILL')
  files.remove()
}
process.exit(failed ? 1 : 0)
