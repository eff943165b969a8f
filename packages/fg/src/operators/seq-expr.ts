import type { NumberBags } from '../bags.ts'
import { shown } from '../config-key.ts'
import { compileExpression } from '../expression/index.ts'
import type { FeatureBuild, InputRef } from '../feature-build.ts'
import type { FeatureValue, Frame } from '../frame.ts'
import type { FeatureFunction } from '../operator.ts'
import { evaluate } from './expr.ts'

/** `formula` that names a function of longitude and latitude of two places, in kilometres. */
const spherical = 'spherical_distance'

/** SeqExpr: `formula` for every step; inputs of one step stand for every step. */
export function compileSeqExpr(
  build: FeatureBuild,
  refs: readonly InputRef[],
  separator: string,
  value_dim: number,
  finish: (frame: Frame, bags: NumberBags) => FeatureValue,
): FeatureFunction | undefined {
  const { formula } = build.entry.raw
  if (typeof formula !== 'string' || formula === '') {
    build.problem(`formula is ${shown(formula)}, expected a formula or ${spherical}`)
    return undefined
  }
  const places = formula === spherical
  if (places && refs.length !== 4) {
    build.problem(`${spherical} takes lng, lat, lng, lat; expression has ${refs.length} inputs`)
    return undefined
  }
  const names = places ? ['lng1', 'lat1', 'lng2', 'lat2'] : refs.map((ref) => ref.name)
  const reads = refs.map((ref) => build.numbers(ref, separator))
  try {
    const expression = compileExpression(places ? `sphere_dist(${names.join(',')})` : formula, names)
    return (frame) => {
      const inputs = reads.map((read) => read(frame))
      return finish(frame, evaluate(expression, inputs, value_dim !== 1))
    }
  } catch (thrown) {
    build.problem(`formula: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    return undefined
  }
}
