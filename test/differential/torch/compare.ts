import { fromBfloat16 } from '@eas/base'
import { type Call, type Case, isTensor, type Nest, type RawTensor } from './cases.ts'

/** Largest error allowed, of the largest magnitude in the output. Half types are exact to 2^-11 and 2^-8. */
const tolerances: { readonly [dtype: string]: number } = {
  float32: 1e-5,
  float64: 1e-5,
  float16: 2e-3,
  bfloat16: 1e-2,
}

/** What `compare` found: the relative error, or why the outputs are not the same. */
export interface Verdict {
  readonly error: number
  readonly difference?: string
}

/** Compares what the lowered model answered with what torch did. Outputs of operators are compared without their nesting. */
export function compare(actual: Nest, { outputs }: Call, { kind, body }: Pick<Case, 'kind' | 'body'>): Verdict {
  if (kind === 'detection') return compareDetections(actual, outputs)
  return compareNests(body === undefined ? actual : flatten(actual), outputs, kind, '')
}

const flatten = (nest: Nest): Nest[] =>
  nest === null || typeof nest !== 'object' || isTensor(nest) ? [nest] : entriesOf(nest).flatMap(([, v]) => flatten(v))

const same: Verdict = { error: 0 }
const different = (where: string, what: string): Verdict => ({
  error: Number.POSITIVE_INFINITY,
  difference: `${where || 'output'}: ${what}`,
})

function compareNests(actual: Nest, expected: Nest, kind: Case['kind'], where: string): Verdict {
  if (expected === null || typeof expected !== 'object') return compareScalars(actual, expected, where)
  if (isTensor(expected)) {
    if (expected.shape.length === 0 && !isTensor(actual))
      return compareScalars(actual, valuesOf(expected)[0] ?? null, where)
    if (!isTensor(actual)) return different(where, `a tensor is expected, not ${JSON.stringify(actual)?.slice(0, 60)}`)
    return compareTensors(actual, expected, kind, where)
  }
  const pairs = entriesOf(expected)
  const given = new Map(actual !== null && typeof actual === 'object' && !isTensor(actual) ? entriesOf(actual) : [])
  if (given.size !== pairs.length)
    return different(where, `${pairs.length} entries are expected, there are ${given.size}`)
  let error = 0
  for (const [key, value] of pairs) {
    const verdict = compareNests(given.get(key) ?? null, value, kind, `${where}[${key}]`)
    if (verdict.difference) return verdict
    error = Math.max(error, verdict.error)
  }
  return { error }
}

const entriesOf = (nest: Exclude<Nest, RawTensor | string | number | boolean | null>): [string, Nest][] =>
  'dict' in nest ? Object.entries(nest.dict) : nest.map((value, i): [string, Nest] => [`${i}`, value])

/** A number that torch returns as such may be one that a run computes. */
function compareScalars(actual: Nest, expected: Nest, where: string): Verdict {
  const [given] = isTensor(actual) && actual.shape.length === 0 ? valuesOf(actual) : [actual]
  const value = typeof given === 'boolean' && typeof expected === 'number' ? Number(given) : given
  const equal =
    typeof expected === 'number' && typeof value === 'number'
      ? Math.abs(value - expected) <= 1e-5 * Math.abs(expected)
      : value === expected || (typeof expected === 'boolean' && Boolean(value) === expected)
  return equal ? same : different(where, `${expected} is expected, not ${value}`)
}

function compareTensors(actual: RawTensor, expected: RawTensor, kind: Case['kind'], where: string): Verdict {
  // No bfloat16 comes out of ONNX Runtime.
  const comesAs = expected.dtype === 'bfloat16' ? 'float32' : expected.dtype
  if (actual.dtype !== comesAs) return different(where, `${expected.dtype} is expected, not ${actual.dtype}`)
  if (`${actual.shape}` !== `${expected.shape}`)
    return different(where, `[${expected.shape}] is expected, not [${actual.shape}]`)
  const [a, e] = [valuesOf(actual), valuesOf(expected)]
  const tolerance = tolerances[expected.dtype]
  if (tolerance === undefined) {
    const i = e.findIndex((value, k) => value !== a[k])
    return i < 0 ? same : different(where, `element ${i} is ${a[i]}, not ${e[i]}`)
  }
  let [largest, worst, at] = [0, 0, 0]
  for (const [i, want] of e.entries()) {
    const got = a[i] ?? Number.NaN
    if (!Number.isFinite(want)) {
      if (!Object.is(got, want)) return different(where, `element ${i} is ${got}, not ${want}`)
      continue
    }
    largest = Math.max(largest, Math.abs(want))
    const off = Math.abs(got - want)
    if (!(off <= worst)) [worst, at] = [off, i]
  }
  const error = worst === 0 ? 0 : worst / (largest || 1)
  const allowed = Math.max(tolerance * (largest || 1), kind === 'quantised' ? 1.01 * stepOf(e) : 0)
  return worst <= allowed
    ? { error }
    : different(where, `element ${at} is ${a[at]}, not ${e[at]}: an error of ${error.toExponential(1)}`)
}

/** The scale of quantised values that were made floats again: the smallest distance between two of them. */
function stepOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  let step = Number.POSITIVE_INFINITY
  for (const [i, value] of sorted.entries()) {
    const gap = value - (sorted[i - 1] ?? Number.NaN)
    if (gap > 1e-6) step = Math.min(step, gap)
  }
  return Number.isFinite(step) ? step : 0
}

/**
 * Detections as sets. For each that torch found one of the same label must be there, its box within half a pixel and its
 * score within 0.005. The two lists may differ by one in length, at the score threshold.
 */
function compareDetections(actual: Nest, expected: Nest): Verdict {
  const [found, wanted] = [detectionsOf(actual), detectionsOf(expected)]
  if (Math.abs(found.length - wanted.length) > 1)
    return different('', `${wanted.length} detections are expected, not ${found.length}`)
  const left = new Set(found)
  let [error, missing] = [0, 0]
  for (const detection of wanted) {
    const match = [...left].find(
      ({ label, score, box }) =>
        label === detection.label &&
        Math.abs(score - detection.score) < 0.005 &&
        box.every((x, i) => Math.abs(x - (detection.box[i] ?? Number.NaN)) < 0.5),
    )
    if (match) {
      left.delete(match)
      error = Math.max(error, Math.abs(match.score - detection.score))
    } else missing++
  }
  return missing <= 1
    ? { error }
    : different('', `${missing} of ${wanted.length} detections are not found, ${found.length} are`)
}

interface Detection {
  readonly label: number
  readonly score: number
  readonly box: readonly number[]
}

/** Reads both forms: a list of dictionaries, perhaps after losses, and a trace's tuple of fields in order of name. */
function detectionsOf(nest: Nest): Detection[] {
  if (nest === null || typeof nest !== 'object' || isTensor(nest)) return []
  if ('dict' in nest) {
    const { boxes, labels, scores } = nest.dict
    if (!boxes || !labels || !scores || !isTensor(boxes) || !isTensor(labels) || !isTensor(scores)) return []
    const [box, label, score] = [valuesOf(boxes), valuesOf(labels), valuesOf(scores)]
    return score.map((s, i) => ({ score: s, label: label[i] ?? -1, box: box.slice(4 * i, 4 * i + 4) }))
  }
  const [boxes, ...rest] = nest
  if (boxes && nest.every(isTensor)) {
    const labels = rest.find((t) => isTensor(t) && t.dtype === 'int64')
    return detectionsOf({ dict: { boxes, labels: labels ?? null, scores: nest.at(-1) ?? null } })
  }
  return nest.flatMap(detectionsOf)
}

/** A tensor's values as numbers. */
export function valuesOf({ dtype, bytes }: RawTensor): number[] {
  const { buffer, byteOffset, byteLength } = Uint8Array.from(bytes)
  const view = new DataView(buffer, byteOffset, byteLength)
  const [size, read] = readers[dtype] ?? [1, () => Number.NaN]
  return Array.from({ length: byteLength / size }, (_, i) => read(view, i * size))
}

const readers: { readonly [dtype: string]: readonly [size: number, read: (view: DataView, at: number) => number] } = {
  float32: [4, (v, at) => v.getFloat32(at, true)],
  float64: [8, (v, at) => v.getFloat64(at, true)],
  float16: [2, (v, at) => halfToNumber(v.getUint16(at, true))],
  bfloat16: [2, (v, at) => fromBfloat16(v.getUint16(at, true))],
  int64: [8, (v, at) => Number(v.getBigInt64(at, true))],
  int32: [4, (v, at) => v.getInt32(at, true)],
  int16: [2, (v, at) => v.getInt16(at, true)],
  int8: [1, (v, at) => v.getInt8(at)],
  uint8: [1, (v, at) => v.getUint8(at)],
  bool: [1, (v, at) => v.getUint8(at)],
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}
