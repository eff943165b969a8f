import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EasError, formatShape, limits, type Tensor } from '@eas/base'
import { type Compressor, compress, compressors, DecodeError, recogniseCompression } from '@eas/protocol'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Credentials, send, tokenFromEnv } from '../client.ts'
import { listOf, matchInputs, readInputs } from '../inputs.ts'
import type { Inspection } from '../inspect/inspection.ts'
import { inspectMessage, recommenderAnswer } from '../inspect/message.ts'
import { isTensor, tensorContent, toJson } from '../json-output.ts'
import { writeNpy } from '../npy.ts'
import { type MessageName, messageKinds, recogniseRequest } from '../predict-message.ts'
import { formatMs, print, styled, tensorLines } from '../print.ts'
import { fileError, readBounded } from '../read-file.ts'
import { showing } from '../show-after.ts'
import { parseSignature, type Signature } from '../signature.ts'

interface PredictOptions {
  readonly message?: MessageName
  readonly recorded?: string
  readonly outputFilter?: readonly string[]
  readonly signatureName?: string
  readonly debugLevel?: number
  readonly signature: boolean
  readonly compress?: Compressor
  readonly sign?: boolean
  readonly timeout: number
  readonly repeat: number
  readonly json?: boolean
  readonly save?: string
  readonly out?: string
}

export const predictCommand = () =>
  new Command('predict')
    .description('Send one request to a running service and print what it answers.')
    .argument('<url>', 'the service: http://host:port/api/predict/<service>')
    .argument('[inputs...]', 'name=file.npy, name=file.json, name=[[1,2]], or one JSON file of all inputs by name')
    .addOption(
      new Option('--message <kind>', 'the message of the service’s processor (default: torch)').choices(
        Object.keys(messageKinds),
      ),
    )
    .option('--recorded <file>', 'send the bytes of a recorded request as they are')
    .option('--output-filter <outputs>', 'names or indexes of the outputs to return, as a,b or 0,1', commaList)
    .option('--signature-name <name>', 'signature to ask for, with --message tf')
    .option('--debug-level <n>', 'debug_level of the request, not with --message tf', wholeNumber(0))
    .option('--no-signature', 'do not ask the service what it takes; inputs go as they are, in the order given')
    .addOption(new Option('--compress <how>', 'compress the request').choices(Object.keys(compressors)))
    .option('--sign', 'sign with EAS_TOKEN as the SDKs do, in place of sending it')
    .option('--timeout <ms>', 'milliseconds for each request and its answer', wholeNumber(1), 5000)
    .option('--repeat <n>', 'send it n times and print the shortest, median and longest time', wholeNumber(1), 1)
    .option('--json', 'print JSON, all values included')
    .option('--save <file>', 'also write the request as a file, such as warm_up_data_path takes')
    .option('--out <folder>', 'also write each output as <folder>/<output>.npy')
    .addHelpText(
      'after',
      `
Examples:
  eas predict http://127.0.0.1:8080/api/predict/digits image=digit.npy
  eas predict http://127.0.0.1:8080/api/predict/digits image=rows.json      nested lists: [[0, 0.5, ...], ...]
  eas predict http://127.0.0.1:8080/api/predict/rank 'ids=[[1,2]]' 'city="Hangzhou"'
  eas predict http://127.0.0.1:8080/api/predict/digits_tf --message tf images=digit.npy
  eas predict http://127.0.0.1:8080/api/predict/digits --recorded request.bin --repeat 100
  eas predict http://127.0.0.1:8080/api/predict/recommender --recorded requests/page.pb

The service is first asked (GET) for its inputs: they are put in its order, numbers in its dtype, and what cannot fit is
refused before it is sent. A file called - is standard input. Text inputs are quoted as JSON: city='"Oslo"'.
The token comes from the environment, EAS_TOKEN.
Messages: torch sends inputs by position, torch-map and tf by name; a service of a tensorflow processor takes tf.
Exit code: 0 answered, 1 refused or not reached, 2 wrong use.`,
    )
    .action(predict)

async function predict(urlText: string, inputs: readonly string[], options: PredictOptions, command: Command) {
  const url = parseUrl(urlText, command)
  checkUse(inputs, options, command)
  const credentials = { token: tokenFromEnv(process.env), sign: options.sign ?? false }
  if (options.sign && !credentials.token) command.error('error: --sign needs the token in the environment, EAS_TOKEN')

  const { body, message, signature } = await makeRequest({ url, inputs, options, credentials, command })
  if (options.save !== undefined) await write(options.save, body)

  const times: number[] = []
  let answer: Uint8Array = new Uint8Array()
  await showing(`Waiting for ${url.host}`, repeated())
  async function repeated() {
    for (let i = 0; i < options.repeat; i++) {
      const start = performance.now()
      answer = await send({ method: 'POST', url, body, credentials, timeoutMs: options.timeout }).catch(
        withHint(message, options),
      )
      times.push(performance.now() - start)
    }
  }

  const isGuessed = options.recorded !== undefined && options.message === undefined
  const recommended = isGuessed ? recommenderAnswer(body, answer) : undefined
  const found = recommended ? inspectMessage('answer', answer, recommended) : undefined
  const outputs = found ? tensorsOf(found.json.message) : decodeAnswer(message, answer, options, signature)
  const files = options.out === undefined ? [] : await writeOutputs(options.out, outputs)
  report(outputs, found, times, options)
  if (!options.json) for (const file of [...(options.save ? [options.save] : []), ...files]) print(`Wrote ${file}`)
}

interface RequestParts {
  readonly url: URL
  readonly inputs: readonly string[]
  readonly options: PredictOptions
  readonly credentials: Credentials
  readonly command: Command
}

interface MadeRequest {
  readonly body: Uint8Array
  readonly message: MessageName
  readonly signature: Signature | undefined
}

async function makeRequest({ url, inputs, options, credentials, command }: RequestParts): Promise<MadeRequest> {
  if (options.recorded !== undefined) return recordedRequest(options.recorded, options.message)
  const message = options.message ?? 'torch'
  // Files first: a name mistyped is the likelier fault, and found without asking anybody.
  const given = await readInputs(inputs)
  const signature = options.signature
    ? await showing(`Asking ${url.host}`, askSignature(url, credentials, options.timeout))
    : undefined
  if (given.length === 0 && (signature === undefined || signature.inputs.length > 0)) {
    const takes = signature ? `; the service takes ${listOf(signature.inputs)}` : ''
    command.error(`error: no inputs are given${takes}`)
  }
  const plain = messageKinds[message].encode(
    {
      inputs: matchInputs(given, signature),
      output_filter: options.outputFilter ?? [],
      signature_name: options.signatureName,
      debug_level: options.debugLevel ?? 0,
    },
    signature,
  )
  return { body: options.compress ? compress(options.compress, plain) : plain, message, signature }
}

async function recordedRequest(file: string, message: MessageName | undefined): Promise<MadeRequest> {
  const body = await readBounded(file, limits.bodyBytes)
  if (body.length === 0) throw new EasError('invalid_request', `Cannot send ${file}: it is empty`)
  return { body, message: message ?? recognised(body) ?? 'torch', signature: undefined }
}

function recognised(body: Uint8Array): MessageName | undefined {
  try {
    const isMessage = (bytes: Uint8Array) => recogniseRequest(bytes) !== undefined
    return recogniseRequest(recogniseCompression(body, limits.inflatedBytes, isMessage)?.bytes ?? body)
  } catch {
    return undefined // it is sent as it is, whatever it is
  }
}

async function askSignature(url: URL, credentials: Credentials, timeoutMs: number): Promise<Signature> {
  const body = await send({ method: 'GET', url, credentials, timeoutMs })
  return parseSignature(new TextDecoder().decode(body), url.href)
}

/** A service of the other family says of a request that it cannot be decoded, and not why. */
const withHint = (message: MessageName, options: PredictOptions) => (thrown: unknown) => {
  if (thrown instanceof EasError && /answered 400: Cannot decode/.test(thrown.message)) {
    const hint = options.compress === 'lz4' ? rawLz4 : otherMessage(message)
    throw new EasError(thrown.code, thrown.message + hint, { cause: thrown })
  }
  throw thrown
}

const rawLz4 = '; raw LZ4 has no mark: the service must have metadata.rpc.decompressor lz4'

const otherMessage = (message: MessageName) =>
  message === 'tf'
    ? '; a service of a pytorch processor takes --message torch'
    : '; a service of a tensorflow processor takes --message tf'

function decodeAnswer(
  message: MessageName,
  answer: Uint8Array,
  { outputFilter }: PredictOptions,
  signature: Signature | undefined,
): Map<string, Tensor> {
  try {
    return messageKinds[message].decode(answer, outputFilter ?? [], signature)
  } catch (thrown) {
    if (!(thrown instanceof DecodeError)) throw thrown
    throw new EasError('internal', `Cannot read the answer as ${message}: ${thrown.message}${otherMessage(message)}`, {
      cause: thrown,
    })
  }
}

/** Tensors by name, as the answers of recommenders have them among other things. */
const tensorsOf = (message: unknown): Map<string, Tensor> =>
  new Map(
    Object.values(message as object) // what a decoder gives
      .flatMap((field) => (field instanceof Map ? [...field] : []))
      .filter((entry): entry is [string, Tensor] => isTensor(entry[1])),
  )

/** @param found All of a recommender's answer. */
function report(
  outputs: ReadonlyMap<string, Tensor>,
  found: Inspection | undefined,
  times: readonly number[],
  { json }: PredictOptions,
) {
  const sorted = times.toSorted((a, b) => a - b)
  const [min = 0] = sorted
  const latency = { min, median: median(sorted), max: sorted.at(-1) ?? 0 }
  if (json) {
    const listed = [...outputs].map(([name, tensor]) => ({ name, ...tensorContent(tensor) }))
    const answer = found ? { kind: found.json.kind, message: found.json.message } : { outputs: listed }
    return print(toJson({ ...answer, requests: times.length, latencyMs: mapValues(latency, round) }))
  }
  if (found) print(found.text)
  else for (const [name, tensor] of outputs) print(tensorLines(name, tensor, true))
  const took = mapValues(latency, formatMs)
  const text =
    times.length === 1
      ? `Answered in ${took.median}`
      : `Answered ${times.length} times: min ${took.min}, median ${took.median}, max ${took.max}`
  print(styled('dim', text))
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

const round = (ms: number) => Math.round(ms * 1000) / 1000
const mapValues = <K extends string, A, B>(record: Readonly<Record<K, A>>, map: (value: A) => B) =>
  Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, map(value)])) as Record<K, B> // the same keys

async function writeOutputs(folder: string, outputs: ReadonlyMap<string, Tensor>): Promise<readonly string[]> {
  // Not recursive: Node 20 never returns from that where a parent refuses, as /proc does.
  await mkdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw fileError('write', folder, cause)
  })
  const files = new Set<string>()
  for (const [name, tensor] of outputs) {
    // The name comes from the service: it must not become a path.
    const safe =
      name
        .replace(/[^\w.-]+/g, '_')
        .replace(/^\.+/, '_')
        .slice(0, 100) || '_'
    let file = join(folder, `${safe}.npy`)
    for (let n = 2; files.has(file); n++) file = join(folder, `${safe}.${n}.npy`)
    await write(file, writeNpy(tensor))
    files.add(file)
  }
  return [...files].map((file, i) => `${file} ${formatShape([...outputs.values()][i]?.shape ?? [])}`)
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  await writeFile(file, bytes).catch((cause) => {
    throw fileError('write', file, cause)
  })
}

/** A host without a scheme is taken as http, as the SDKs take it. */
function parseUrl(text: string, command: Command): URL {
  // What stands before an @ may be a password.
  const shown = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/@]*@/i, '$1…@')
  const wrong = (facts: string) => command.error(`error: cannot use ${shown} as <url>: ${facts}`)
  let url: URL
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  } catch {
    return wrong('it must be like http://127.0.0.1:8080/api/predict/<service>')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return wrong('only http and https are spoken')
  if (url.username || url.password) return wrong('the token belongs in the environment, EAS_TOKEN')
  if (url.pathname === '/') return wrong('its path must name the service: /api/predict/<service>')
  return url
}

/** Options that take each other's place. */
function checkUse(inputs: readonly string[], options: PredictOptions, command: Command): void {
  const { message = 'torch', recorded } = options
  const beside = (option: string) => command.error(`error: ${option} cannot go with --recorded, which is sent as it is`)
  if (recorded !== undefined) {
    if (inputs.length > 0) beside('an input')
    if (options.outputFilter !== undefined) beside('--output-filter')
    if (options.compress !== undefined) beside('--compress')
    if (options.debugLevel !== undefined) beside('--debug-level')
    if (options.signatureName !== undefined) beside('--signature-name')
    return
  }
  if (options.signatureName !== undefined && message !== 'tf') {
    command.error('error: --signature-name needs --message tf: other messages have no signature_name')
  }
  if (options.debugLevel !== undefined && message === 'tf') {
    command.error('error: --debug-level cannot go with --message tf, which has no debug_level')
  }
}

const commaList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

const wholeNumber =
  (min: number) =>
  (text: string): number => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text)
    throw new InvalidArgumentError(`It must be a whole number from ${min} up.`)
  }
