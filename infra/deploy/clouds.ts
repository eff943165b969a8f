import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { cloudRunPlan } from './cloud-run.ts'
import { readDeployment } from './deployment.ts'
import { accountPlaceholder, type FcFunction, type FcPlan, fcPlan, tokenPlaceholder } from './fc.ts'
import { type FcAccount, fc2, fc3 } from './fc-api.ts'
import { submitTasks } from './fc-tasks.ts'
import { hasGcloud, lineOf, runSteps } from './gcloud.ts'
import { type DeployOptions, deployOptions, serviceFolder } from './options.ts'
import { sYaml } from './s-yaml.ts'
import { yamlFile } from './yaml.ts'
import { zipOf } from './zip.ts'

type Env = Readonly<Record<string, string | undefined>>
type Say = (line: string) => void

/** A cloud that the `serverless` command is told by the plugin: what it writes for `package`, and what it does for `deploy`. */
export interface Cloud {
  /** @throws saying why there can be no plan: before anything is built. */
  check(custom: unknown): Promise<void>
  /** Writes the complete plan into `folder`; asks nobody. */
  package(custom: unknown, folder: string, say: Say): Promise<void>
  /** Does what the plan says that `package` has written. `dry`: says what it would do. */
  deploy(
    custom: unknown,
    folder: string,
    options: { readonly dry: boolean; readonly env: Env; readonly say: Say },
  ): Promise<void>
  /** Hands the objects of a list to the batch function; where the cloud has no list of its own to start from. */
  score?(
    custom: unknown,
    options: { readonly manifest: string; readonly run: string; readonly env: Env; readonly say: Say },
  ): Promise<void>
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
const write = async (folder: string, name: string, text: string, say: Say) => {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), text)
  say(`wrote ${join(folder, name)}`)
}
const sayNotes = (notes: readonly string[], say: Say) => {
  for (const note of notes) say(`not as configured: ${note}`)
}

const fc: Cloud = {
  async check(custom) {
    fcPlan(await readDeployment(deployOptions(custom)))
  },
  async package(custom, folder, say) {
    const options = deployOptions(custom)
    const plan = fcPlan(await readDeployment(options))
    sayNotes(plan.notes, say)
    await write(folder, 'fc-plan.json', json(plan), say)
    if (plan.generation === 3)
      await write(folder, 's.yaml', yamlFile(sYaml(plan, options, relative(folder, '.') || '.')), say)
  },
  async deploy(custom, _folder, { dry, env, say }) {
    const options = deployOptions(custom)
    const plan = fcPlan(await readDeployment(options))
    if (dry) {
      for (const { function: input, triggers } of plan.functions) {
        say(
          `would create or update ${input.functionName} in ${plan.region}, and its triggers ${triggers.map(({ triggerName }) => triggerName).join(', ')}`,
        )
      }
      return
    }
    const api = await apiFrom(env, plan)
    const token = env.EAS_TOKEN
    if (!token) throw new Error('Cannot deploy: EAS_TOKEN must be the token that clients sign with')
    for (const each of plan.functions) {
      const { url } = await api.put(
        await readyToSend(each, options, { token, accountId: accountFrom(env, plan).accountId }),
      )
      say(url ? `${each.function.functionName}: ${url}` : `${each.function.functionName}: deployed`)
    }
  },
  async score(custom, { manifest, run, env, say }) {
    const plan = fcPlan(await readDeployment(deployOptions(custom)))
    const [, batch] = plan.functions
    if (!batch) throw new Error('Cannot score: custom.eas.batch is not set, so there is no function for it')
    const lines = (await readFile(manifest, 'utf8')).split('\n')
    const { functionName } = batch.function
    const { tasks, known } = await submitTasks(await apiFrom(env, plan), functionName, lines, run)
    say(`${tasks} tasks for ${functionName}, ${known} of which had been handed over before`)
  },
}

const apiFrom = (env: Env, plan: FcPlan) =>
  plan.generation === 2 ? fc2(accountFrom(env, plan), 'eas') : fc3(accountFrom(env, plan))

/** What no plan has. */
interface FcSecrets {
  readonly token: string
  readonly accountId: string
  /** Characters of the code's base64. */
  readonly codeCharsMax?: number
}

/** The plan with the token, the account and the code in it. */
export async function readyToSend(
  plan: FcFunction,
  options: DeployOptions,
  { token, accountId, codeCharsMax = codeCharsMaxOfApi }: FcSecrets,
): Promise<FcFunction> {
  const { environmentVariables, code, ...input } = plan.function as FcFunction['function'] & {
    environmentVariables: Record<string, string>
    code?: { zipFile: string }
  } // as fc.ts writes it
  const withToken = Object.fromEntries(
    Object.entries(environmentVariables).map(([name, value]) => [name, value === tokenPlaceholder ? token : value]),
  )
  const folder = serviceFolder(options)
  const zipped = code && (await zipOf({ '': code.zipFile, [folder]: folder })).toString('base64')
  if (zipped && zipped.length > codeCharsMax) {
    const [size, most] = [zipped.length, codeCharsMax].map((chars) => `${Math.ceil(chars / 2 ** 20)} MB`)
    throw new Error(
      `Cannot deploy ${options.service}: the code with its folder is ${size} in base64, a request takes ${most}; name the model in a bucket, or deploy an image`,
    )
  }
  const inAccount = (value: unknown) =>
    typeof value === 'string' ? value.replace(accountPlaceholder, accountId) : value
  return {
    ...plan,
    triggers: plan.triggers.map(
      (trigger) =>
        Object.fromEntries(Object.entries(trigger).map(([name, value]) => [name, inAccount(value)])) as typeof trigger, // the same members
    ),
    function: { ...input, environmentVariables: withToken, ...(zipped ? { code: { zipFile: zipped } } : {}) },
  }
}

/** @see Alibaba Cloud "Function Compute: limits", code package sent through an SDK */
const codeCharsMaxOfApi = 100 * 2 ** 20

/** @see Alibaba Cloud "Credentials of SDKs", environment variables */
function accountFrom(env: Env, { region }: FcPlan): FcAccount {
  const names = ['ALIBABA_CLOUD_ACCOUNT_ID', 'ALIBABA_CLOUD_ACCESS_KEY_ID', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET']
  const missing = names.filter((name) => !env[name])
  if (missing.length > 0) throw new Error(`Cannot call Function Compute: ${missing.join(', ')} must be set`)
  const [accountId = '', accessKeyId = '', accessKeySecret = ''] = names.map((name) => env[name])
  return {
    accountId,
    accessKeyId,
    accessKeySecret,
    region,
    ...(env.ALIBABA_CLOUD_SECURITY_TOKEN ? { securityToken: env.ALIBABA_CLOUD_SECURITY_TOKEN } : {}),
    ...(env.EAS_FC_ENDPOINT ? { endpoint: env.EAS_FC_ENDPOINT } : {}),
  }
}

const cloudrun: Cloud = {
  async check(custom) {
    cloudRunPlan(await readDeployment(deployOptions(custom)))
  },
  async package(custom, folder, say) {
    const { files, steps, notes } = cloudRunPlan(await readDeployment(deployOptions(custom)))
    sayNotes(notes, say)
    for (const [name, content] of Object.entries(files)) await write(folder, name, yamlFile(content), say)
    await write(folder, 'deploy.sh', `#!/bin/sh -ex\n${steps.map(lineOf).join('\n')}\n`, say)
  },
  async deploy(custom, folder, { dry, env, say }) {
    const { steps } = cloudRunPlan(await readDeployment(deployOptions(custom)))
    if (!dry && (await hasGcloud(env))) return runSteps(steps, { cwd: folder, env, say })
    if (!dry) say('gcloud is not there; run these where it is:')
    for (const step of steps) say(`$ ${lineOf(step)}`)
  },
}

export const clouds: Readonly<Record<string, Cloud>> = { fc, cloudrun }
