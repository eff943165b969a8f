import type { Language } from './plan.ts'

/** The cases of a language's client. */
export const casesOf = (language: Language) => (language === 'python-older' ? olderCases : cases)

/**
 * Every case, by the name a client reports it under. A case that a client leaves out counts as failed; what an SDK
 * lacks is reported as skipped, with the reason.
 */
export const cases: Readonly<Record<string, string>> = {
  torch_single: 'one row gives the scores and the label of the framework',
  torch_batch: 'all held-out rows in one request',
  torch_map_inputs: 'map_inputs: the input by name',
  torch_debug_level: 'debug_level leaves scores as they are',
  torch_fetch_order: 'output_filter [2, 0] gives two outputs in that order',
  torch_dtype_float: 'DT_FLOAT there and back, with infinities, NaN and the least denormal',
  torch_dtype_double: 'DT_DOUBLE there and back',
  torch_dtype_uint8: 'DT_UINT8 there and back, 0 to 255',
  torch_dtype_int8: 'DT_INT8 there and back, -128 to 127',
  torch_dtype_int16: 'DT_INT16 there and back',
  torch_dtype_int32: 'DT_INT32 there and back',
  torch_dtype_int64: 'DT_INT64 there and back, beyond 2^53',
  torch_scalar: 'a tensor of rank 0 there and back',
  torch_large: 'a million floats there and back',
  torch_threads: 'one client used by eight threads at once',
  torch_after_refusal: 'a client that was answered 400 gets scores for its next request, three times',
  torch_out_half: 'a float16 output arrives as DT_FLOAT',
  torch_out_bool: 'a bool output arrives as DT_UINT8',
  torch_out_uint16: 'a uint16 output arrives as DT_INT32',
  torch_out_rank0: 'an output of rank 0 has an empty array_shape',

  trace_batch: 'all held-out rows to the traced TorchScript archive',
  script_batch: 'all held-out rows to the scripted TorchScript archive',
  savedmodel_batch: "all held-out rows to the SavedModel, with signature_name '' and 'serving_default'",
  savedmodel_signature_json: 'an empty request to the SavedModel gives the signature as JSON',

  tf_single: 'one row gives the scores and the label of the framework',
  tf_batch: 'all held-out rows in one request',
  tf_signature_name: "signature_name '' and 'serving_default' give the same scores",
  tf_fetch: 'output_filter by name gives those outputs alone',
  tf_dtype_float: 'DT_FLOAT there and back, with infinities, NaN and the least denormal',
  tf_dtype_double: 'DT_DOUBLE there and back',
  tf_dtype_int32: 'DT_INT32 there and back',
  tf_dtype_int64: 'DT_INT64 there and back, beyond 2^53',
  tf_dtype_uint8: 'DT_UINT8 there and back',
  tf_dtype_int8: 'DT_INT8 there and back',
  tf_dtype_int16: 'DT_INT16 there and back',
  tf_dtype_uint16: 'DT_UINT16 there and back',
  tf_dtype_bool: 'DT_BOOL there and back',
  tf_dtype_string: 'DT_STRING there and back, empty and non-ASCII',
  tf_dtype_float16: 'DT_HALF there and back, as float_val',
  tf_scalar: 'a tensor of rank 0 there and back',
  tf_signature_json: 'an empty request gives the signature as JSON',

  compress_gzip_configured: 'gzip body, decompressor configured',
  compress_gzip_sniffed: 'gzip body, decompressor not configured',
  compress_zlib_configured: 'zlib body, decompressor configured',
  compress_zlib_sniffed: 'zlib body, decompressor not configured',
  compress_snappy_configured: 'raw Snappy body, decompressor configured',
  compress_snappy_sniffed: 'raw Snappy body, decompressor not configured',
  compress_zstd_configured: 'zstd body, decompressor configured',
  compress_zstd_sniffed: 'zstd body, decompressor not configured',
  compress_lz4frame_configured: 'LZ4 frame body, decompressor lz4',
  compress_lz4frame_sniffed: 'LZ4 frame body, decompressor not configured',
  compress_lz4_configured: 'raw LZ4 block body, decompressor lz4',
  compress_java_is_compressed: 'setIsCompressed(true) with EAS_JAVA_IS_COMPRESSED=on',
  decompressor_auto: 'setDecompressor(Auto) reads the plain response',
  decompressor_zlib: 'setDecompressor(Zlib) falls back to the plain response; Gzip and Snappy would read it as empty',

  auth_wrong_token: 'a wrong token is 401, reported by the SDK, after the attempts the SDK makes',
  auth_missing_token: 'no token where one is needed is 401',
  auth_plain_token: 'the token as it is, instead of a signature',
  auth_open_service: 'no token on a service without one',

  attempts_408: 'attempts when the run outlasts rpc.keepalive',
  attempts_429: 'attempts when rpc.rate_limit is reached',
  attempts_450: 'attempts when rpc.max_queue_size is reached',
  attempts_500: 'attempts when the model fails',
  attempts_503: 'attempts when the model is not ready',

  direct_mode: 'service discovery, then a predict call to the address found',
  path_service: 'service name with a sub-path, signed',
  path_request: 'request path, signed',
  path_query: 'request path with a query, signed',
  endpoint_slash: 'endpoint with a trailing slash',
  endpoint_prefix: 'endpoint with a path prefix, which the signature leaves out',

  torchrec: "the request of the TorchEasyRec processor's page gives the scores of PyTorch",
  torchrec_java_page:
    "the page's Java request: its item is not in the catalogue, so item_empty_score; debug_level 1 tells its features",
  torchrec_tile_2: 'the same of an export with INPUT_TILE 2',
  torchrec_tile_3: 'the same of an export with INPUT_TILE 3',
  torchrec_debug_level: 'each debug_level gives features, tensors and scores as its row says',
  torchrec_item_features:
    'features of an item that no catalogue has, in the request: scored as the item they are copied from',
  torchrec_recall: 'a match model: the neighbours that faiss gives, as many as the request or the configuration says',
  torchrec_recall_debug: 'debug_level 102 of a match model also gives user_tower_emb',
  torchrec_pass_through: 'pass_through_data has the version of the model',
  torchrec_refused: 'a list of another length than item_ids is 400 with its name, after the attempts the SDK makes',
  torchrec_log: "debug_level 100 leaves a file that the SDK's own PBLogData reads",
  torchrec_bypass: "fg_mode bypass: the model's tensors by name give the same scores",
  easyrec: "EasyRec's own message to a service with processor easyrec gives the scores of PyTorch",
  easyrec_refused: 'a list of another length than item_ids: 200 with status_code EXCEPTION and its name in error_msg',
}

/** Versions of the Python SDK that differ in how they address services and sign requests. */
export const olderVersions = {
  '0.7': 'the token as it is, the first with direct mode that works with Python 3',
  '0.12': 'the last that sends the token as it is',
  '0.20': 'signed; the older messages',
  '0.33': 'the last with the older path of discovery',
} as const

const olderChecks = {
  savedmodel: 'all held-out rows to the SavedModel',
  torchscript: 'all held-out rows to the traced TorchScript archive',
  signature_json: 'an empty request gives the signature as JSON',
  wrong_token: 'a wrong token is 401',
  sub_path: 'service name with a sub-path',
  direct_mode: 'service discovery, then a predict call to the address found',
}

const olderCases: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(olderVersions).flatMap(([version, what]) =>
    Object.entries(olderChecks).map(([name, check]) => [`${version}_${name}`, `${check} (${what})`]),
  ),
)
