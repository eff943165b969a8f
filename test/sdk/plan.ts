import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cases } from './cases.ts'
import { type RunningServices, recommender, recommenderGolden, requestLog } from './server.ts'

/** Languages in the order they run. */
export const languages = ['python', 'python-older', 'java', 'go'] as const
export type Language = (typeof languages)[number]

/**
 * Attempts each SDK makes at its default retry count, by the status it is answered with. Recorded from the SDKs:
 * Python retries 500 alone (5 in total), Java every failure (1 + 3), Go every failure (1 + 5).
 */
const attempts: Record<Language, Record<number, number>> = {
  python: { 400: 1, 401: 1, 408: 1, 429: 1, 450: 1, 500: 5, 503: 1 },
  'python-older': { 401: 1 },
  java: { 400: 4, 401: 4, 408: 4, 429: 4, 450: 4, 500: 4, 503: 4 },
  go: { 400: 6, 401: 6, 408: 6, 429: 6, 450: 6, 500: 6, 503: 6 },
}

/**
 * Values sent through the echo models, as text: JSON has no infinities and no integers beyond 2^53.
 * Each list has its own length, so a value that lands in the wrong tensor does not fit its shape.
 */
const tensors = {
  float: ['0', '-0', '1.5', '-3.4028234663852886e38', '1.401298464324817e-45', 'Infinity', '-Infinity', 'NaN'],
  double: ['0', '-0', '0.1', '1.7976931348623157e308', '5e-324', '-Infinity', 'NaN'],
  int32: ['0', '-1', '-2147483648', '2147483647'],
  int64: ['0', '-1', '9007199254740993', '-9223372036854775808', '9223372036854775807'],
  uint8: ['0', '127', '255'],
  int8: ['-128', '-1', '0', '1', '2', '127'],
  int16: ['-32768', '32767'],
  uint16: ['0', '1', '2', '3', '4', '5', '6', '32768', '65535'],
  bool: ['true', 'false', 'true', 'true', 'false', 'false', 'true', 'false', 'true', 'true'],
  string: ['', 'plain', 'naïve', '特征', '🙂', 'a,b', ' ', '"', '\\', '\n', 'x'],
  float16: [
    '0',
    '1',
    '-1.5',
    '65504',
    '-65504',
    '6.103515625e-5',
    '5.9604644775390625e-8',
    'Infinity',
    '3',
    '4',
    '5',
    '6',
  ],
}

/** Turns of slow.onnx for about a second; over rpc.keepalive of the `hasty` service by a wide margin. */
const slowTurns = 2500

/** Inputs of the example that are floats; the rest are ids and lengths, which may be sent as int64 whatever the model has. */
const floats = /^(?:weight|raw_3|price|price_by_age|click|history__(?:price|ts))\.values$/

/** What an answer to each `debug_level` has, as the processor's page says: scores, the model's inputs, and features. */
const levels = [
  { level: 0, predicts: true, inputs: false, raw: false, generated: false },
  { level: 1, predicts: false, inputs: false, raw: true, generated: true },
  { level: 2, predicts: true, inputs: true, raw: true, generated: true },
  { level: 3, predicts: false, inputs: false, raw: false, generated: true },
  { level: 100, predicts: true, inputs: false, raw: false, generated: false },
  { level: 102, predicts: true, inputs: true, raw: true, generated: true },
  { level: 903, predicts: true, inputs: false, raw: false, generated: false },
  { level: 904, predicts: true, inputs: false, raw: false, generated: false },
]

/** `user_features` of the example's request `stranger`. */
const strangersFeatures = { age: '', city: '', history: '', user_id: 'stranger' }

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** The request of the TorchEasyRec processor's page, what PyTorch says to it, and what faiss recalls for its user. */
function readTorchrec(folder: string) {
  const { requests } = readJson(join(recommender, 'expected.json'))
  const [page] = requests
  const stranger = requests.find(({ name }: { name: string }) => name === 'stranger')
  const tensors = Object.entries<{ shape: number[]; data: number[] }>(page.inputs).map(([name, { shape, data }]) => {
    const dtype = floats.test(name) ? 'float' : 'int64'
    return [name, { shape, dtype, data }]
  })
  const { item_ids, outputs } = page
  const catalogue = readFileSync(join(recommender, 'items/items-1.ndjson'), 'utf8').trim().split('\n')
  return {
    item_ids,
    outputs,
    /** The first of them, as the catalogue has it. */
    item: catalogue.map((line) => JSON.parse(line)).find(({ item_id }) => item_id === item_ids[0]),
    itemEmptyScore: -1,
    tensors: Object.fromEntries(tensors),
    levels,
    /** Its 20 neighbours with their scores, and the user's embedding. */
    recall: readJson(join(recommenderGolden, 'recall.json')).recall.find(
      ({ name }: { name: string }) => name === 'page',
    ),
    log: requestLog(folder),
    /** A request that EasyRec's message of the SDKs can carry: texts alone. */
    easyrec: { user: strangersFeatures, item_ids: stranger.item_ids, outputs: stranger.outputs },
    /** For a client whose SDK has no such requests. */
    cases: Object.keys(cases).filter((name) => /^(?:torch|easy)rec/.test(name)),
  }
}

/** What a client is told: where the services are, what to send and what to expect. */
export function clientPlan(language: Language, services: RunningServices, heldOut: string, folder: string) {
  const torchrec = readTorchrec(folder)
  return {
    host: '127.0.0.1',
    services,
    digits: readDigits(heldOut),
    tensors,
    slowTurns,
    attempts: attempts[language],
    torchrec,
  }
}

/** Scores and labels are the framework's own, recorded when the models were made. */
function readDigits(path: string) {
  const { rows } = readJson(path)
  return rows
}
