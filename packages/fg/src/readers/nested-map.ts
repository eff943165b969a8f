import { type Bags, OffsetsBuilder, type Value } from '../bags.ts'
import type { Source } from './sinks.ts'
import { type Shape, type Sink, valueText, walkBags, walkColumn } from './walk.ts'

/**
 * The table of `match_feature`: `pk1^sk1:0.2,sk2:0.3|pk2^sk4:0.1`, or a map from first keys to `sk1:0.2,sk2:0.3`. Only
 * those parts are parsed that a request asks for: it is the largest thing in it, and few first keys occur among the items.
 */
export class NestedMap {
  private readonly outer = new Map<string, Inner>()

  get size(): number {
    return this.outer.size
  }

  /** Adds `pk^sk:v,…` entries between `|`. A first key that stands twice is merged, its last values count. */
  addText(text: string): void {
    let start = 0
    while (start < text.length) {
      let end = text.indexOf('|', start)
      if (end < 0) end = text.length
      const split = text.indexOf('^', start)
      if (split >= start && split < end) this.add(text.slice(start, split), text.slice(split + 1, end))
      start = end + 1
    }
  }

  add(pkey: string, text: string): void {
    const known = this.outer.get(pkey)
    if (known) known.text = `${known.text},${text}`
    else this.outer.set(pkey, { text, values: undefined })
  }

  /** The values under a first key. */
  inner(pkey: string): ReadonlyMap<string, string> | undefined {
    const inner = this.outer.get(pkey)
    if (!inner) return undefined
    inner.values ??= parseInner(inner.text)
    return inner.values
  }

  pkeys(): IterableIterator<string> {
    return this.outer.keys()
  }
}

interface Inner {
  text: string
  /** What `text` holds, once it was asked for. */
  values: ReadonlyMap<string, string> | undefined
}

/** `sk1:0.2,sk2:0.3`; old files also separate by U+001D. */
function parseInner(text: string): ReadonlyMap<string, string> {
  const into = new Map<string, string>()
  const separator = text.includes('\u001d') ? '\u001d' : ','
  let start = 0
  while (start < text.length) {
    let end = text.indexOf(separator, start)
    if (end < 0) end = text.length
    const split = text.indexOf(':', start)
    if (split >= start && split < end) into.set(text.slice(start, split), text.slice(split + 1, end))
    start = end + 1
  }
  return into
}

export interface NestedMapBags extends Bags {
  readonly kind: 'nested'
  /** By cell; `undefined` when it is missing. */
  readonly maps: readonly (NestedMap | undefined)[]
}

/** One nested map per cell. */
export function readNestedMaps(source: Source, shape: Shape): NestedMapBags {
  const maps: (NestedMap | undefined)[] = []
  const offsets = new OffsetsBuilder(source.rows)
  let current: NestedMap | undefined
  const sink: Sink = {
    text(value) {
      current ??= new NestedMap()
      current.addText(value)
    },
    number() {},
    long() {},
    map(map: ReadonlyMap<Value, Value>, float32) {
      current ??= new NestedMap()
      for (const [pkey, inner] of map) current.add(String(pkey), valueText(inner, float32))
    },
    endCell() {
      maps.push(current && current.size > 0 ? current : undefined)
      offsets.end(maps.length)
      current = undefined
    },
  }
  const steps = 'column' in source ? walkColumn(source.column, shape, sink) : walkBags(source.bags, shape, sink)
  return { kind: 'nested', rows: source.rows, steps, offsets: offsets.finish(), malformed: 0, maps }
}
