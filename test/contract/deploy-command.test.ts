import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { scratch } from '../support/onnx.ts'
import { cleanEnv } from '../support/server.ts'

/** `serverless deploy --dry` packages first, so that one command shows both. */

const root = join(import.meta.dirname, '../..')
const files = scratch('serverless')
afterAll(() => files.remove())

/** The repository as the command sees it, with a folder of its own for what it writes. */
function checkout(name: string): string {
  const settings = readFileSync(join(root, 'serverless.yml'), 'utf8')
  const batch = '    batch: { bucket: requests, prefix: in/, output: "s3://results/scores/" }\n'
  const path = files.write(`${name}/serverless.yml`, settings.replace(/^ {2}eas:\n/m, `$&${batch}`))
  files.write(`${name}/package.json`, readFileSync(join(root, 'package.json')))
  const folder = join(path, '..')
  for (const shared of ['dist', 'functions', 'infra', 'node_modules', 'packages']) {
    symlinkSync(join(root, shared), join(folder, shared))
  }
  return folder
}

/** Without credentials, and without a way to find any. */
async function serverless(folder: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const found = Object.entries(cleanEnv()).filter(([name]) => !/^(?:AWS|ALIBABA|GOOGLE|CLOUDSDK)_/.test(name))
  const { stdout, stderr } = await promisify(execFile)(join(root, 'node_modules/.bin/serverless'), args, {
    cwd: folder,
    env: { ...Object.fromEntries(found), HOME: folder, TMPDIR: folder, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    timeout: 600_000,
  })
  return stdout + stderr
}
const image = `registry.example.com/eas@sha256:${'0'.repeat(64)}`

describe('serverless deploy --dry', () => {
  it('for AWS packages handlers, model and stack, and says what it would create', async () => {
    const folder = checkout('aws')
    // A folder's name may be a pattern, and a value may look like one of the framework's variables.
    const example = join(root, 'packages/cli/examples/digits')
    const service = JSON.parse(readFileSync(join(example, 'service.json'), 'utf8'))
    const odd = 'models (all) [v2]'
    const value = '$' + '{env:HOME} costs $5'
    const processor_envs = [{ name: 'ODD', value }]
    files.write(`aws/${odd}/service.json`, JSON.stringify({ ...service, processor_envs }))
    files.write(`aws/${odd}/${service.model_path}`, readFileSync(join(example, service.model_path)))
    const said = await serverless(folder, ['deploy', '--dry'], { SERVICE_JSON: `${odd}/service.json` })
    for (const line of [
      'dist/functions/aws-lambda x64: ',
      'not as configured: metadata.rpc.worker_threads',
      'would create or update AWS::Lambda::Function PredictLambdaFunction',
      'would create or update AWS::Lambda::Function BatchLambdaFunction',
    ]) {
      expect(said).toContain(line)
    }
    expect(said).not.toContain('deployed')
    const template = readFileSync(join(folder, '.serverless/cloudformation-template-update-stack.json'), 'utf8')
    const { Resources } = JSON.parse(template)
    expect(Resources.PredictLambdaFunction.Properties).toMatchObject({
      Handler: 'dist/functions/aws-lambda/index.streamHandler',
      Runtime: 'nodejs22.x',
      FunctionName: 'eas-digits-dev-predict',
      Environment: { Variables: { ODD: value, EAS_TOKEN: '{{resolve:secretsmanager:eas-digits-token}}' } },
    })
    expect(Resources.PredictLambdaFunctionUrl.Properties).toMatchObject({
      AuthType: 'NONE',
      InvokeMode: 'RESPONSE_STREAM',
    })
    const [{ PolicyDocument }] = Resources.IamRoleLambdaExecution.Properties.Policies
    expect(PolicyDocument.Statement).toContainEqual({
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      Resource: [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::results/scores/*']] }],
    })
    expect(Resources.IamRoleLambdaExecution.Properties.RoleName).toBe('eas-digits-dev-us-east-1-lambdaRole')
    const zip = readFileSync(join(folder, '.serverless/eas-digits.zip'))
    for (const shipped of [
      'dist/functions/aws-lambda/index.js',
      `${odd}/service.json`,
      `${odd}/${service.model_path}`,
    ]) {
      expect(zip.includes(shipped), shipped).toBe(true)
    }
  }, 600_000)

  it('for Function Compute writes the plan, and says what it would create', async () => {
    const folder = checkout('fc')
    const said = await serverless(folder, ['deploy', '--dry'], { CLOUD: 'fc' })
    expect(said).toContain('would create or update digits in cn-hangzhou, and its triggers http')
    const plan = JSON.parse(readFileSync(join(folder, '.serverless/fc-plan.json'), 'utf8'))
    expect(plan.functions[0].function).toMatchObject({ functionName: 'digits', runtime: 'nodejs20' })
  }, 600_000)

  it('for Cloud Run writes its descriptions, and prints the commands', async () => {
    const folder = checkout('cloudrun')
    const said = await serverless(folder, ['deploy', '--dry'], { CLOUD: 'cloudrun', EAS_IMAGE: image })
    expect(said).toContain('$ gcloud run services replace service.yaml --region=us-central1')
    for (const file of ['service.yaml', 'events.yaml', 'job.yaml', 'deploy.sh']) {
      expect(readdirSync(join(folder, '.serverless'))).toContain(file)
    }
  }, 600_000)

  it('says in a line what a cloud cannot run', async () => {
    const folder = checkout('no-image')
    const refused = async (env: Readonly<Record<string, string>>) => {
      const { stdout, stderr } = await serverless(folder, ['package'], env).catch((thrown) => thrown)
      return `${stdout}${stderr}`
    }
    const said = await refused({ CLOUD: 'cloudrun' })
    expect(said).toMatch(/^Cloud Run runs containers only: set custom\.eas\.image, or EAS_IMAGE$/m)
    expect(said, 'before anything is built').not.toContain('dist/functions')
    expect(await refused({ CLOUD: 'azure' })).toMatch(/^CLOUD must be one of aws, fc, cloudrun, got azure$/m)
    const absent = await refused({ CLOUD: 'fc', SERVICE_JSON: 'absent.json' })
    expect(absent).toContain('Cannot read absent.json, which SERVICE_JSON or custom.eas.service names: no such file')
    expect(absent).not.toContain('    at ')
    const pmml = join(root, 'test/golden/service-json/19-pmml.json')
    expect(await refused({ CLOUD: 'fc', SERVICE_JSON: pmml })).toContain(
      '19-pmml.json: processor pmml: PMML models are not run',
    )
  }, 600_000)
})
