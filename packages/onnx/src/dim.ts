import { refuse } from './importer.ts'

/**
 * Sizes that are not all known when a model is lowered: integer polynomials over atoms. An atom is a labelled dimension of
 * an input, a size that only the data decides, or a floor division, remainder, maximum or minimum of two sizes. A size
 * without atoms is a plain number, so that code about static shapes reads as it always did.
 */
export type Dim = number | Sym

/** An indivisible unknown. Two atoms of one name are the same unknown. */
export interface Atom {
  readonly name: string
  /** Least and greatest value it can take. */
  readonly low: number
  readonly high: number
  /** `input` when it follows from the shapes of the inputs alone, `data` when it takes a run to know. */
  readonly origin: 'input' | 'data'
  /** What it is computed from; absent for the unknowns everything else is made of. */
  readonly of?: { readonly op: AtomOp; readonly a: Dim; readonly b: Dim }
}
export type AtomOp = 'div' | 'mod' | 'max' | 'min'

interface Term {
  readonly coefficient: number
  /** In order of name; a power repeats its atom. */
  readonly atoms: readonly Atom[]
  readonly key: string
}

/** A polynomial with at least one atom. Made by the functions below only, which keep it canonical. */
export class Sym {
  readonly terms: readonly Term[]
  /** Text of the polynomial: equal for equal polynomials. */
  readonly key: string

  constructor(terms: readonly Term[]) {
    this.terms = terms
    this.key = terms.map(termText).join('+').replaceAll('+-', '-')
  }

  toString(): string {
    return this.key
  }
}

const termText = ({ coefficient, key }: Term): string =>
  key === '' ? `${coefficient}` : coefficient === 1 ? key : coefficient === -1 ? `-${key}` : `${coefficient}*${key}`

/** An unknown of its own. Dimensions of inputs are at least 1: a model is not lowered for empty requests. */
export function atom(
  name: string,
  origin: Atom['origin'],
  low = origin === 'input' ? 1 : 0,
  high = Number.POSITIVE_INFINITY,
): Sym {
  return symOf({ name, origin, low, high })
}

const symOf = (a: Atom): Sym => new Sym([{ coefficient: 1, atoms: [a], key: a.name }])

const termsOf = (d: Dim): readonly Term[] =>
  typeof d === 'number' ? (d === 0 ? [] : [{ coefficient: d, atoms: [], key: '' }]) : d.terms

/** Terms of a size, factors of a term, and characters of an atom's name: 40, 6 and 3,000 in the largest models seen. */
const most = { terms: 256, factors: 24, name: 65_536 }

const tooLong = () => refuse('a size that is too long a formula', '', 'Fix some of the sizes of the inputs')

function fromTerms(terms: Iterable<Term>): Dim {
  const byKey = new Map<string, Term>()
  for (const term of terms) {
    const known = byKey.get(term.key)
    byKey.set(term.key, known ? { ...known, coefficient: known.coefficient + term.coefficient } : term)
  }
  const left = [...byKey.values()].filter((t) => t.coefficient !== 0)
  const [first] = left
  if (!first) return 0
  if (left.length === 1 && first.key === '') return first.coefficient
  if (left.length > most.terms) throw tooLong()
  // Highest degree first, then by name; the constant comes last.
  left.sort((a, b) => b.atoms.length - a.atoms.length || (a.key < b.key ? -1 : 1))
  return new Sym(left)
}

export function add(a: Dim, b: Dim): Dim {
  return typeof a === 'number' && typeof b === 'number' ? a + b : fromTerms([...termsOf(a), ...termsOf(b)])
}

export const neg = (a: Dim): Dim => mul(a, -1)
export const sub = (a: Dim, b: Dim): Dim => (typeof a === 'number' && typeof b === 'number' ? a - b : add(a, neg(b)))

export function mul(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  const product: Term[] = []
  for (const x of termsOf(a)) for (const y of termsOf(b)) product.push(mulTerm(x, y))
  return fromTerms(product)
}

function mulTerm(x: Term, y: Term): Term {
  if (x.atoms.length + y.atoms.length > most.factors) throw tooLong()
  const atoms = [...x.atoms, ...y.atoms].sort((p, q) => (p.name < q.name ? -1 : p.name > q.name ? 1 : 0))
  return { coefficient: x.coefficient * y.coefficient, atoms, key: atoms.map((p) => p.name).join('*') }
}

export const product = (dims: readonly Dim[]): Dim => dims.reduce<Dim>(mul, 1)
export const sum = (dims: readonly Dim[]): Dim => dims.reduce<Dim>(add, 0)

/** Largest integer not over `a / b`, as Python's `//`. */
export function floorDiv(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b)
  if (b === 1) return a
  if (typeof b === 'number') {
    // floor((b·q + r) / b) is q + floor(r / b) whatever the signs.
    const [quotient, rest] = splitMultiples(a, b)
    if (typeof rest === 'number') return add(quotient, Math.floor(rest / b))
    const [low, high] = bounds(rest)
    const least = Math.floor(low / b)
    if (least === Math.floor(high / b)) return add(quotient, least)
    return add(quotient, made('div', rest, b))
  }
  const exact = divideExactly(a, b)
  if (exact !== undefined) return exact
  const [low, high] = bounds(a)
  if (low >= 0 && high < bounds(b)[0]) return 0
  return made('div', a, b)
}

/** The remainder that `floorDiv` leaves; it has the sign of `b`. */
export function mod(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a - b * Math.floor(a / b)
  if (b === 1) return 0
  if (typeof b === 'number') {
    const [, rest] = splitMultiples(a, b)
    if (typeof rest === 'number') return mod(rest, b)
    const [low, high] = bounds(rest)
    return low >= 0 && high < b ? rest : made('mod', rest, b)
  }
  return divideExactly(a, b) !== undefined ? 0 : made('mod', a, b)
}

/** Smallest integer not under `a / b`. */
export const ceilDiv = (a: Dim, b: Dim): Dim => neg(floorDiv(neg(a), b))

export function max(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.max(a, b)
  const difference = bounds(sub(a, b))
  if (difference[0] >= 0) return a
  if (difference[1] <= 0) return b
  return inOrder('max', a, b)
}

export function min(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.min(a, b)
  const difference = bounds(sub(a, b))
  if (difference[0] >= 0) return b
  if (difference[1] <= 0) return a
  return inOrder('min', a, b)
}

const inOrder = (op: AtomOp, a: Dim, b: Dim): Dim => (String(a) < String(b) ? made(op, a, b) : made(op, b, a))

function made(op: AtomOp, a: Dim, b: Dim): Sym {
  const [low, high] = madeBounds(op, bounds(a), bounds(b))
  const origin = fromInputs(a) && fromInputs(b) ? 'input' : 'data'
  const name = `${op}(${a},${b})`
  if (name.length > most.name) throw tooLong()
  return symOf({ name, low, high, origin, of: { op, a, b } })
}

function madeBounds(op: AtomOp, [a, z]: Bounds, [b, y]: Bounds): Bounds {
  if (op === 'max') return [Math.max(a, b), Math.max(z, y)]
  if (op === 'min') return [Math.min(a, b), Math.min(z, y)]
  if (op === 'mod') return b > 0 ? [0, y - 1] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  if (b <= 0) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return [Math.floor(a < 0 ? a / b : Number.isFinite(y) ? a / y : 0), z < 0 ? -1 : Math.floor(z / b)]
}

/** The part of `a` whose coefficients `b` divides, divided; and the rest. */
function splitMultiples(a: Dim, b: number): [Dim, Dim] {
  const multiples: Term[] = []
  const rest: Term[] = []
  for (const term of termsOf(a)) {
    if (term.coefficient % b === 0) multiples.push({ ...term, coefficient: term.coefficient / b })
    else rest.push(term)
  }
  return [fromTerms(multiples), fromTerms(rest)]
}

/** Long division, as far as products of a few labels need it. */
function divideExactly(a: Dim, b: Sym): Dim | undefined {
  const lead = b.terms[0]
  if (!lead) return undefined
  let rest = a
  let quotient: Dim = 0
  for (let step = 0; step < 16; step++) {
    if (rest === 0) return quotient
    const first = termsOf(rest)[0]
    const part = first && divideTerm(first, lead)
    if (!part) return undefined
    const piece = fromTerms([part])
    quotient = add(quotient, piece)
    rest = sub(rest, mul(piece, b))
  }
  return undefined
}

function divideTerm(a: Term, b: Term): Term | undefined {
  if (a.coefficient % b.coefficient !== 0) return undefined
  const atoms = [...a.atoms]
  for (const { name } of b.atoms) {
    const at = atoms.findIndex((x) => x.name === name)
    if (at < 0) return undefined
    atoms.splice(at, 1)
  }
  return { coefficient: a.coefficient / b.coefficient, atoms, key: atoms.map((x) => x.name).join('*') }
}

export type Bounds = readonly [low: number, high: number]

/** Least and greatest value of a size, by interval arithmetic: true bounds, not always the tightest. */
export function bounds(d: Dim): Bounds {
  if (typeof d === 'number') return [d, d]
  let low = 0
  let high = 0
  for (const term of d.terms) {
    let a = term.coefficient
    let z = term.coefficient
    for (const x of term.atoms) {
      const ends = [times(a, x.low), times(a, x.high), times(z, x.low), times(z, x.high)]
      a = Math.min(...ends)
      z = Math.max(...ends)
    }
    low += a
    high += z
  }
  // inf - inf: nothing is known on that side.
  return [Number.isNaN(low) ? Number.NEGATIVE_INFINITY : low, Number.isNaN(high) ? Number.POSITIVE_INFINITY : high]
}

const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)

/** Whether the sizes are the same for every request, differ for every request, or `undefined`: it depends. */
export function equal(a: Dim, b: Dim): boolean | undefined {
  const difference = sub(a, b)
  if (typeof difference === 'number') return difference === 0
  const [low, high] = bounds(difference)
  return low > 0 || high < 0 ? false : undefined
}

/** Whether `a < b`; `undefined`: it depends. */
export function less(a: Dim, b: Dim): boolean | undefined {
  const [low, high] = bounds(sub(a, b))
  return high < 0 ? true : low >= 0 ? false : undefined
}

/** Equal for every request. */
export const same = (a: Dim, b: Dim): boolean => a === b || equal(a, b) === true
export const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((d, i) => same(d, b[i] ?? -1))

export const isStatic = (shape: readonly Dim[]): shape is readonly number[] => shape.every((d) => typeof d === 'number')

/** Whether the shapes of the inputs decide this size. */
export const fromInputs = (d: Dim): boolean =>
  typeof d === 'number' || d.terms.every((t) => t.atoms.every((a) => a.origin === 'input'))

/** The unknowns it is made of, each once. */
export function atomsOf(d: Dim, found = new Map<string, Atom>()): Map<string, Atom> {
  if (typeof d === 'number') return found
  for (const { atoms } of d.terms) {
    for (const a of atoms) {
      if (!a.of) found.set(a.name, a)
      else {
        atomsOf(a.of.a, found)
        atomsOf(a.of.b, found)
      }
    }
  }
  return found
}

/** The number a size is when `sizeOfAtom` tells the unknowns. */
export function evaluate(d: Dim, sizeOfAtom: (a: Atom) => number): number {
  if (typeof d === 'number') return d
  let total = 0
  for (const { coefficient, atoms } of d.terms) {
    let value = coefficient
    for (const a of atoms) {
      value *= a.of
        ? (apply(a.of.op, evaluate(a.of.a, sizeOfAtom), evaluate(a.of.b, sizeOfAtom)) as number)
        : sizeOfAtom(a) // numbers in, number out
    }
    total += value
  }
  return total
}

export function apply(op: AtomOp, a: Dim, b: Dim): Dim {
  return op === 'div' ? floorDiv(a, b) : op === 'mod' ? mod(a, b) : op === 'max' ? max(a, b) : min(a, b)
}

/** A size as plain data, to keep beside a model: a number, a label, or an operator before its operands. */
export type DimJson = number | string | readonly [op: '+' | '*' | AtomOp, ...operands: DimJson[]]

export function dimToJson(d: Dim): DimJson {
  if (typeof d === 'number') return d
  const terms = d.terms.map(({ coefficient, atoms }): DimJson => {
    const factors = atoms.map((a): DimJson => (a.of ? [a.of.op, dimToJson(a.of.a), dimToJson(a.of.b)] : a.name))
    const all = coefficient === 1 && factors.length > 0 ? factors : [coefficient, ...factors]
    return all.length === 1 ? (all[0] ?? 0) : ['*', ...all]
  })
  return terms.length === 1 ? (terms[0] ?? 0) : ['+', ...terms]
}

/** Evaluates what `dimToJson` wrote. NaN when a label is not among `labels`. Nesting is bounded by what was written. */
export function evaluateJson(json: DimJson, labels: ReadonlyMap<string, number>): number {
  if (typeof json === 'number') return json
  if (typeof json === 'string') return labels.get(json) ?? Number.NaN
  const [op, ...operands] = json
  const values = operands.map((o) => evaluateJson(o, labels))
  if (op === '+') return values.reduce((a, b) => a + b, 0)
  if (op === '*') return values.reduce((a, b) => a * b, 1)
  return evaluate(apply(op, values[0] ?? Number.NaN, values[1] ?? Number.NaN), () => Number.NaN)
}
