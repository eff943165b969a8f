import { type ExternalRange, emit, type GraphBuilder, refuse, type Value } from '@eas/onnx'
import type { Assets } from './assets.ts'
import type { Evaluator } from './evaluator.ts'
import { type TableItem, TensorItem } from './item.ts'
import { constantString, type Origin, type Resources, type Restored, type TableFill } from './resources.ts'
import { type BundleEntry, type Slice, sliceKey, type TensorBundle } from './tensor-bundle.ts'
import { readVocabulary } from './vocabulary.ts'

/** Bytes of tensors that were read ahead, because their values decide something: contents of tables, strings. */
export type ReadAhead = ReadonlyMap<
  string,
  { readonly dtype: string; readonly bytes?: Uint8Array; readonly strings?: readonly Uint8Array[] }
>

/** Variables and tables of a model, as values: weights stay where they lie, in the checkpoint's shards. */
export class Weights {
  private readonly resources: Resources
  private readonly bundle: TensorBundle | undefined
  private readonly locate: (shard: number) => string
  private readonly ahead: ReadAhead
  private readonly assets: Assets
  private readonly variables = new Map<string, TensorItem>()
  private readonly tables = new Map<string, { keys: Value; values: Value }>()

  constructor(
    resources: Resources,
    bundle: TensorBundle | undefined,
    locate: (shard: number) => string,
    ahead: ReadAhead = new Map(),
    assets: Assets = { files: new Map(), nodes: new Map() },
  ) {
    this.resources = resources
    this.bundle = bundle
    this.locate = locate
    this.ahead = ahead
    this.assets = assets
  }

  /** Whether the graph looked at a variable or table. */
  isRead(key: string): boolean {
    return this.variables.has(key) || this.tables.has(key)
  }

  variable(e: Evaluator, key: string, where: string): TensorItem {
    const known = this.variables.get(key)
    if (known) return known
    const made = this.restore(e, key, where)
    this.variables.set(key, made)
    return made
  }

  private restore(e: Evaluator, key: string, where: string): TensorItem {
    const restored = this.resources.variables.get(key)
    // A checkpoint written by name needs no operator to say which is which.
    const named = restored ?? (this.bundle?.entries.has(key) ? { key, slice: '' } : undefined)
    if (named) return e.tensor(e.g.within(e.g.root, () => this.tensor(e.g, named, where)))
    const assigned = this.resources.assigned.get(key)
    if (assigned) {
      const item = this.evaluate(e, assigned)
      if (item instanceof TensorItem) return item
    }
    throw refuse(
      `the variable ${JSON.stringify(key.slice(0, 100))} has no value in the checkpoint`,
      where,
      'Save the model with its variables, or freeze it',
    )
  }

  /** A tensor of the checkpoint, or the slice of one that was asked for. */
  private tensor(g: GraphBuilder, { key, slice }: Restored, where: string): Value {
    const entry = this.bundle?.entries.get(key)
    if (!entry || !this.bundle)
      throw refuse(
        `the checkpoint has no tensor ${JSON.stringify(key.slice(0, 100))}`,
        where,
        'Save the model with its variables',
      )
    const wanted = parseSlice(slice, entry.shape)
    if (entry.slices.length === 0) return cut(g, this.whole(g, key, entry), wanted, entry.shape)
    const same =
      wanted &&
      entry.slices.find((s) =>
        s.every((d, i) => d.start === wanted[i]?.start && lengthOf(d, entry.shape[i] ?? 0) === wanted[i]?.length),
      )
    if (same) return this.piece(g, key, entry, same, where)
    return cut(g, this.joined(g, key, entry, entry.slices, 0, where), wanted, entry.shape)
  }

  private whole(g: GraphBuilder, key: string, entry: BundleEntry): Value {
    const { dtype, shape } = entry
    const read = this.ahead.get(key)
    if (read?.strings) return { dtype: 'string', shape, content: { strings: read.strings } }
    if (read?.bytes) return g.constant(dtype, shape, { bytes: read.bytes })
    const external: ExternalRange = { location: this.locate(entry.shard), offset: entry.offset, length: entry.size }
    return { dtype, shape, content: { external } }
  }

  private piece(g: GraphBuilder, key: string, entry: BundleEntry, slice: Slice, where: string): Value {
    const at = sliceKey(key, slice)
    const piece = this.bundle?.entries.get(at)
    if (!piece)
      throw refuse(
        `the checkpoint lacks a part of ${JSON.stringify(key.slice(0, 100))}`,
        where,
        'Copy the SavedModel again',
      )
    const shape = entry.shape.map((d, i) => lengthOf(slice[i], d))
    return this.whole(g, at, { ...piece, shape })
  }

  /** Slices put together, axis by axis. */
  private joined(
    g: GraphBuilder,
    key: string,
    entry: BundleEntry,
    slices: readonly Slice[],
    axis: number,
    where: string,
  ): Value {
    const [only] = slices
    if (!only || axis >= entry.shape.length) return this.piece(g, key, entry, only ?? [], where)
    const starts = [...new Set(slices.map((s) => s[axis]?.start ?? 0))].sort((a, b) => a - b)
    const parts = starts.map((start) =>
      this.joined(
        g,
        key,
        entry,
        slices.filter((s) => (s[axis]?.start ?? 0) === start),
        axis + 1,
        where,
      ),
    )
    return emit.concat(g, parts, axis)
  }

  table(e: Evaluator, table: TableItem, where: string): { keys: Value; values: Value } {
    const known = this.tables.get(table.key)
    if (known) return known
    const fill = this.resources.tables.get(table.key)
    if (!fill)
      throw refuse('the table is never filled', where, 'Save the model with the operator that initialises its tables')
    const made = e.g.within(e.g.root, () => this.fill(e, table, fill, where))
    this.tables.set(table.key, made)
    return made
  }

  private fill(e: Evaluator, table: TableItem, fill: TableFill, where: string): { keys: Value; values: Value } {
    if (fill.from === 'file') {
      const name = this.fileOf(e, fill.file)
      const bytes = name === undefined ? undefined : this.assets.files.get(name)
      if (!bytes)
        throw refuse(
          `the vocabulary file ${JSON.stringify(name ?? '')} is not among the model's assets`,
          where,
          'Save the model with its assets',
        )
      return readVocabulary(e.g, table, bytes, fill.attrs, where)
    }
    const [keys, values] = [this.evaluate(e, fill.keys), this.evaluate(e, fill.values)]
    if (!(keys instanceof TensorItem && values instanceof TensorItem))
      throw refuse('the contents of the table are not known', where)
    return { keys: keys.value, values: values.value }
  }

  /** A value that initialising a model computes: constants, restored tensors, and what is made of them. */
  private evaluate(e: Evaluator, origin: Origin) {
    const restored = e.restored(origin)
    if (restored) return e.tensor(this.tensor(e.g, restored, ''))
    return e.demandOrigin(origin)
  }

  /** Name of the asset a string is the path of. */
  private fileOf(e: Evaluator, origin: Origin): string | undefined {
    const node = e.originNode(origin)
    const asset = node && this.assets.nodes.get(node)
    if (asset !== undefined) return asset
    const path = constantString(e.graph, origin, 0)
    return path?.split('/').at(-1)
  }
}

const lengthOf = (extent: Slice[number] | undefined, size: number): number =>
  extent === undefined || extent.length < 0 ? size : extent.length

/** `100 8 0,50:0,8`: after the whole shape, start and length per dimension, `-` for all of one. */
function parseSlice(text: string, shape: readonly number[]): Slice | undefined {
  const spec = text.trim().split(/\s+/).at(-1) ?? ''
  if (!/^(-|\d+,\d+)(:(-|\d+,\d+))*$/.test(spec)) return undefined
  return spec.split(':').map((part, i) => {
    const [start = 0, length = shape[i] ?? 0] = part === '-' ? [] : part.split(',').map(Number)
    return { start, length }
  })
}

function cut(g: GraphBuilder, x: Value, wanted: Slice | undefined, shape: readonly number[]): Value {
  let result = x
  for (const [axis, { start, length }] of (wanted ?? []).entries()) {
    if (start + length > (shape[axis] ?? 0))
      throw refuse(`a slice of ${start}, ${length} of a dimension of ${shape[axis]}`)
    result = emit.slice(g, result, axis, start, start + length)
  }
  return result
}
