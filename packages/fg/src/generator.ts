import { EasError, oneLine, type Tensor } from '@eas/base'
import type { IdBags, NumberBags, TextBags } from './bags.ts'
import type { FgCounters } from './counters.ts'
import type { FeatureBuild, OutputForm } from './feature-build.ts'
import { type FgInput, type FgRequest, Frame } from './frame.ts'
import { rowsOf } from './input-column.ts'
import { checkCount, fgLimits } from './limits.ts'
import type { FeatureFunction } from './operator.ts'
import { outputNames, tensorsOf } from './tensors.ts'
import { featureText, rawText } from './text-form.ts'

export type TensorType = 'int32' | 'int64' | 'float32' | 'float64'

/** A feature of the document, stubs included. */
export interface FgFeature extends OutputForm {
  /** In a group `<sequence_name>__<feature_name>`. */
  readonly name: string
  readonly feature_type: string
  readonly stub: boolean
  readonly sequence: boolean
  /** Whether it is computed once per request when the model tiles its input. */
  readonly user: boolean
  /** Between the steps of a sequence in text. */
  readonly sequence_delim: string
}

/** A tensor the generator makes. */
export interface FgOutput {
  /** `<feature>.values`, `.lengths`, `.key_lengths` or `.weights`; `batch_size`. */
  readonly name: string
  readonly dtype: Tensor['dtype']
  /** The feature; `undefined` for `batch_size`. */
  readonly feature: string | undefined
}

export interface GeneratorParts {
  readonly builds: readonly FeatureBuild[]
  readonly functions: readonly FeatureFunction[]
  readonly order: readonly number[]
  readonly isUser: readonly boolean[]
  readonly inputs: readonly FgInput[]
  readonly slots: number
  readonly reserves: readonly string[]
  readonly inputTile: 0 | 2 | 3
  readonly int64Lengths: boolean
  readonly tensorTypes: ReadonlyMap<string, TensorType>
}

/** A compiled `fg.json`. It keeps nothing of a request: one serves many at a time. */
export class FeatureGenerator {
  /** `INPUT_TILE`: 0 repeats the user's features for every item, 2 and 3 leave them at one row. */
  readonly inputTile: 0 | 2 | 3
  /** What the features read, each once. */
  readonly inputs: readonly FgInput[]
  readonly features: readonly FgFeature[]
  /** The tensors that `generate` makes, in the order of the document. */
  readonly outputs: readonly FgOutput[]
  /** Columns that offline jobs pass through. */
  readonly reserves: readonly string[]
  private readonly parts: GeneratorParts

  constructor(parts: GeneratorParts) {
    this.parts = parts
    this.inputTile = parts.inputTile
    this.inputs = parts.inputs
    this.reserves = parts.reserves
    this.features = parts.builds.map((build, i) => ({
      name: build.entry.name,
      feature_type: build.entry.feature_type,
      stub: isStub(build),
      sequence: build.isSequence,
      user: parts.isUser[i] === true,
      sequence_delim: build.entry.sequence?.delim ?? ';',
      ...build.output,
    }))
    this.outputs = outputNames(this.features, parts)
  }

  /**
   * Generates the features of one request.
   * @throws {EasError} `invalid_request` when columns disagree about the number of items, or when there are too many
   *   values for a feature.
   */
  generate(request: FgRequest): Generated {
    const { parts } = this
    const frame = new Frame(request, parts.slots, parts.builds.length)
    let current = 0
    try {
      for (const i of parts.order) {
        current = i
        frame.values[i] = parts.functions[i]?.(frame)
      }
    } catch (thrown) {
      throw thrown instanceof RangeError ? tooLarge(this.features[current]?.name ?? '', thrown) : thrown
    }
    return new Generated(this, parts, frame)
  }
}

/** What an operator, or the engine, says of values too many or too long for it. */
const tooLarge = (feature: string, cause: RangeError): EasError =>
  new EasError('invalid_request', `Cannot generate ${oneLine(feature)}: ${oneLine(cause.message)}`, { cause })

/** A stub is for other features only. */
function isStub(build: FeatureBuild): boolean {
  const { stub_type } = build.entry.raw
  return stub_type === true || stub_type === 'true' || stub_type === 1
}

/** The features of one request. */
export class Generated {
  /** Items of the request. */
  readonly rows: number
  readonly counters: FgCounters
  private readonly generator: FeatureGenerator
  private readonly parts: GeneratorParts
  private readonly frame: Frame

  constructor(generator: FeatureGenerator, parts: GeneratorParts, frame: Frame) {
    this.generator = generator
    this.parts = parts
    this.frame = frame
    this.rows = frame.rows
    this.counters = frame.counters
  }

  /**
   * The model's inputs by name. Small arrays are cut from buffers that they share: they may be read or copied, not
   * transferred to another thread.
   *
   * - dense: `<f>.values` float32 `[rows, value_dim]`; in a sequence `[steps, value_dim]`, and `.lengths` `[rows]` int32
   * - ids: `<f>.values` int64 `[n]`, `.lengths` `[rows]`; `.weights` float32 `[n]` when weighted
   * - ids of a sequence: `.lengths` counts steps; with a `value_dim` other than 1 `.key_lengths` `[steps]` counts ids
   * - `batch_size`, a scalar, when the model tiles its input; features of the user then have one row
   *
   * Lengths of ids are int64 if `model_acc.json` says `SPARSE_INT64`, else int32; `tensorTypes` overrides all types.
   */
  tensors(): Map<string, Tensor> {
    const values = this.frame.values.map((value) => value?.after)
    const { rows, isOfOneUser } = this.frame
    return tensorsOf(this.generator.features, values, { rows, isOfOneUser }, this.parts)
  }

  /** One feature, before and after bucketizing, as it was computed: user features have one row. */
  value(name: string): { readonly before: Bagged; readonly after: Bagged } | undefined {
    const i = this.generator.features.findIndex((feature) => feature.name === name)
    return this.frame.values[i]
  }

  /**
   * `generate_features`, one text per item: `name:value | name:value`, see `text-form.ts`.
   * @throws {EasError} `invalid_request` when they come to more than 67 million characters.
   */
  generateFeatures(): string[] {
    return this.texts(
      this.generator.features.flatMap((feature, i) => {
        const bags = this.frame.values[i]?.after
        return bags && !feature.stub ? [{ rows: bags.rows, text: (row) => featureText(feature, bags, row) }] : []
      }),
    )
  }

  /** `raw_features`, one text per item: the columns that were read, in the same form and bounds. */
  rawFeatures(): string[] {
    return this.texts(
      this.generator.inputs.map((input, i) => {
        const column = this.frame.column(input, i)
        return { rows: rowsOf(column), text: (row) => rawText(input, column, row) }
      }),
    )
  }

  private texts(parts: readonly TextPart[]): string[] {
    const ofAll = parts.map(({ rows, text }) => (rows === 1 ? text(0) : undefined))
    let chars = 0
    return Array.from({ length: this.rows }, (_, row) => {
      const line = parts.map(({ text }, i) => ofAll[i] ?? text(row)).join(' | ')
      chars += line.length
      checkCount(chars, fgLimits.textChars, 'features as text', 'characters')
      return line
    })
  }
}

/** A feature or column as text. */
interface TextPart {
  /** 1 when it is the same for all items. */
  readonly rows: number
  text(row: number): string
}

export type Bagged = TextBags | NumberBags | IdBags
