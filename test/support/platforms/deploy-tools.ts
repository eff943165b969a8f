// Shows what would be deployed to the tools of the clouds, offline: CloudFormation and the state machine to cfn-lint and
// asl-validator, s.yaml to Serverless Devs, Cloud Run's descriptions to the messages that gcloud has of its API; and deploys to
// AWS as moto plays it. On demand, since these are installed first, into .cache/deploy-tools:
// `npx tsx test/support/platforms/deploy-tools.ts`. It needs Python 3 with venv.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = new URL('../../../', import.meta.url).pathname
const cache = join(root, '.cache/deploy-tools')
const work = mkdtempSync(join(tmpdir(), 'eas-deploy-tools-'))
process.once('exit', () => rmSync(work, { recursive: true, force: true })) // also when something throws

const run = (program: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) =>
  execFileSync(program, args, { cwd: root, ...options, env: { ...process.env, ...options.env } }).toString()

/** Installs a tool once. @returns Its program. */
function tool(name: string, install: (folder: string) => void, program: string): string {
  const folder = join(cache, name)
  if (!existsSync(join(folder, program))) {
    mkdirSync(folder, { recursive: true })
    install(folder)
  }
  return join(folder, program)
}
const fromNpm = (name: string, program: string) =>
  tool(
    program,
    (folder) => {
      writeFileSync(join(folder, 'package.json'), '{}')
      run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', name], { cwd: folder })
    },
    `node_modules/.bin/${program}`,
  )
const fromPython = (name: string, program: string) =>
  tool(
    program,
    (folder) => {
      run('python3', ['-m', 'venv', join(folder, 'venv')])
      run(join(folder, 'venv/bin/pip'), ['install', '--quiet', name])
    },
    `venv/bin/${program}`,
  )

let failures = 0
function report(what: string, check: () => void): void {
  try {
    check()
    process.stdout.write(`ok   ${what}\n`)
  } catch (error) {
    failures++
    const { stdout = '', message } = error as Error & { stdout?: Buffer } // of execFileSync
    process.stdout.write(`FAIL ${what}: ${message}\n${stdout}\n`)
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** What the command says when it deploys what it has packaged before, with nothing behind it but a server of this machine. */
async function deployedTo(moto: string): Promise<string> {
  const server = spawn(moto, ['--host', '127.0.0.1', '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    const endpoint = await new Promise<string>((resolve, reject) => {
      createInterface(server.stderr).on('line', (line) => {
        const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? []
        if (url) resolve(url)
      })
      server.once('error', reject)
      server.once('exit', (code) => reject(new Error(`moto_server ended with ${code}`)))
    })
    const credentials = { AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none', AWS_REGION: 'us-east-1' }
    const child = spawn(join(root, 'node_modules/.bin/serverless'), ['deploy', '--package', join(work, 'aws')], {
      cwd: root,
      env: { ...process.env, ...credentials, AWS_ENDPOINT_URL: endpoint },
    })
    const said: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => said.push(piece))
    await once(child, 'close')
    return Buffer.concat(said).toString()
  } finally {
    server.kill()
  }
}

/** A stack around the state machine, so that its definition is looked at by the same rules as the rest. */
function stateMachineStack(): string {
  const definition = JSON.parse(readFileSync(join(root, 'infra/aws/batch.asl.json'), 'utf8'))
  const path = join(work, 'state-machine.json')
  const Properties = {
    RoleArn: 'arn:aws:iam::123456789012:role/eas-digits-batch',
    Definition: definition,
    DefinitionSubstitutions: {
      BatchFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:eas-digits-dev-batch',
    },
  }
  const Batch = { Type: 'AWS::StepFunctions::StateMachine', Properties }
  writeFileSync(path, JSON.stringify({ AWSTemplateFormatVersion: '2010-09-09', Resources: { Batch } }))
  return path
}

const cfnLint = fromPython('cfn-lint', 'cfn-lint')
report('serverless package, its CloudFormation by cfn-lint', () => {
  run(join(root, 'node_modules/.bin/serverless'), ['package', '--package', join(work, 'aws')])
  run(cfnLint, [join(work, 'aws/cloudformation-template-update-stack.json')])
})
const moto = fromPython('moto[server]', 'moto_server')
await deployedTo(moto).then(
  (said) =>
    report('serverless deploy, to AWS as moto plays it', () => {
      if (!said.includes('Service deployed to stack eas-digits-dev')) throw new Error(said)
    }),
  (error) =>
    report('serverless deploy, to AWS as moto plays it', () => {
      throw error
    }),
)
report('infra/aws/batch.asl.json by cfn-lint', () => run(cfnLint, [stateMachineStack()]))
const aslValidator = fromNpm('asl-validator', 'asl-validator')
report('infra/aws/batch.asl.json by asl-validator', () =>
  run(aslValidator, ['--json-path', 'infra/aws/batch.asl.json']),
)
const s = fromNpm('@serverless-devs/s', 's')
report('infra/alibaba/s.yaml by s preview', () => {
  const shown = run(s, ['preview', '-t', 'infra/alibaba/s.yaml'], {
    env: { EAS_TOKEN: 'of-the-environment', HOME: work },
  })
  if (!shown.includes('of-the-environment')) throw new Error('the token is not that of the environment')
})
const sdk = attempt(() => run('gcloud', ['info', '--format=value(installation.sdk_root)']).trim())
if (sdk === undefined) process.stdout.write('left out: infra/gcp by the messages of gcloud, which is not there\n')
else {
  report('infra/gcp by the messages of gcloud', () => {
    const described = ['service', 'service.gpu', 'events', 'job'].map((name) => `infra/gcp/${name}.yaml`)
    const python = join(cache, 'cfn-lint/venv/bin/python') // has PyYAML
    run(python, [join(import.meta.dirname, 'cloud_run_schema.py'), sdk, ...described])
  })
}
process.exit(failures === 0 ? 0 : 1)
