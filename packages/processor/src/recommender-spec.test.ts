import { easyRecKeys, parseServiceJson, torchEasyRecKeys } from '@eas/service-json'
import { describe, expect, it } from 'vitest'
import { recommenderWarnings } from './recommender-spec.ts'

/** A value that each key takes, where 1 is none. */
const values: Readonly<Record<string, unknown>> = {
  fg_mode: 'normal',
  outputs: 'probs',
  warmup_data_path: '/warmup',
  request_log_path: '/log',
  save_long_request: true,
  load_feature_from_offlinestore: true,
  save_req: true,
  remote_type: 'redis',
  tables: [{ name: 'items', key: 'item_id' }],
}
const texts = /^(?:region|fs_|access_|security_|featuredb_|storage_api|url)/

const config = (processor: string, model_config: Readonly<Record<string, unknown>>, env: readonly string[] = []) =>
  parseServiceJson(
    JSON.stringify({
      ...{ name: 'ranking', processor, model_path: '/model', model_config, metadata: { instance: 1 } },
      processor_envs: env.map((name) => ({ name, value: '1' })),
      storage: ['/warmup', '/log'].map((mount_path) => ({ mount_path, oss: { path: 'oss://bucket/there/' } })),
    }),
    { path: '/service.json' },
  )

function warned(processor: string, fg_mode: string, key: string): boolean {
  const value = values[key] ?? (texts.test(key) ? 'some' : 1)
  const parsed = config(processor, { fg_mode, [key]: value })
  const lines = [...parsed.warnings.map(({ message }) => message), ...recommenderWarnings(parsed.config)]
  return lines.some((line) => line.includes(key))
}

const topLevel = (table: Readonly<Record<string, unknown>>) => Object.keys(table).filter((key) => !key.includes('['))

describe('recommenderWarnings()', () => {
  // What is listed here has an effect, and a test that says so.
  it.each([
    ...[
      [
        'easyrec-torch-1.12',
        'normal',
        [
          ...['fg_mode', 'outputs', 'item_empty_score', 'faiss_neigh_num', 'faiss_nprobe', 'period'],
          ...['warmup_data_path', 'warmup_cnt_per_file', 'warmup_pb_files_count', 'long_request_threshold'],
          ...['save_long_request', 'request_log_path', 'background_feature_thread_num'],
        ],
      ] as const,
      [
        'easyrec-torch-1.12',
        'bypass',
        ['fg_mode', 'outputs', 'warmup_data_path', 'warmup_cnt_per_file', 'warmup_pb_files_count'],
      ] as const,
      ['easyrec-3.0', 'normal', ['fg_mode', 'outputs', 'item_empty_score', 'faiss_ivf_nprobe', 'period']] as const,
    ],
  ])('with %s and fg_mode %s, names every key but those that have an effect', (processor, fg_mode, effective) => {
    const keys = topLevel(processor === 'easyrec-3.0' ? easyRecKeys : torchEasyRecKeys)
    // No published page says what it does.
    const silent = keys.filter((key) => key !== 'steady_mode' && !warned(processor, fg_mode, key))
    expect(silent.sort()).toEqual([...effective].sort())
  })

  it('names variables that are for PyTorch, and those of features where none are made', () => {
    const env = ['INPUT_TILE', 'USE_FARM_HASH_TO_BUCKETIZE', 'NO_GRAD_GUARD', 'PYTORCH_TENSOREXPR_FALLBACK', 'MINE']
    const linesOf = (fg_mode: string) => recommenderWarnings(config('easyrec-torch-1.12', { fg_mode }, env).config)
    const ofPyTorch = ['NO_GRAD_GUARD', 'PYTORCH_TENSOREXPR_FALLBACK'].map(
      (name) => `processor_envs ${name} has no effect: PyTorch is not there`,
    )
    expect(linesOf('normal')).toEqual(ofPyTorch)
    expect(linesOf('bypass')).toEqual([
      'processor_envs INPUT_TILE has no effect with fg_mode bypass',
      'processor_envs USE_FARM_HASH_TO_BUCKETIZE has no effect with fg_mode bypass',
      ...ofPyTorch,
    ])
  })

  it('says nothing of other processors', () => {
    expect(recommenderWarnings(config('pytorch_cpu_1.10', { fg_threads: 1 }, ['NO_GRAD_GUARD']).config)).toEqual([])
  })
})
