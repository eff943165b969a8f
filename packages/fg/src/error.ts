/** What is wrong with an `fg.json`, all of it: each problem says where it stands, what was expected and what is there. */
export class FgConfigError extends Error {
  override readonly name = 'FgConfigError'
  readonly code = 'invalid_config'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const shown = problems.slice(0, 20).join('; ')
    const more = problems.length > 20 ? `; and ${problems.length - 20} more` : ''
    super(`Cannot compile fg.json: ${shown}${more}`)
    this.problems = problems
  }
}
