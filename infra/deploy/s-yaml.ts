import { accountPlaceholder, type FcPlan, ossTriggerRole, tokenPlaceholder } from './fc.ts'
import { quoted } from './gcloud.ts'
import { type DeployOptions, serviceFolder } from './options.ts'

/**
 * The plan for Function Compute 3.0 as Serverless Devs' component fc3 takes it, for those who deploy with `s`.
 *
 * @param root Of the repository, from the folder that the file will lie in: what `s` takes paths from.
 * @see github.com/devsapp/fc3 `src/schema.json`; Serverless Devs "s.yaml", edition 3.0.0
 */
export function sYaml(
  { region, functions }: FcPlan,
  options: DeployOptions,
  root: string,
): Readonly<Record<string, unknown>> {
  const resources = functions.map(({ function: input, triggers, ...configs }) => {
    const { code, environmentVariables, ...props } = input as Readonly<Record<string, unknown>> & {
      readonly functionName: string
      readonly environmentVariables: Readonly<Record<string, string>>
      readonly code?: object
    } // as fc.ts writes it
    const variables = Object.entries(environmentVariables).map(([name, value]) => [
      name,
      value === tokenPlaceholder ? tokenOfEnvironment : value,
    ])
    return [
      resourceName(props.functionName),
      {
        component: 'fc3',
        ...(code ? { actions: { 'pre-deploy': [{ run: stageCommand(options), path: root }] } } : {}),
        props: {
          region,
          ...props,
          ...(code ? { code: `${root}/${staged}` } : {}),
          environmentVariables: Object.fromEntries(variables),
          ...configs,
          triggers: triggers.map(trigger),
        },
      },
    ] as const
  })
  return { edition: '3.0.0', name: 'eas', access: 'default', resources: Object.fromEntries(resources) }
}

/** `s` makes the role of a trigger that names none, and knows the account. */
function trigger({ invocationRole, sourceArn, ...rest }: FcPlan['functions'][number]['triggers'][number]) {
  return {
    ...rest,
    ...(typeof invocationRole === 'string' && invocationRole !== ossTriggerRole ? { invocationRole } : {}),
    ...(typeof sourceArn === 'string' ? { sourceArn: sourceArn.replace(accountPlaceholder, accountOfAccess) } : {}),
  }
}
const accountOfAccess = '$' + '{config("AccountID")}'

/** What `s` replaces with the variable of its own environment. */
const tokenOfEnvironment = '$' + "{env('EAS_TOKEN')}"

/** Where the code that `s` zips is put together, from the root of the repository. */
const staged = '.serverless/fc-code'

const stageCommand = (options: DeployOptions) =>
  [
    `rm -rf ${staged}`,
    'mkdir -p .serverless',
    `cp -rL dist/functions/aliyun-fc ${staged}`,
    `cp -rL --parents ${quoted(serviceFolder(options))} ${staged}`,
  ].join(' && ')

/** Letters, digits, `-` and `_`, which is what a key of `resources` may have. */
const resourceName = (functionName: string) => functionName.replace(/[^A-Za-z0-9_-]+/g, '-')
