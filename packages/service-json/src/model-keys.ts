import { type KeyTable, notedRow, row } from './key-row.ts'
import {
  absolutePath,
  commaList,
  flag,
  integer,
  list,
  number,
  object,
  oneOf,
  text,
  textLists,
  texts,
} from './value-types.ts'

const use = row('use')
const ignore = row('ignore')
const warn = notedRow('warn')
/** A key of a section that is warned about as a whole. */
const inside = row('warn')

const featureStore = 'FeatureStore is not asked: EAS_ITEM_FEATURES says where items are'
const hologres = 'EAS_ITEM_FEATURES says where items are'

/** FeatureStore access, the same for both EasyRec processors. */
const featureStoreKeys = {
  region: warn(text, 'Region of FeatureStore.', featureStore),
  fs_project: warn(text, 'FeatureStore project.', featureStore),
  fs_model: warn(text, 'Feature model.', featureStore),
  fs_entity: warn(commaList, 'Entity, or several as `"item,raw"`.', featureStore),
  access_key_id: warn(text, 'AccessKey ID.', featureStore, { secret: true }),
  access_key_secret: warn(text, 'AccessKey secret.', featureStore, { secret: true }),
  security_token: warn(text, 'Token of a temporary AccessKey.', featureStore, { secret: true }),
  load_feature_from_offlinestore: warn(flag, 'Whether features load from the offline store.', featureStore, {
    default: false,
  }),
  featuredb_username: warn(text, 'FeatureDB user.', featureStore),
  featuredb_password: warn(text, 'FeatureDB password.', featureStore, { secret: true }),
  featuredb_passwd: warn(text, 'The same, as the TorchEasyRec repository spells it.', featureStore, { secret: true }),
  storage_api_quota_name: warn(text, 'MaxCompute quota that features load with.', featureStore),
  use_privatelink_for_loading_features: warn(flag, 'Whether features load over PrivateLink.', featureStore),
  load_feature_view_in_parallel: warn(flag, 'Whether feature views load in parallel.', featureStore),
  steady_mode: ignore(flag, 'Seen in deployed files; no published page says what it does.'),
} satisfies KeyTable

/**
 * `model_config` of the `easyrec-torch-*` processors.
 * @see Alibaba Cloud help, "TorchEasyRec processor"; alibaba/TorchEasyRec docs/source/usage/serving.md
 */
export const torchEasyRecKeys = {
  fg_mode: use(oneOf(['bypass', 'normal']), 'Whether features are generated before the model runs.', {
    default: 'bypass',
  }),
  fg_threads: use(
    integer({ min: 1, max: 1024 }),
    'Feature generation threads per request. Without effect: features are made by one.',
  ),
  outputs: use(commaList, 'Output names to return; all when absent.'),
  item_empty_score: use(number(), 'Score of an item id that is not known.', { default: 0 }),
  faiss_neigh_num: use(integer({ min: 1, max: 1_000_000 }), 'Items to recall when the request does not say.', {
    default: 1,
  }),
  faiss_nprobe: use(integer({ min: 1, max: 10_000_000 }), 'Inverted lists to visit.', { default: 800 }),
  tdm_retrieval_num: use(integer({ min: 1, max: 1_000_000 }), 'Items to retrieve from a TDM model.'),
  warmup_data_path: use(absolutePath, 'Directory that keeps requests for warm-up; needs mounted storage.'),
  warmup_cnt_per_file: use(integer({ min: 0, max: 1_000_000 }), 'Times each file is replayed.', { default: 20 }),
  warmup_pb_files_count: use(integer({ min: 0, max: 1_000_000 }), 'Requests to record for the next start.', {
    default: 64,
  }),
  long_request_threshold: use(number({ min: 0 }), 'Milliseconds from which a request is logged with its stages.', {
    default: 200,
  }),
  save_long_request: use(flag, 'Whether such requests are saved to `torch_req/` under the model directory.', {
    default: false,
  }),
  request_log_path: use(absolutePath, 'Directory for request logs; needs mounted storage.'),
  background_feature_thread_num: use(integer({ min: 1, max: 1024 }), 'Writers of the request log.', { default: 4 }),
  period: use(integer({ min: 0 }), 'Minutes between looks for newer item features.'),
  ...featureStoreKeys,
} satisfies KeyTable

/**
 * `model_config` of the `easyrec-*` processors (TensorFlow).
 * @see Alibaba Cloud help, "EasyRec processor"; alibaba/EasyRec docs/source/feature/fg.md
 */
export const easyRecKeys = {
  fg_mode: use(
    oneOf(['tf', 'normal', 'bypass']),
    '`normal` and `tf`: features are generated before the model runs; `bypass`: none.',
  ),
  outputs: use(commaList, 'Output names, in the order of `scores`; all when absent.'),
  item_empty_score: use(number(), 'Score of an item id that is not known.', { default: 0 }),
  faiss_ivf_nprobe: use(integer({ min: 1, max: 10_000_000 }), 'Inverted lists to visit.', { default: 100 }),
  save_req: use(flag, 'Whether requests are saved to the model directory.', { default: false }),
  period: use(integer({ min: 0 }), 'Minutes between looks for newer item features.'),
  remote_type: warn(oneOf(['hologres', 'none', 'redis']), 'Where item features are kept.', hologres, {
    default: 'none',
  }),
  url: warn(text, 'Database with its user and password.', hologres, { secret: true }),
  tables: warn(list, 'Tables of item features.', hologres),
  'tables[].name': inside(text, 'Table.', { required: true }),
  'tables[].key': inside(text, 'Column of the item id.', { required: true }),
  'tables[].value': inside(commaList, 'Columns to load; all when absent.'),
  'tables[].condition': inside(text, 'SQL condition of the rows to load.'),
  'tables[].timekey': inside(text, 'Column that orders refreshes.'),
  'tables[].static': inside(flag, 'Whether the table is never refreshed.'),
  ...featureStoreKeys,
} satisfies KeyTable

/**
 * Optimization items of one model file in `plugins[].config.model_info`.
 * @see Alibaba Cloud help, "Optimize and deploy models with Blade EAS Plugin", table 3
 */
export const bladeKeys = {
  optimization_level: use(oneOf(['o1', 'o2']), '`o1`: without loss but for FP16; `o2`: INT8.', { default: 'o1' }),
  test_data: use(text, 'File of sample inputs, inside the model.'),
  calibration_dataset: use(text, 'File of more than 100 samples for offline INT8, inside the model.'),
  inputs: use(texts, 'Input nodes; TensorFlow only.'),
  outputs: use(texts, 'Output nodes; TensorFlow only.'),
  input_shapes: use(textLists, "Sets of possible input shapes, as `[['1*512', '3*256']]`."),
  input_ranges: use(textLists, "Sets of possible input ranges, as `[['[0.1,0.4]', '[a,f]']]`."),
  quantization: use(object, 'INT8 options.'),
  'quantization.weight_adjustment': use(flag, 'Whether weights are adjusted to lose less.'),
} satisfies KeyTable
