import { type Dim, type DimJson, dimToJson, equal, evaluate, evaluateJson, fromInputs, less, sub } from './dim.ts'

/** How a guard compares. */
export type Comparison = '==' | '!=' | '<' | '<='

/** What the lowered model takes for granted about the sizes of its inputs, as plain data. */
export interface Guard {
  /** For people: `height == 224`. */
  readonly text: string
  readonly left: DimJson
  readonly op: Comparison
  readonly right: DimJson
}

/** A labelled dimension: the label, or the number it always has. */
export type LabelledShape = readonly (number | string)[]

/**
 * Where a model branches on a size that requests decide, one side must be taken when it is lowered: the one the example
 * sizes (the hints) take. That the choice holds is then a guard.
 */
export class Guards {
  private readonly hints: ReadonlyMap<string, number>
  private readonly byText = new Map<string, Guard>()

  /** @param hints Label → example size. A label without one counts as `defaultHint`. */
  constructor(hints: ReadonlyMap<string, number> = new Map()) {
    this.hints = hints
  }

  get all(): readonly Guard[] {
    return [...this.byText.values()]
  }

  /** Forgets the guards made after `count` of them existed. */
  truncate(count: number): void {
    for (const text of [...this.byText.keys()].slice(count)) this.byText.delete(text)
  }

  get count(): number {
    return this.byText.size
  }

  /** Whether the comparison holds; `undefined` when only the data can tell. May record a guard. */
  decide(a: Dim, op: Comparison, b: Dim): boolean | undefined {
    const known = compare(a, op, b)
    if (known !== undefined) return known
    if (!fromInputs(sub(a, b))) return undefined
    const holds = compare(this.hint(a), op, this.hint(b)) === true
    if (holds) this.record(a, op, b)
    else if (op === '==') this.record(a, '!=', b)
    else if (op === '!=') this.record(a, '==', b)
    else this.record(b, op === '<' ? '<=' : '<', a)
    return holds
  }

  /** The number a size has from here on; `undefined` when only the data can tell. May record a guard. */
  pin(d: Dim): number | undefined {
    if (typeof d === 'number') return d
    if (!fromInputs(d)) return undefined
    const value = this.hint(d)
    this.record(d, '==', value)
    return value
  }

  /** The size for the example. Only for sizes that follow from inputs. */
  hint(d: Dim): number {
    return evaluate(d, (a) => this.hints.get(a.name) ?? defaultHint)
  }

  private record(a: Dim, op: Comparison, b: Dim): void {
    const text = `${a} ${op} ${b}`
    if (!this.byText.has(text)) this.byText.set(text, { text, left: dimToJson(a), op, right: dimToJson(b) })
  }

  /** Labels that the guards speak of. */
  get labels(): ReadonlySet<string> {
    const labels = new Set<string>()
    const collect = (json: DimJson): void => {
      if (typeof json === 'string') labels.add(json)
      else if (typeof json !== 'number') for (const part of json.slice(1)) collect(part as DimJson) // operands follow the operator
    }
    for (const { left, right } of this.byText.values()) {
      collect(left)
      collect(right)
    }
    return labels
  }
}

/** Size taken for a label nobody gave an example of: no common divisor with usual sizes except powers of two and three. */
export const defaultHint = 12

/** `undefined`: it depends. */
function compare(a: Dim, op: Comparison, b: Dim): boolean | undefined {
  if (op === '<') return less(a, b)
  if (op === '==') return equal(a, b)
  const opposite = op === '<=' ? less(b, a) : equal(a, b)
  return opposite === undefined ? undefined : !opposite
}

/**
 * Whether a request may use a model lowered under `guards`: ranks and fixed sizes agree, a label means one size
 * throughout, sizes are at least 1, and every guard holds. Otherwise the model has to be lowered for this request.
 *
 * @param inputs Shapes the model was lowered for.
 * @param shapes Shapes of the request, in the same order.
 */
export function guardsHold(
  guards: readonly Guard[],
  inputs: readonly LabelledShape[],
  shapes: readonly (readonly number[])[],
): boolean {
  const sizes = new Map<string, number>()
  for (const [i, labelled] of inputs.entries()) {
    const shape = shapes[i]
    if (shape?.length !== labelled.length) return false
    for (const [axis, label] of labelled.entries()) {
      const size = shape[axis] ?? 0
      if (typeof label === 'number') {
        if (size !== label) return false
      } else if (size < 1 || (sizes.get(label) ?? size) !== size) return false
      else sizes.set(label, size)
    }
  }
  return guards.every(
    ({ left, op, right }) => compare(evaluateJson(left, sizes), op, evaluateJson(right, sizes)) === true,
  )
}
