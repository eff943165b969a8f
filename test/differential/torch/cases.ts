import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { bytesOf, type ElementType } from '@eas/onnx'

/** A tensor as raw little-endian bytes. */
export interface RawTensor {
  readonly dtype: ElementType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A tensor, or what a model nests them in: a list also stands for a tuple. */
export type Nest =
  | RawTensor
  | readonly Nest[]
  | { readonly dict: Readonly<Record<string, Nest>> }
  | number
  | string
  | boolean
  | null

/** One call of `forward`: its arguments, and what torch answers. */
export interface Call {
  readonly inputs: readonly Nest[]
  readonly outputs: Nest
}

/** An archive and calls of it, the first of which a trace has seen. */
export interface Case {
  /** Unique in its file. */
  readonly name: string
  /** What an operator's module computes. */
  readonly body?: string
  /** How a model was saved: `trace`, `script`, `frozen-trace`, `frozen-script`. */
  readonly form?: string
  /** How outputs are compared. */
  readonly kind: 'plain' | 'quantised' | 'detection'
  readonly archive: Uint8Array
  readonly calls: readonly Call[]
}

/** The two kinds of rows that ops.py and zoo.py write. */
interface OpRow {
  name: string
  body: string
  archive: [at: number, size: number]
  inputs: RawRow[]
  outputs: RawRow[]
}
interface ModelRow {
  name: string
  form: string
  kind: Case['kind']
  archive?: [at: number, size: number]
  file?: string
  calls: { inputs: NestRow[]; outputs: NestRow }[]
}
interface RawRow {
  dtype: ElementType
  shape: number[]
  at: number
}
type NestRow = RawRow | NestRow[] | { dict: Record<string, NestRow> } | number | string | boolean | null

const unpacked = (path: string): Buffer => (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path))

/** Cases of an index made by ops.py or zoo.py, e.g. `golden/ops-unary.json.gz`. */
export function loadCases(index: string): Case[] {
  const json = JSON.parse(unpacked(index).toString()) as { cases?: OpRow[]; models?: ModelRow[] }
  const stem = index.slice(0, index.lastIndexOf('.json'))
  const blob = unpacked(index.includes('/golden/') ? `${stem}.bin.gz` : `${stem}.bin`)
  const tensor = ({ dtype, shape, at }: RawRow): RawTensor => {
    const size = shape.reduce((product, d) => product * d, bytesOf(dtype))
    return { dtype, shape, bytes: Uint8Array.from(blob.subarray(at, at + size)) }
  }
  const nest = (row: NestRow): Nest => {
    if (row === null || typeof row !== 'object') return row
    if (Array.isArray(row)) return row.map(nest)
    if ('dict' in row) return { dict: Object.fromEntries(Object.entries(row.dict).map(([k, v]) => [k, nest(v)])) }
    return tensor(row)
  }
  const kind = index.includes('ops-packed.json') ? 'quantised' : 'plain'
  const bytes = ([at, size]: [number, number]) => Uint8Array.from(blob.subarray(at, at + size))
  return [
    ...(json.cases ?? []).map(({ name, body, archive, inputs, outputs }): Case => {
      const call = { inputs: inputs.map(tensor), outputs: outputs.map(tensor) }
      return { name: `${name} | ${body}`, body, kind, archive: bytes(archive), calls: [call] }
    }),
    ...(json.models ?? []).map(
      ({ name, form, kind, archive, file, calls }): Case => ({
        name: `${name} ${form}`,
        form,
        kind,
        archive: archive ? bytes(archive) : readFileSync(join(index, '..', file ?? '')),
        calls: calls.map(({ inputs, outputs }) => ({ inputs: inputs.map(nest), outputs: nest(outputs) })),
      }),
    ),
  ]
}

export const isTensor = (nest: Nest): nest is RawTensor =>
  nest !== null && typeof nest === 'object' && !Array.isArray(nest) && 'dtype' in nest

/** Every tensor of a nest with the way to it: the position of the argument, then keys and indices. */
export function leavesOf(nest: Nest, path: readonly (string | number)[] = []): [(string | number)[], RawTensor][] {
  if (nest === null || typeof nest !== 'object') return []
  if (isTensor(nest)) return [[[...path], nest]]
  const entries: [string | number, Nest][] = 'dict' in nest ? Object.entries(nest.dict) : nest.map((v, i) => [i, v])
  return entries.flatMap(([key, value]) => leavesOf(value, [...path, key]))
}
