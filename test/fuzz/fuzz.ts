import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Tensor } from '@eas/base'
import type { Processor } from '@eas/processor'
import { faultOf, hardenedProcessor, packings, serviceOf } from '../support/answers.ts'
import { graphs } from '../support/models.ts'
import { scratch } from '../support/onnx.ts'
import { floats, longs, texts, tfBody, torchBody, torchMapBody } from '../support/requests.ts'

/**
 * Sends bodies that SDKs recorded, damaged at random, through the whole processor, and checks that every one of them is
 * answered: a status of the table, one line of text, in bounded time and memory.
 *
 *     npm run fuzz -- --seconds 3600 --seed 7
 *     npm run fuzz -- --replay test/fuzz/found/torch_gzip-1f2e3d4c5b6a.bin
 */

const vectors = join(import.meta.dirname, '../golden/eas-sdk')

/** The longest that any one request may take; what is normal is below a millisecond. */
const msMaxDefault = 3000
/** What memory may grow by after the first thousand requests. */
const rssGrowthMax = 512 * 1024 * 1024
const bodyBytesMax = 1024 * 1024

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
  /** One line at a time. */
  readonly print: (line: string) => void
  readonly msMax?: number
  /** Folder for a request that was not answered as it should be. */
  readonly found?: string
}

export interface FuzzResult {
  readonly requests: number
  /** Requests by the status they were answered with. */
  readonly statuses: ReadonlyMap<number, number>
  /** What went wrong first, and where the request is kept. */
  readonly fault: string | undefined
}

export async function fuzz({
  seconds,
  seed,
  print,
  msMax = msMaxDefault,
  found = join(import.meta.dirname, 'found'),
}: FuzzOptions): Promise<FuzzResult> {
  print(`seed ${seed}, ${seconds} s`)
  const files = scratch('fuzz')
  const processor = await hardenedProcessor(files)
  const statuses = new Map<number, number>()
  const watched: Processor = {
    ...processor,
    async handle(request) {
      const response = await processor.handle(request)
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
      return response
    },
  }
  const random = generator(seed)
  const corpus = startingBodies()
  const end = performance.now() + seconds * 1000
  let printed = performance.now()
  let requests = 0
  let rssBefore = 0
  let fault: string | undefined
  while (!fault && performance.now() < end) {
    const { service, body } = damaged(corpus, random)
    fault = await faultOf(watched, requestOf(service, body), msMax)
    // As a server does between two requests: some of what a request leaves behind is only let go of then.
    await nextTurn()
    requests++
    const rss = process.memoryUsage.rss()
    if (requests === 1000) rssBefore = rss
    if (requests > 1000 && rss - rssBefore > rssGrowthMax) fault ??= `memory grew by ${(rss - rssBefore) >> 20} MiB`
    if (fault) fault = `${service}: ${fault}; ${keep(found, service, body)}`
    if (performance.now() - printed > 10_000) {
      printed = performance.now()
      print(`${requests} requests, ${rss >> 20} MiB, ${summary(statuses)}`)
    }
  }
  print(`${requests} requests, seed ${seed}: ${fault ?? 'all answered'}; ${summary(statuses)}`)
  processor.close()
  files.remove()
  return { requests, statuses, fault }
}

/** Sends one kept request again. */
export async function replay(file: string): Promise<string | undefined> {
  const files = scratch('fuzz')
  const processor = await hardenedProcessor(files)
  const service = basename(file).replace(/-[0-9a-f]+\.bin$/, '')
  const fault = await faultOf(processor, requestOf(service, readFileSync(file)), msMaxDefault)
  processor.close()
  files.remove()
  return fault
}

const requestOf = (service: string, body: Uint8Array) => ({
  method: 'POST',
  target: `/api/predict/${service}`,
  headers: {},
  body: new Uint8Array(body),
})

function keep(found: string, service: string, body: Uint8Array): string {
  mkdirSync(found, { recursive: true })
  const name = `${service}-${createHash('sha256').update(body).digest('hex').slice(0, 12)}.bin`
  const path = join(found, name)
  writeFileSync(path, body)
  return `replay with: npm run fuzz -- --replay ${path}`
}

const summary = (statuses: ReadonlyMap<number, number>) =>
  [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ')

/** Bodies of every recorded request; those of other messages are as good a start as any. And some that the models take. */
const startingBodies = (): readonly Uint8Array[] => [
  ...Array.from({ length: 20 }, () => soundBodies).flat(),
  ...readdirSync(vectors)
    .filter((file) => file.endsWith('.bin') && !file.includes('_queue_'))
    .map((file) => new Uint8Array(readFileSync(join(vectors, file))))
    .filter((body) => body.length > 0),
]

const echoInputs = {
  in_float32: floats([3], 1.5, -0, Number.NaN),
  in_float64: { dtype: 'float64', shape: [1], data: Float64Array.of(0.1) },
  in_float16: { dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) },
  in_int8: { dtype: 'int8', shape: [1], data: Int8Array.of(-1) },
  in_int16: { dtype: 'int16', shape: [1], data: Int16Array.of(-1) },
  in_int32: { dtype: 'int32', shape: [1], data: Int32Array.of(-1) },
  in_int64: longs([2], -1, 2n ** 53n + 1n),
  in_uint8: { dtype: 'uint8', shape: [1], data: Uint8Array.of(255) },
  in_uint16: { dtype: 'uint16', shape: [1], data: Uint16Array.of(65535) },
  in_bool: { dtype: 'bool', shape: [1], data: Uint8Array.of(1) },
  in_string: texts([2], '', '你好'),
  in_uint32: longs([1], 2 ** 32 - 1),
  in_uint64: longs([1], -1),
  in_scalar: floats([], 4),
} as const satisfies Record<string, Tensor>

const soundBodies = [
  torchBody(graphs.echo.inputs.map(({ name }) => echoInputs[name as keyof typeof echoInputs])), // a tensor for each
  torchMapBody(echoInputs, [3, 1]),
  tfBody(echoInputs, { signature_name: 'serving_default', output_filter: ['out_int64', 'out_scalar'] }),
  torchBody([longs([2], 0, 3)]),
  tfBody({ index: longs([2], 0, 3) }),
]

type Random = (below: number) => number

/** Mulberry32: small, fast, and the same everywhere for a seed. */
function generator(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Ways to damage a body. Each may be applied several times over. */
const mutations: readonly ((body: Uint8Array, random: Random, other: Uint8Array) => Uint8Array)[] = [
  function flip(body, random) {
    const flipped = body.slice()
    const at = random(body.length)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << random(8))
    return flipped
  },
  function cut(body, random) {
    return body.slice(0, random(body.length + 1))
  },
  function grow(body, random) {
    const from = random(body.length)
    const part = body.subarray(from, from + 1 + random(64))
    return joined([body.subarray(0, from), ...Array.from({ length: 1 + random(200) }, () => part), body.subarray(from)])
  },
  function splice(body, random, other) {
    return joined([body.subarray(0, random(body.length)), other.subarray(random(other.length))])
  },
  function noise(body, random) {
    const at = random(body.length)
    const size = random(16) === 0 ? random(65_536) : random(64)
    const bytes = Uint8Array.from({ length: size }, () => random(256))
    return joined([body.subarray(0, at), bytes, body.subarray(at)])
  },
  function lie(body, random) {
    // Lengths, dimensions and field numbers are varints: large ones are where a reader is tempted to trust.
    const at = random(body.length)
    const large = Uint8Array.from([...Array.from({ length: random(9) }, () => 0xff), random(128)])
    return joined([body.subarray(0, at), large, body.subarray(at + 1)])
  },
]

const joined = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

function damaged(corpus: readonly Uint8Array[], random: Random): { service: string; body: Uint8Array } {
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T // none of the lists is empty
  let body = pick(corpus)
  const kind = pick(['torch', 'tf'] as const)
  const packing = pick(Object.keys(packings))
  // Damage before packing reaches the message's reader, damage after it the decompressor.
  const before = random(3)
  for (let i = 0; i < before; i++) body = mutate(body)
  body = packings[packing]?.(body) ?? body
  const after = before === 0 ? 1 + random(3) : random(2)
  for (let i = 0; i < after; i++) body = mutate(body)
  const service = random(8) === 0 ? pick(['gather', 'gather_tf']) : serviceOf(kind, random(4) === 0 ? 'plain' : packing)
  return { service, body: body.slice(0, bodyBytesMax) }

  function mutate(whole: Uint8Array) {
    return pick(mutations)(whole.length > 0 ? whole : Uint8Array.of(0), random, pick(corpus))
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, replay: { type: 'string' } },
  })
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  let fault: string | undefined
  if (values.replay !== undefined) {
    fault = await replay(values.replay)
    print(fault ?? 'answered as it should be')
  } else {
    fault = (await fuzz({ seconds: Number(values.seconds), seed: Number(values.seed ?? Date.now() % 2 ** 32), print }))
      .fault
  }
  process.exit(fault ? 1 : 0)
}
