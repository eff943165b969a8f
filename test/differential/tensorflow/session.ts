import type { Tensor } from '@eas/base'
import { type ImportedModel, joinChunks } from '@eas/onnx'
import ort from 'onnxruntime-node'
import { ortData, ortTensor } from '../../support/ort-tensor.ts'

/** Runs lowered models in ONNX Runtime and compares what comes out. For tests only. */
export async function openSession(
  model: ImportedModel,
  external: readonly { path: string; data: Uint8Array | string }[] = [],
) {
  const options = { logSeverityLevel: 3 as const, externalData: [...external], intraOpNumThreads: 1 }
  const session = await ort.InferenceSession.create(joinChunks(model.model), options)
  return {
    async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
      const given = Object.fromEntries(session.inputNames.map((name) => [name, toOrt(feeds[name], name)]))
      const out = await session.run(given)
      return Object.fromEntries(Object.entries(out).map(([name, t]) => [name, fromOrt(t)]))
    },
    release: () => session.release(),
  }
}

function toOrt(tensor: Tensor | undefined, name: string): ort.Tensor {
  if (!tensor) throw new Error(`nothing is fed to ${name}`)
  const { dtype, shape } = tensor
  if (tensor.dtype === 'string') {
    return new ort.Tensor(
      'string',
      tensor.data.map((s) => Buffer.from(s).toString('utf8')),
      [...shape],
    )
  }
  return ortTensor(dtype, tensor.data, shape)
}

function fromOrt(tensor: ort.Tensor): Tensor {
  const shape = [...tensor.dims]
  if (tensor.type === 'string')
    return { dtype: 'string', shape, data: (tensor.data as string[]).map((s) => new Uint8Array(Buffer.from(s))) }
  return { dtype: tensor.type, shape, data: ortData(tensor) } as Tensor // the same names, and arrays
}

/** Where two tensors differ: type, shape, strings and whole numbers exactly, others relative to the largest. */
export function difference(
  actual: Tensor | undefined,
  expected: Tensor,
): { readonly error: number; readonly what?: string } {
  if (!actual) return { error: Number.POSITIVE_INFINITY, what: 'missing' }
  if (actual.dtype !== expected.dtype)
    return { error: Number.POSITIVE_INFINITY, what: `${actual.dtype} is not ${expected.dtype}` }
  if (actual.shape.join() !== expected.shape.join())
    return { error: Number.POSITIVE_INFINITY, what: `[${actual.shape}] is not [${expected.shape}]` }
  if (actual.dtype === 'string' || expected.dtype === 'string') {
    const same = (actual.data as readonly Uint8Array[]).every((s, i) =>
      Buffer.from(s).equals(Buffer.from((expected.data as readonly Uint8Array[])[i] ?? [])),
    ) // both are strings
    return same ? { error: 0 } : { error: Number.POSITIVE_INFINITY, what: 'other strings' }
  }
  if (expected.dtype === 'int64' || expected.dtype === 'uint64') {
    // As numbers they would lose the digits that are looked for.
    const at = [...expected.data].findIndex((v, i) => v !== actual.data[i])
    if (at < 0) return { error: 0 }
    return { error: Number.POSITIVE_INFINITY, what: `${actual.data[at]} is not ${expected.data[at]}` }
  }
  const [a, b] = [Array.from(actual.data, toNumber(actual.dtype)), Array.from(expected.data, toNumber(expected.dtype))]
  let largest = 0
  let worst = 0
  for (const [i, y] of b.entries()) {
    const x = a[i] ?? Number.NaN
    if (Object.is(x, y) || (Number.isNaN(x) && Number.isNaN(y)) || x === y) {
      if (Number.isFinite(y)) largest = Math.max(largest, Math.abs(y))
      continue
    }
    largest = Math.max(largest, Math.abs(y))
    worst = Math.max(worst, Number.isNaN(x - y) ? Number.POSITIVE_INFINITY : Math.abs(x - y))
  }
  if (worst === 0) return { error: 0 }
  const error = worst / (expected.dtype.startsWith('float') && largest > 0 ? largest : 1)
  return { error, what: `differs by ${worst} of ${largest}` }
}

const toNumber =
  (dtype: string) =>
  (v: number | bigint): number =>
    dtype === 'float16' ? halfToNumber(Number(v)) : Number(v)

function halfToNumber(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}
