/** What a platform lets the environment of a function have. */
export interface EnvironmentRule {
  /** Names that it takes. */
  readonly names: RegExp
  /** Names that it sets itself, and refuses from others. */
  readonly reserved: RegExp
}

/** @see AWS Lambda "Defined runtime environment variables"; API, Environment, Variables */
export const lambdaEnvironment: EnvironmentRule = {
  names: /^[A-Za-z]\w+$/,
  reserved:
    /^(?:AWS_(?:DEFAULT_REGION|REGION|EXECUTION_ENV|ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|LAMBDA_\w+)|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$/,
}

/** @see Cloud Run "Container runtime contract", environment variables; "Configure environment variables for services" */
export const cloudRunEnvironment: EnvironmentRule = {
  names: /^[^=\0]+$/,
  reserved: /^(?:PORT|K_SERVICE|K_REVISION|K_CONFIGURATION|CLOUD_RUN_\w+|X_GOOGLE_.*)$/,
}

/**
 * `PORT` would move the server of a container away from where the plan has it.
 * @see Alibaba Cloud Function Compute "Configure environment variables", reserved ones among them
 */
export const fcEnvironment: EnvironmentRule = {
  names: /^[A-Za-z]\w*$/,
  reserved: /^(?:FC_\w+|PORT|accessKeyID|accessKeySecret|securityToken|topic)$/,
}

/**
 * The environment without what the platform would refuse the whole function for, each with a note; and without a token, which
 * comes from a secret.
 */
export function environmentWithin(
  environment: Readonly<Record<string, string>>,
  { names, reserved }: EnvironmentRule,
  notes: string[],
): Record<string, string> {
  const facts = (name: string) => {
    if (name === 'EAS_TOKEN') return 'it is left out; the token is a secret of the platform'
    if (reserved.test(name)) return 'it is left out; the platform has one of its own'
    return names.test(name) ? undefined : 'it is left out; the platform takes no such name'
  }
  const kept = Object.entries(environment).filter(([name]) => {
    const why = facts(name)
    if (why !== undefined) notes.push(`processor_envs ${name}: ${why}`)
    return why === undefined
  })
  return Object.fromEntries(kept)
}
