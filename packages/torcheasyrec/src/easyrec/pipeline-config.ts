import { parseTextProto, type TextMessage } from './text-proto.ts'

/**
 * What EasyRec's `pipeline.config` says of a model's inputs: their types, and how the graph takes their texts apart.
 * @see alibaba/EasyRec, `easy_rec/python/protos/{dataset,feature_config,export}.proto`, `easy_rec/python/input/input.py`
 */
export interface PipelineConfig {
  /** By `input_name`. */
  readonly fields: ReadonlyMap<string, InputField>
  /** Where an input is used; none for one that no feature reads. */
  usesOf(input: string): readonly InputUse[]
  /** Between the fields of a line: `data_config.separator`. */
  readonly lineSeparator: string
  /** The fields of a line, for a model that has one placeholder for all of them. */
  readonly lineFields: readonly string[]
}

export interface InputField {
  /** `STRING`, `INT32`, `INT64`, `FLOAT`, `DOUBLE`, `BOOL`. */
  readonly input_type: string
  /** Stands for an empty text; `''` where the type's own does. */
  readonly default_val: string
}

/** One feature of EasyRec that reads an input. */
export interface InputUse {
  readonly feature_type: string
  /** Of a sequence: what its steps are. */
  readonly sub_feature_type: string
  /** Which of the feature's inputs it is. */
  readonly place: number
  /** Between values, or the steps of a sequence. */
  readonly separator: string
  readonly kv_separator: string | undefined
  readonly seq_multi_sep: string | undefined
  /** Of a ComboFeature: between the values of this input; `''` takes it whole. */
  readonly comboSeparator: string
  /** Of a RawFeature: how many numbers it has; the text of one is not split. */
  readonly raw_input_dim: number
  /** Whether the graph makes ids of texts: by hash or vocabulary. */
  readonly binsTexts: boolean
  /** Whether it makes ids of numbers. */
  readonly binsNumbers: boolean
}

/** @throws {Error} saying where the text is none. */
export function parsePipelineConfig(text: string): PipelineConfig {
  const config = parseTextProto(text)
  const [data] = config.messages('data_config').slice(-1)
  const fields = new Map(
    config.at('data_config', 'input_fields').map((field) => {
      const { input_type = 'STRING', default_val = '' } = {
        input_type: field.text('input_type'),
        default_val: field.text('default_val'),
      }
      return [field.text('input_name') ?? '', { input_type, default_val }] as const
    }),
  )
  const features = [...config.at('feature_config', 'features'), ...config.messages('feature_configs')]
  const uses = new Map<string, InputUse[]>()
  for (const feature of features) {
    for (const [place, input] of feature.texts('input_names').entries()) {
      const known = uses.get(input) ?? []
      known.push(useOf(feature, place))
      uses.set(input, known)
    }
  }
  const labels = new Set(data?.texts('label_fields'))
  const weight = data?.text('sample_weight')
  const effective = new Set([...uses.keys(), ...(weight === undefined ? [] : [weight]), ...metricFields(config)])
  const filters = config.at('export_config').at(-1)?.text('filter_inputs') !== 'false'
  return {
    fields,
    usesOf: (input) => uses.get(input) ?? [],
    lineSeparator: data?.text('separator') ?? ',',
    lineFields: [...fields.keys()].filter((name) =>
      filters ? effective.has(name) : !labels.has(name) && name !== weight,
    ),
  }
}

function useOf(feature: TextMessage, place: number): InputUse {
  const counts = (name: string) => Number(feature.text(name) ?? 0) > 0
  return {
    feature_type: feature.text('feature_type') ?? 'IdFeature',
    sub_feature_type: feature.text('sub_feature_type') ?? 'IdFeature',
    place,
    separator: feature.text('separator') ?? '|',
    kv_separator: feature.text('kv_separator'),
    seq_multi_sep: feature.text('seq_multi_sep'),
    comboSeparator: feature.texts('combo_input_seps')[place] ?? '',
    raw_input_dim: Number(feature.text('raw_input_dim') ?? 1),
    binsTexts:
      counts('hash_bucket_size') || feature.texts('vocab_list').length > 0 || feature.text('vocab_file') !== undefined,
    binsNumbers: feature.texts('boundaries').length > 0,
  }
}

/** Models of several tasks, whose towers have metrics of their own. */
const taskModels = ['mmoe', 'dbmtl', 'simple_multi_task', 'ple', 'esmm']

/** Fields that only metrics read; they have placeholders all the same. */
function metricFields(config: TextMessage): string[] {
  const towers = taskModels.flatMap((model) =>
    model === 'esmm'
      ? ['ctr_tower', 'cvr_tower'].flatMap((tower) => config.at('model_config', model, tower))
      : config.at('model_config', model, 'task_towers'),
  )
  const sets = [config.at('eval_config', 'metrics_set'), ...towers.map((tower) => tower.messages('metrics_set'))].flat()
  return sets.flatMap((metric) => [
    ...metric.messages('gauc').flatMap((gauc) => gauc.text('uid_field') ?? []),
    ...metric.messages('session_auc').flatMap((session) => session.text('session_id_field') ?? []),
  ])
}
