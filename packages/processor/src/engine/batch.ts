import { dtypes, type Tensor } from '@eas/base'
import type { PredictCall } from '../pipelines/index.ts'

/** Several requests computed as one, joined along dimension 0. */
export interface MergedCall {
  readonly feeds: ReadonlyMap<string, Tensor>
  readonly fetches: readonly string[]
  /** Each member's rows of the results, in the members' order; `undefined` when an output has no row per input row. */
  split(results: ReadonlyMap<string, Tensor>): readonly ReadonlyMap<string, Tensor>[] | undefined
}

export interface Member<J> {
  readonly job: J
  readonly rows: number
}

/**
 * Groups calls that agree in everything but the length of dimension 0: the same inputs with the same dtypes and further
 * dimensions, and the same outputs asked for. A call whose inputs differ in dimension 0, or that has none, stays alone.
 */
export function mergeCalls<J extends { readonly call: PredictCall }>(
  jobs: readonly J[],
): { readonly call: MergedCall; readonly members: readonly Member<J>[] }[] {
  const groups = new Map<string, Member<J>[]>()
  for (const [i, job] of jobs.entries()) {
    const rows = rowsOf(job.call)
    const key = rows === undefined ? `alone ${i}` : keyOf(job.call)
    const member = { job, rows: rows ?? 0 }
    const group = groups.get(key)
    if (group) group.push(member)
    else groups.set(key, [member])
  }
  return [...groups.values()].map((members) => ({ call: merge(members), members }))
}

function rowsOf({ feeds }: PredictCall): number | undefined {
  let rows: number | undefined
  for (const { shape } of feeds.values()) {
    if (shape.length === 0 || (rows !== undefined && rows !== shape[0])) return undefined
    rows = shape[0]
  }
  return rows
}

const keyOf = ({ feeds, fetches }: PredictCall) =>
  JSON.stringify([fetches, ...[...feeds].map(([name, { dtype, shape }]) => [name, dtype, ...shape.slice(1)])])

function merge<J extends { readonly call: PredictCall }>(members: readonly Member<J>[]): MergedCall {
  const [first] = members
  if (!first || members.length === 1) {
    const { feeds, fetches } = first?.job.call ?? { feeds: new Map<string, Tensor>(), fetches: [] }
    return { feeds, fetches, split: (results) => [results] }
  }
  const rows = members.reduce((sum, member) => sum + member.rows, 0)
  const feeds = new Map<string, Tensor>()
  for (const name of first.job.call.feeds.keys()) {
    feeds.set(
      name,
      concat(
        members.map(({ job }) => job.call.feeds.get(name) as Tensor),
        rows,
      ),
    ) // keyOf: all have it
  }
  return {
    feeds,
    fetches: first.job.call.fetches,
    split(results) {
      for (const { shape } of results.values()) if (shape[0] !== rows) return undefined
      let from = 0
      return members.map((member) => {
        const own = new Map<string, Tensor>()
        for (const [name, tensor] of results) own.set(name, slice(tensor, from, member.rows))
        from += member.rows
        return own
      })
    },
  }
}

/** Tensors that agree in dtype and in every dimension but the first, one after the other. */
function concat(tensors: readonly Tensor[], rows: number): Tensor {
  const { dtype, shape } = tensors[0] as Tensor // a group has members
  const joined = [rows, ...shape.slice(1)]
  if (dtype === 'string') {
    return { dtype, shape: joined, data: tensors.flatMap(({ data }) => data as readonly Uint8Array[]) } // same dtype
  }
  const length = tensors.reduce((sum, { data }) => sum + data.length, 0)
  const data = new dtypes[dtype].array(length)
  let at = 0
  for (const tensor of tensors) {
    data.set(tensor.data as never, at) // same dtype, same array
    at += tensor.data.length
  }
  return { dtype, shape: joined, data } as Tensor // dtypes[dtype].array is what the dtype is held in
}

function slice({ dtype, shape, data }: Tensor, fromRow: number, rows: number): Tensor {
  const perRow = shape[0] ? data.length / shape[0] : 0
  const own = [rows, ...shape.slice(1)]
  const from = fromRow * perRow
  const to = from + rows * perRow
  const part = Array.isArray(data) ? data.slice(from, to) : (data as Float32Array).subarray(from, to) // all arrays have it
  return { dtype, shape: own, data: part } as Tensor // a part of the same array
}
