import { EasError, oneLine, type Tensor } from '@eas/base'
import type { FeatureGenerator, Generated } from '@eas/fg'
import type { ModelValue } from '../model-io.ts'
import { type FeatureTexts, featureTexts, type TextForm } from './feature-texts.ts'
import { sequenceNames } from './fg-document.ts'
import { isNumberType, listTensor, numberTensor, textTensor } from './input-tensors.ts'
import type { InputUse, PipelineConfig } from './pipeline-config.ts'

/** The only placeholder of a model that takes all fields as one line. @see input.py, `create_placeholders` */
const linePlaceholder = 'features'

/** Characters of all lines of a request; a page of 300 items with 1,500 features comes to 10 million. */
const lineCharsMax = 64 * 1024 * 1024

/** One field of the model and where it comes from. */
interface Field {
  readonly name: string
  /** `undefined`: nothing that the model's scores need reads it. */
  readonly feature: string | undefined
  readonly form: TextForm
  /** Stands for an empty text. */
  readonly default_val: string
}

/** How EasyRec wrote texts before its configuration said so. @see docs/source/feature/{rtp_fg,fg_docs/IdFeature}.md */
const usualForm: TextForm = { steps: '\u0003', values: '\u0003', list: '\u0003', weight: '\u0005' }
/** Between the features of a line of FG's: `debug_level` 3. */
const tableSeparator = '\u0002'

/**
 * Inputs of a SavedModel of EasyRec: a text per feature and item, in the separators that the graph splits it by; or one
 * line of all; or, where its fields are so typed, numbers.
 *
 * @see alibaba/EasyRec, `easy_rec/python/input/input.py`: `create_multi_placeholders`, `create_placeholders`, `_parse_…`
 */
export class TextInputs {
  private readonly inputs: readonly { readonly input: ModelValue; readonly field: Field }[]
  private readonly line: { readonly fields: readonly Field[]; readonly separator: string } | undefined
  /** Every feature that is no stub, in the order of fg.json. */
  private readonly table: readonly Field[]

  /** @param problems What the model takes and nothing gives, a line each. */
  constructor(
    generator: FeatureGenerator,
    inputs: readonly ModelValue[],
    config: PipelineConfig | undefined,
    problems: string[],
  ) {
    const features = namesOf(generator)
    const fieldOf = (name: string): Field => {
      const feature = features.get(name)
      const { input_type = 'STRING', default_val = '' } = config?.fields.get(name) ?? {}
      if (feature === undefined && (!config || config.usesOf(name).length > 0)) {
        problems.push(`the model reads ${oneLine(name, 100)}, and fg.json has no feature of that name`)
      }
      // What is no text is not split.
      const form = formOf(name, config, input_type === 'STRING' ? problems : [])
      if (form.weight === undefined && generator.features.some((one) => one.name === feature && one.weighted)) {
        problems.push(`${oneLine(name, 100)} has weights, and the model no kv_separator to split them off by`)
      }
      return { name, feature, form, default_val: default_val || (input_type === 'STRING' ? '' : '0') }
    }
    const [only] = inputs
    const takesLine = inputs.length === 1 && only?.name === linePlaceholder && !features.has(linePlaceholder)
    if (takesLine && !config) problems.push('there is no assets/pipeline.config, which would name the fields of a line')
    this.line =
      takesLine && config ? { fields: config.lineFields.map(fieldOf), separator: config.lineSeparator } : undefined
    this.inputs = takesLine ? [] : inputs.map((input) => ({ input, field: fieldOf(input.name) }))
    this.table = generator.features
      .filter(({ stub }) => !stub)
      .map(({ name }) => {
        const input = [...features].find(([own, feature]) => feature === name && config?.fields.has(own))?.[0] ?? name
        return { name, feature: name, form: formOf(input, config, []), default_val: '' }
      })
    for (const { input } of this.inputs) {
      const { name, dtype = 'string' } = input
      if (dtype !== 'string' && !isNumberType(dtype)) {
        problems.push(`input ${oneLine(name, 100)} is ${dtype}, which no feature makes`)
      }
    }
  }

  /**
   * The inputs of the model by name: `[rows]`, or `[rows, values]` where the model takes lists. What is the same for all
   * items is made once.
   * @throws {EasError} `invalid_request` for a value that is of no number where the model takes one.
   */
  tensors(generated: Generated): Map<string, Tensor> {
    const { rows } = generated
    if (this.line) return new Map([[linePlaceholder, textTensor(this.lines(generated, this.line), rows)]])
    return new Map(
      this.inputs.map(({ input, field }) => {
        const { name, shape } = input
        const dtype = input.dtype !== undefined && isNumberType(input.dtype) ? input.dtype : 'string'
        const own = field.feature === undefined ? undefined : featureTexts(generated, field.feature)
        if (shape?.length === 2) return [name, listTensor(name, own, dtype, rows)]
        const texts = withDefault(own, field)
        return [name, dtype === 'string' ? textTensor(texts, rows) : numberTensor(name, texts, dtype, rows)]
      }),
    )
  }

  /** `generate_features` of `debug_level` 3: a line of all features per item, as training reads it. */
  lineOfAll(generated: Generated): string[] {
    return this.lines(generated, { fields: this.table, separator: tableSeparator }, () => {})
  }

  private lines(
    generated: Generated,
    { fields, separator }: NonNullable<TextInputs['line']>,
    check = (field: Field, text: string) => {
      // One more field would be all following ones moved by one, those of other items too.
      if (!text.includes(separator)) return
      throw new EasError(
        'invalid_request',
        `Cannot use ${oneLine(field.name, 100)}: it has the separator of fields in it`,
      )
    },
  ): string[] {
    const columns = fields.map((field) => {
      const texts = withDefault(field.feature === undefined ? undefined : featureTexts(generated, field.feature), field)
      for (const text of texts) check(field, text)
      return texts
    })
    let chars = 0
    return Array.from({ length: generated.rows }, (_, row) => {
      const line = columns.map((texts) => texts[texts.length === 1 ? 0 : row] ?? '').join(separator)
      chars += line.length
      if (chars <= lineCharsMax) return line
      throw new EasError('invalid_request', `Cannot generate features: their texts are over ${lineCharsMax} characters`)
    })
  }
}

/** A text per row. */
function withDefault(texts: FeatureTexts | undefined, { form, default_val }: Field): readonly string[] {
  return texts ? Array.from({ length: texts.rows }, (_, row) => texts.text(row, form) || default_val) : [default_val]
}

/** Features by every name that a field may have for them. */
function namesOf({ features }: FeatureGenerator): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { name, stub } of features) {
    // `convert_rtp_fg.py` names members of a group with one underline; the group's own name may have two.
    for (let cut = name.indexOf('__'); cut >= 0 && !stub; cut = name.indexOf('__', cut + 1)) {
      names.set(sequenceNames(name.slice(0, cut), name.slice(cut + 2))[1], name)
    }
  }
  for (const { name, stub } of features) if (!stub) names.set(name, name)
  return names
}

/** The separators that the graph takes an input's texts apart by. */
function formOf(name: string, config: PipelineConfig | undefined, problems: string[]): TextForm {
  const forms = (config?.usesOf(name) ?? []).flatMap((use) => formsByType[use.feature_type]?.(use) ?? [])
  const [form] = forms
  if (!form) return usualForm
  if (forms.some(({ steps, values, list }) => steps !== form.steps || values !== form.values || list !== form.list)) {
    problems.push(`features of the model split ${oneLine(name, 100)} by different separators`)
  }
  return { ...form, weight: forms.find(({ weight }) => weight !== undefined)?.weight }
}

/** What a use says of the separators; nothing where the text is taken whole. */
const formsByType: { readonly [type: string]: ((use: InputUse) => TextForm | undefined) | undefined } = {
  TagFeature: ({ separator, kv_separator }) => flat(separator, kv_separator),
  LookupFeature: ({ separator, kv_separator, place }) => (place === 1 ? flat(separator, kv_separator) : undefined),
  ComboFeature: ({ comboSeparator }) => (comboSeparator === '' ? undefined : flat(comboSeparator, undefined)),
  // The steps of the graph's sequence may be the values of a feature that is none.
  SequenceFeature: ({ separator, seq_multi_sep = separator }) => ({
    ...flat(separator, undefined),
    values: seq_multi_sep,
  }),
  RawFeature: ({ separator, seq_multi_sep, raw_input_dim }) =>
    raw_input_dim === 1 && seq_multi_sep === undefined
      ? undefined
      : { ...flat(separator, undefined), steps: seq_multi_sep ?? separator },
}

const flat = (separator: string, weight: string | undefined): TextForm => ({
  steps: separator,
  values: separator,
  list: separator,
  weight,
})
