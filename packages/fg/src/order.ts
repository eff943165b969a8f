import type { FeatureBuild } from './feature-build.ts'

/** Features so ordered that each stands after those it reads; a cycle is a problem, named by its members. */
export function inOrder(builds: readonly FeatureBuild[], problems: string[]): readonly number[] {
  const waiting = builds.map((build) => build.dependencies.size)
  const readers = builds.map((): number[] => [])
  for (const [i, { dependencies }] of builds.entries()) for (const d of dependencies) readers[d]?.push(i)
  const order = waiting.flatMap((count, i) => (count === 0 ? [i] : []))
  // `order` grows as it is walked.
  for (const done of order) {
    for (const reader of readers[done] ?? []) {
      const left = (waiting[reader] ?? 0) - 1
      waiting[reader] = left
      if (left === 0) order.push(reader)
    }
  }
  if (order.length < builds.length) {
    const names = builds.flatMap(({ entry }, i) => ((waiting[i] ?? 0) > 0 ? [entry.name] : []))
    const more = names.length > 8 ? ` and ${names.length - 8} more` : ''
    problems.push(`features read each other in a circle: ${names.slice(0, 8).join(', ')}${more}`)
  }
  return order
}

/**
 * Which features are the user's: computed once per request when the model tiles its input. Members of a sequence group
 * are; others when everything they read is of side `user`, through other features too. A constant makes a feature
 * another kind.
 *
 * @see TorchEasyRec, `tzrec/datasets/data_parser.py`
 */
export function userFeatures(builds: readonly FeatureBuild[], order: readonly number[]): readonly boolean[] {
  const isUser = new Array<boolean>(builds.length).fill(false)
  for (const i of order) {
    const build = builds[i]
    if (!build) continue
    const direct = [...build.sides].every((side) => side === 'user' || side === 'feature')
    const through = [...build.dependencies].every((dependency) => isUser[dependency])
    isUser[i] = build.entry.group !== undefined || (direct && through)
  }
  return isUser
}
