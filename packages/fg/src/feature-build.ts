import { type Bags, cellsOf, type MapBags, type NumberBags, type TextBags } from './bags.ts'
import type { Bucketizer } from './bucketize.ts'
import { type BucketizerConfig, compileBucketizer } from './compile-bucketizer.ts'
import { readKeys, shown } from './config-key.ts'
import type { CustomOperator } from './custom-operator.ts'
import { type FeatureEntry, sequenceKeys } from './document.ts'
import { finishNumbers, finishTexts } from './finish.ts'
import { type FeatureValue, type FgInput, type Frame, type InputSide, type Side, sides } from './frame.ts'
import type { HashKind } from './hash/index.ts'
import { rowsOf } from './input-column.ts'
import { checkCount, fgLimits } from './limits.ts'
import { compileNormalizer, type Normalizer } from './normalizer.ts'
import { parseNumber } from './number-text.ts'
import { type NestedMapBags, readNestedMaps } from './readers/nested-map.ts'
import { type MapShape, readMaps, readNumbers, readTexts, type Source } from './readers/sinks.ts'
import type { Shape } from './readers/walk.ts'
import { type Tokenizer, tokenizerKey } from './tokenizers.ts'

/**
 * What `feature:` inputs read: the other feature's value after its own bucketizing, as TorchEasyRec's documentation says
 * of `age_binning`. For a stub without a bucketizer, which is what TorchEasyRec exports, both are the same.
 */
const featureInputsAreBucketized = true

/** `default_value` of a sequence is never empty: TorchEasyRec writes `0` for it. */
const sequenceDefault = '0'

/** Makes a value of the frame, once per request. */
export type Read<T> = (frame: Frame) => T

/** One input of a feature. */
export interface InputRef {
  readonly side: Side
  /** As in the reference. */
  readonly name: string
  /** Whether its rows are sequences. */
  readonly sequence: Shape['sequence']
  /** Of a column of the request. */
  readonly input: FgInput | undefined
  /** Of another feature: its index. */
  readonly feature: number | undefined
}

/** What the features of a document share while they are compiled. */
export interface BuildContext {
  readonly problems: string[]
  /** Features by full name. */
  readonly featureIndex: ReadonlyMap<string, number>
  readonly hash: HashKind
  /** Contents of files that the document names. */
  readonly assets: ReadonlyMap<string, Uint8Array>
  readonly tokenizers: ReadonlyMap<string, Tokenizer>
  /** What vocabulary files hold, by name, once one was read. */
  readonly vocabularies: Map<string, ReadonlyMap<string, number>>
  readonly customOperators: ReadonlyMap<string, CustomOperator>
  /** Index of a reader's result in a frame; the same for equal keys, so that features share what they read. */
  slot(key: string): number
  /** Index of a column in a frame. */
  columnSlot(input: FgInput): number
}

/** What a feature gives. */
export interface OutputForm {
  /** `dense`: float32 rows of `value_dim`; `ids`: bags of int64; `texts`: bags of text, for stubs. */
  readonly kind: 'dense' | 'ids' | 'texts'
  /** Columns of a dense row; of ids, how many there may be (0: any). */
  readonly value_dim: number
  readonly weighted: boolean
}

/** What an operator's `compile` works with: inputs to read, outputs to finish, a place for problems. */
export class FeatureBuild {
  readonly entry: FeatureEntry
  readonly context: BuildContext
  readonly index: number
  /** Features this one reads. */
  readonly dependencies = new Set<number>()
  readonly sides = new Set<Side>()
  output: OutputForm = { kind: 'texts', value_dim: 0, weighted: false }

  constructor(entry: FeatureEntry, index: number, context: BuildContext) {
    this.entry = entry
    this.index = index
    this.context = context
  }

  problem(what: string): void {
    this.context.problems.push(`${this.entry.where}: ${what}`)
  }

  get isSequence(): boolean {
    return this.entry.sequence !== undefined
  }

  /**
   * The inputs of the feature. Which of them are sequences, in a feature that is one: those `sequence_fields` names; else
   * of a single input it, unless it is another feature; else those of side `item`. When that leaves none, all but tables
   * and constants are. Only the first three kinds have the group's name in front of their column.
   *
   * @param tables How many at the end are tables, which are no sequences by themselves.
   * @param allSequences Reads every input as a sequence, whatever its column's name.
   */
  refs(references: readonly string[], tables = 0, allSequences = false): InputRef[] {
    const parsed = references.map((reference) => this.parseReference(reference))
    const { sequence } = this.entry
    if (!sequence) return parsed.map(({ side, name }) => this.ref(side, name, undefined, false))
    const fields = readKeys(this.entry.raw, sequenceKeys, '', []).sequence_fields
    const single = references.length === 1
    const marked = parsed.map(({ side, name }) => {
      if (side === 'const') return false
      if (fields) return fields.includes(name) || fields.includes(this.grouped(name))
      return single ? side !== 'feature' : side === 'item'
    })
    const none = !marked.includes(true)
    return parsed.map(({ side, name }, i) => {
      const fallback = none && side !== 'const' && i < references.length - tables
      const isSequence = marked[i] === true || fallback || (allSequences && side !== 'const')
      return this.ref(side, name, isSequence ? sequence : undefined, marked[i] === true)
    })
  }

  private parseReference(reference: string): { side: Side; name: string } {
    const colon = reference.indexOf(':')
    const side = sides.find((known) => known === reference.slice(0, Math.max(colon, 0)))
    const name = reference.slice(colon + 1)
    if (side && name !== '') return { side, name }
    this.problem(`input ${shown(reference)} is not <side>:<name> with a side of ${sides.join(', ')}`)
    return { side: 'const', name }
  }

  private grouped(name: string): string {
    return this.entry.group ? `${this.entry.group.sequence_name}__${name}` : name
  }

  private ref(side: Side, name: string, sequence: Shape['sequence'], prefixed: boolean): InputRef {
    this.sides.add(side)
    if (side === 'const') return { side, name, sequence: undefined, input: undefined, feature: undefined }
    if (side === 'feature') {
      const { featureIndex } = this.context
      const feature = featureIndex.get(this.grouped(name)) ?? featureIndex.get(name)
      if (feature === undefined) this.problem(`input ${shown(`feature:${name}`)} names no feature`)
      else this.dependencies.add(feature)
      return { side, name, sequence, input: undefined, feature }
    }
    const { group } = this.entry
    const input = this.input(side, prefixed ? this.grouped(name) : name, prefixed && group ? name : undefined)
    return { side, name, sequence, input, feature: undefined }
  }

  private input(side: InputSide, name: string, field: string | undefined): FgInput {
    const { group, sequence } = this.entry
    const info = group &&
      sequence &&
      field !== undefined && { ...group, field, sequence_delim: sequence.delim, sequence_length: sequence.length }
    return { side, name, sequence: info || undefined }
  }

  texts(ref: InputRef, separator: string | undefined): Read<TextBags> {
    return this.read(ref, 'texts', { separator, sequence: ref.sequence }, readTexts)
  }

  numbers(ref: InputRef, separator: string | undefined): Read<NumberBags> {
    return this.read(ref, 'numbers', { separator, sequence: ref.sequence }, readNumbers)
  }

  maps(ref: InputRef, shape: Omit<MapShape, 'sequence'>): Read<MapBags> {
    return this.read(ref, 'maps', { ...shape, sequence: ref.sequence }, readMaps)
  }

  nestedMaps(ref: InputRef): Read<NestedMapBags> {
    return this.read(ref, 'nested', { separator: undefined, sequence: ref.sequence }, readNestedMaps)
  }

  private read<S extends Shape, T extends Bags>(
    ref: InputRef,
    what: string,
    shape: S,
    reader: (source: Source, shape: S) => T,
  ): Read<T> {
    const { context } = this
    const { input, feature } = ref
    if (ref.side === 'const') {
      const constant = reader({ column: { form: 'texts', texts: [ref.name] }, rows: 1 }, shape)
      return () => constant
    }
    const slot = context.slot(
      JSON.stringify([what, ref.side, feature ?? input?.name, input?.sequence?.field ?? '', shape]),
    )
    const source = this.source(input, feature)
    // What a slot holds was made by the reader whose key it has.
    return (frame) => {
      let made = frame.slots[slot]
      if (made === undefined) {
        made = reader(source(frame), shape)
        frame.slots[slot] = made
      }
      return made as T
    }
  }

  private source(input: FgInput | undefined, feature: number | undefined): (frame: Frame) => Source {
    if (input) {
      const slot = this.context.columnSlot(input)
      return (frame) => {
        const column = frame.column(input, slot)
        return { column, rows: rowsOf(column) }
      }
    }
    return (frame) => {
      // Features run after those they read; one that could not be found is a problem, and nothing runs.
      const value = frame.values[feature ?? -1] as FeatureValue
      const bags = featureInputsAreBucketized ? value.after : value.before
      return { bags, rows: bags.rows }
    }
  }

  /** Texts of `default_value`. */
  defaultTexts(value: string, separator: string): string[] {
    const text = value === '' && this.isSequence ? sequenceDefault : value
    return text === '' ? [] : text.split(separator).filter((part) => part !== '')
  }

  /** Numbers of `default_value`, `dim` of them (0: any); one stands for all. */
  defaultNumbers(value: string, separator: string, dim: number): number[] {
    const numbers = this.defaultTexts(value, separator)
      .flatMap((text) => text.split('\u001d'))
      .map(parseNumber)
    if (numbers.some(Number.isNaN)) this.problem(`default_value is ${shown(value)}, expected numbers`)
    if (dim === 0 || numbers.length === 0) return numbers
    if (numbers.length === 1) return new Array(dim).fill(numbers[0])
    if (numbers.length < dim) this.problem(`default_value holds ${numbers.length} numbers for a value_dim of ${dim}`)
    return numbers.slice(0, dim)
  }

  normalizer(source: string | undefined): Normalizer | undefined {
    if (!source) return undefined
    const compiled = compileNormalizer(source)
    if (typeof compiled !== 'string') return compiled
    this.problem(`normalizer is ${shown(source)}: ${compiled}`)
    return undefined
  }

  /** The bucketizer that the keys ask for, if any. */
  bucketizer(config: BucketizerConfig, value_type: string): Bucketizer | undefined {
    return compileBucketizer(config, value_type, this)
  }

  /** A file; its absence was a problem before. */
  asset(name: string): Uint8Array {
    return this.context.assets.get(name) ?? new Uint8Array()
  }

  /** A tokenizer; its absence was a problem before. */
  tokenizer(type: string, file: string): Tokenizer | undefined {
    return this.context.tokenizers.get(tokenizerKey(type, file))
  }

  /** Finishes a feature whose values are texts: default, `keep` values, ids. */
  textOutput(options: {
    readonly defaults: readonly string[]
    readonly keep: number
    /** For the shape of the output; `keep` unless every value is kept whatever it says. */
    readonly value_dim?: number
    readonly bucketizer: Bucketizer | undefined
    readonly weighted?: boolean
  }): (frame: Frame, bags: TextBags) => FeatureValue {
    const { index } = this
    const { name } = this.entry
    const { defaults, keep, bucketizer, weighted = false } = options
    this.output = { kind: bucketizer ? 'ids' : 'texts', value_dim: options.value_dim ?? keep, weighted }
    return (frame, bags) => {
      const before = finishTexts(bags, defaults, keep, frame.counters, index)
      checkCount(charsOf(before.texts), fgLimits.textChars, name, 'characters')
      if (!bucketizer) return { before, after: before }
      const { rows, steps, offsets, malformed, weights } = before
      const ids = bucketizer.texts(before.texts, frame.counters, index)
      return { before, after: { kind: 'ids', rows, steps, offsets, malformed, ids, weights } }
    }
  }

  /** Finishes a feature whose values are numbers: normalized, default, `value_dim`, ids or float32. */
  numberOutput(options: {
    readonly defaults: readonly number[]
    readonly value_dim: number
    /** Numbers each cell must have (0: any). */
    readonly keep?: number
    readonly bucketizer: Bucketizer | undefined
    readonly normalize?: Normalizer | undefined
  }): (frame: Frame, bags: NumberBags) => FeatureValue {
    const { index } = this
    const { name } = this.entry
    const { bucketizer, value_dim, normalize } = options
    const columns = Math.max(value_dim, 1)
    const keep = bucketizer ? (options.keep ?? value_dim) : columns
    // A dense row cannot be missing: without a default it is zeros.
    const defaults = bucketizer ? options.defaults : Array.from({ length: columns }, (_, i) => options.defaults[i] ?? 0)
    this.output = { kind: bucketizer ? 'ids' : 'dense', value_dim: bucketizer ? value_dim : columns, weighted: false }
    return (frame, bags) => {
      checkCount(cellsOf(bags) * keep, fgLimits.tensorElements, name)
      const normalized = normalize ? { ...bags, numbers: normalize(bags.numbers) } : bags
      const before = finishNumbers(normalized, defaults, keep, frame.counters, index)
      if (!bucketizer) return { before, after: before }
      const { rows, steps, offsets, malformed } = before
      const ids = bucketizer.numbers(before.numbers, frame.counters, index)
      return { before, after: { kind: 'ids', rows, steps, offsets, malformed, ids, weights: undefined } }
    }
  }
}

/** Characters of all texts, which a table's long values may make many of. */
function charsOf(texts: readonly string[]): number {
  let chars = 0
  for (const text of texts) chars += text.length
  return chars
}
