import { EasError, limits, oneLine } from '@eas/base'
import { compressorNames } from '@eas/protocol'
import { nearest } from '@eas/service-json'
import { isolations } from './engine/host.ts'

/** One environment variable: how its text is read, its default, and what it is for. */
interface Setting<T> {
  readonly env: string
  readonly fallback: T
  readonly allowed: string
  readonly meaning: string
  /** `undefined` for a text that is not allowed. */
  readonly parse: (text: string) => T | undefined
}

/**
 * What an operator may set beside `service.json`, which has no words for it. Read once, at start. Also printed into the
 * README by `npm run docs`.
 */
export const settingsTable = {
  token: {
    ...text(
      'EAS_TOKEN',
      'Token of every service; takes the place of `token` in `service.json`. Empty: no authentication.',
    ),
    // Secrets read from files end with a newline, which no header carries. Nothing but blanks stays: it opens no door.
    parse: (value: string) => value.trim() || value,
  },
  logLevel: oneOf('EAS_LOG_LEVEL', ['info', 'debug', 'warn', 'error', 'silent'], 'Requests are logged at `info`.'),
  bodyBytesMax: bytes(
    'EAS_MAX_BODY_BYTES',
    limits.bodyBytes,
    'Largest request body, as received. More is answered 413.',
  ),
  inflatedBytesMax: bytes('EAS_MAX_INFLATED_BYTES', limits.inflatedBytes, 'Largest request body, decompressed.'),
  contentMd5: oneOf(
    'EAS_CONTENT_MD5',
    ['ignore', 'verify'],
    '`verify` answers 400 when Content-MD5 does not match the body. Without it a signature does not protect the body.',
  ),
  javaIsCompressed: oneOf(
    'EAS_JAVA_IS_COMPRESSED',
    ['off', 'on'],
    '`on` serves Java clients that call `setIsCompressed(true)`: a body that its Content-MD5 does not match is answered in Snappy.',
  ),
  responseCompressor: oneOf(
    'EAS_RESPONSE_COMPRESSOR',
    ['none', ...compressorNames],
    'Compresses every prediction; only for clients that call Java’s `setDecompressor`.',
  ),
  dateSkewSecondsMax: integer(
    'EAS_MAX_DATE_SKEW_S',
    0,
    0,
    'Refuses a signature whose Date is further off. 0: not looked at. The Python and Go SDKs send local time, so use 50400 or more.',
  ),
  isolation: oneOf(
    'EAS_ISOLATION',
    ['auto', ...isolations],
    'Where models run. `auto`: a thread for a single service, a process each for several, so that a crash stays with its model.',
  ),
  load: oneOf(
    'EAS_LOAD',
    ['eager', 'lazy'],
    '`lazy`: a model is loaded by the first request for it, which waits, up to `keepalive`. `eager`: at start.',
  ),
  modelBytesMax: integer(
    'EAS_MODEL_BYTES',
    0,
    0,
    'Models that are loaded at once, in bytes of their files; the least recently used leave. 0: no limit.',
  ),
  refreshSeconds: integer(
    'EAS_REFRESH_S',
    0,
    0,
    'Seconds between looks for a newer version of each model, which takes the place of the old one when it is ready. 0: never.',
  ),
  itemFeatures: text(
    'EAS_ITEM_FEATURES',
    'Item features of EasyRec services: the URL or path of a snapshot, or the settings of a source as JSON. `{fs_project}` and the like stand for values of `model_config`. Also in `processor_envs`.',
  ),
  itemFeaturesOffline: text(
    'EAS_ITEM_FEATURES_OFFLINE',
    'The same, for services whose `load_feature_from_offlinestore` is true.',
  ),
  itemIdsMax: integer(
    'EAS_ITEM_IDS_MAX',
    10_000,
    1,
    'Items of one request of an EasyRec service. Exported models may take memory by the square of it. More is answered 400.',
  ),
  itemRefreshSeconds: integer(
    'EAS_ITEM_REFRESH_S',
    30,
    1,
    'Seconds between looks for newer item features, where `model_config.period` does not say.',
  ),
  buckets: list(
    'EAS_BUCKETS',
    'Where buckets live now: `oss://models=s3://company-models/eas` makes `oss://models/a` mean `s3://company-models/eas/a`.',
  ),
  s3Endpoint: text(
    'EAS_S3_ENDPOINT',
    'Address of the S3 server, such as `http://127.0.0.1:9000`; the bucket is in the path. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, or AWS, where the region of a bucket is found out.',
  ),
  s3Anonymous: oneOf('EAS_S3_ANONYMOUS', ['off', 'on'], '`on` signs nothing: public buckets.'),
  ossEndpoint: text('EAS_OSS_ENDPOINT', 'Address of OSS. Default: by region, `https://s3.oss-<region>.aliyuncs.com`.'),
  ossRegion: text('EAS_OSS_REGION', 'Region of OSS buckets, such as `cn-shanghai`. Default: that of the function.'),
  ossAnonymous: oneOf('EAS_OSS_ANONYMOUS', ['off', 'on'], '`on` signs nothing: public buckets.'),
  ossInternal: oneOf('EAS_OSS_INTERNAL', ['off', 'on'], '`on` reaches OSS over the internal network of its region.'),
  gcsEndpoint: text('EAS_GCS_ENDPOINT', 'Address of Cloud Storage. Default: `https://storage.googleapis.com`.'),
  gcsAccessKeyId: text(
    'EAS_GCS_ACCESS_KEY_ID',
    'HMAC key of Cloud Storage, which is then asked over its S3 API. Default: Google’s application default credentials.',
  ),
  gcsSecretAccessKey: text('EAS_GCS_SECRET_ACCESS_KEY', 'The secret of that key.'),
  gcsAnonymous: oneOf('EAS_GCS_ANONYMOUS', ['off', 'on'], '`on` sends no token: public buckets, emulators.'),
  cacheDir: text(
    'EAS_CACHE_DIR',
    'Folder that keeps models fetched from object storage. Default: `eas-functions` in the temporary folder.',
  ),
  cacheBytesMax: bytes(
    'EAS_CACHE_BYTES',
    20 * 1024 ** 3,
    'Bytes that folder may hold; what was not used longest goes.',
  ),
  prepare: oneOf(
    'EAS_PREPARE',
    ['off', 'on'],
    '`on`: a model that has no prepared form gets one beside it, once it is loaded, as `eas prepare` writes it.',
  ),
  downloadSeconds: integer('EAS_DOWNLOAD_S', 900, 1, 'Seconds that fetching a model may take.'),
  warmUpSeconds: integer('EAS_WARM_UP_S', 10, 0, 'Seconds for replaying warm-up requests. 0: none are replayed.'),
  warmUpFailure: oneOf(
    'EAS_WARM_UP_FAILURE',
    ['ignore', 'fail'],
    '`fail`: a warm-up request that cannot be read, or is not answered 200, keeps the model from being ready.',
  ),
  executionProviders: list(
    'EAS_EXECUTION_PROVIDERS',
    'ONNX Runtime execution providers in order, such as `tensorrt,cuda,cpu`. Default: by the processor, `cuda,cpu` for `_gpu_`.',
  ),
  basePaths: list(
    'EAS_BASE_PATHS',
    'Paths that stand for a service besides `/api/predict/<service>`: `/custom/base` (of the only service) or `/custom/base=service`.',
  ),
  publicEndpoint: text(
    'EAS_PUBLIC_ENDPOINT',
    'host:port that direct mode is told to connect to. Default: the Host header of the question.',
  ),
} satisfies Record<string, Setting<unknown>>

export type Settings = { readonly [K in keyof typeof settingsTable]: (typeof settingsTable)[K]['fallback'] } & {
  /** What the environment says that is nobody's, and near a setting: a line each. */
  readonly warnings: readonly string[]
}

/**
 * Settings from environment variables; an empty variable counts as not set.
 * @throws {EasError} `invalid_request` naming every variable that is wrong and what it may be.
 */
export function settingsFromEnv(env: Readonly<Record<string, string | undefined>>): Settings {
  const wrong: string[] = []
  const settings: Record<string, unknown> = { warnings: mistyped(env) }
  for (const [name, setting] of Object.entries<Setting<unknown>>(settingsTable)) {
    const value = env[setting.env]
    const parsed = value === undefined || value === '' ? setting.fallback : setting.parse(value)
    if (parsed === undefined) wrong.push(`${setting.env} must be ${setting.allowed}, got ${JSON.stringify(value)}`)
    settings[name] = parsed
  }
  if (wrong.length > 0) throw new EasError('invalid_request', `Cannot read the environment: ${wrong.join('; ')}`)
  return settings as Settings // one value per row of the table, each of its row's type
}

/** Names of other parts' variables, which may be near one of the table. */
const otherNames = /^EAS_(?:BATCH|FC|IMAGE|MANIFEST|FULL)(?:_|$)/

/** A service whose `EAS_TOEKN` nobody reads is open to everyone. */
function mistyped(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set(Object.values(settingsTable).map((setting) => setting.env))
  const unknown = Object.keys(env).filter((name) => /^EAS_/i.test(name) && !known.has(name) && !otherNames.test(name))
  return unknown.flatMap((name) => {
    const meant = nearest(name, known)
    return meant === undefined ? [] : [`${oneLine(name)} is not a setting; did you mean ${meant}?`]
  })
}

function text(env: string, meaning: string): Setting<string> {
  return { env, fallback: '', allowed: 'a text', meaning, parse: (value) => value }
}

function oneOf<const T extends string>(env: string, values: readonly [T, ...T[]], meaning: string): Setting<T> {
  const parse = (value: string) => values.find((allowed) => allowed === value.toLowerCase())
  return { env, fallback: values[0], allowed: values.join(' | '), meaning, parse }
}

function integer(env: string, fallback: number, min: number, meaning: string): Setting<number> {
  const parse = (value: string) => (/^\d{1,15}$/.test(value) && Number(value) >= min ? Number(value) : undefined)
  return { env, fallback, allowed: `a whole number from ${min} up`, meaning, parse }
}

function bytes(env: string, fallback: number, meaning: string): Setting<number> {
  return integer(env, fallback, 1, meaning)
}

function list(env: string, meaning: string): Setting<readonly string[]> {
  const parse = (value: string) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  return { env, fallback: [], allowed: 'a comma-separated list', meaning, parse }
}
