import { spawn } from 'node:child_process'

type Env = Readonly<Record<string, string | undefined>>

/** One command of gcloud, which is its first word. Words may hold `${PROJECT_ID}`. */
export interface Step {
  readonly words: readonly string[]
  /** A command that succeeds when this one has been run before, and must not be again. */
  readonly unless?: readonly string[]
}

/** The project, which a shell or `runSteps` puts in. */
export const projectId = '$' + '{PROJECT_ID}'

/** As a line of a shell script. */
export const lineOf = ({ words, unless }: Step): string =>
  `${unless ? `${shellLine(unless)} >/dev/null 2>&1 || ` : ''}${shellLine(words)}`

const shellLine = (words: readonly string[]) => words.map(quoted).join(' ')
/** A word of a shell's line. */
export const quoted = (word: string) => (/^[\w@%+=:,./${}-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

/** Whether gcloud is there to be run. */
export const hasGcloud = (env: Env): Promise<boolean> =>
  succeeds(['gcloud', '--version'], { env, cwd: '.', stdio: 'ignore' })

/**
 * Runs the steps one after the other in `cwd`, saying each.
 * @throws when one fails, or asks for a project and the environment names none.
 */
export async function runSteps(
  steps: readonly Step[],
  { cwd, env, say }: { readonly cwd: string; readonly env: Env; readonly say: (line: string) => void },
): Promise<void> {
  const project = env.PROJECT_ID || env.GOOGLE_CLOUD_PROJECT
  const inProject = (words: readonly string[]) =>
    words.map((word) => {
      if (!word.includes(projectId)) return word
      if (!project) throw new Error('Cannot deploy: PROJECT_ID must be set, or custom.eas.role')
      return word.replaceAll(projectId, project)
    })
  for (const { words, unless } of steps.map((step) => ({ words: inProject(step.words), unless: step.unless }))) {
    if (unless && (await succeeds(inProject(unless), { cwd, env, stdio: 'ignore' }))) continue
    say(`$ ${shellLine(words)}`)
    if (!(await succeeds(words, { cwd, env, stdio: 'inherit' })))
      throw new Error(`Cannot deploy: ${shellLine(words)} failed`)
  }
}

const succeeds = (
  [program = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: Env; readonly stdio: 'ignore' | 'inherit' },
) =>
  new Promise<boolean>((resolve) => {
    spawn(program, args, options)
      .on('error', () => resolve(false))
      .on('exit', (code) => resolve(code === 0))
  })
