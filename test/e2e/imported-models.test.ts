import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import {
  createLogger,
  createProcessor,
  machineOf,
  type Processor,
  prepareBeside,
  settingsFromEnv,
} from '@eas/processor'
import { tfPredict, torchPredict } from '@eas/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { scratch } from '../support/onnx.ts'
import { specsOf, type TestService } from '../support/processor.ts'

const files = scratch('imported-models')
afterAll(() => files.remove())

const digits = join(import.meta.dirname, '../../packages/cli/examples/digits')
const golden = join(import.meta.dirname, '../golden/imported')
const { rows: heldOut } = JSON.parse(readFileSync(join(digits, 'held-out.json'), 'utf8')) as {
  rows: { input: number[]; torchScores: number[]; tfScores: number[] }[] // as make.py writes it
}
const answers = JSON.parse(readFileSync(join(golden, 'answers.json'), 'utf8')) as {
  x: number[][]
  y: number[][]
  colours: string[]
  rows: number[][]
} // as make.py writes it

const floats = (shape: number[], data: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
})
const texts = (values: readonly string[]): Tensor => ({
  dtype: 'string',
  shape: [values.length],
  data: values.map((value) => new TextEncoder().encode(value)),
})

let processor: Processor
afterEach(() => processor.close())

async function serve(...services: TestService[]): Promise<void> {
  const env = { EAS_ISOLATION: 'inline', EAS_CACHE_DIR: join(files.folder, 'cache') }
  processor = createProcessor({
    services: specsOf(services, env),
    settings: settingsFromEnv(env),
    log: createLogger('silent', false),
  })
  await processor.load()
}

const post = async (service: string, body: Uint8Array) => {
  const answer = await processor.handle({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })
  return { status: answer.status, body: answer.body, text: Buffer.from(answer.body).toString() }
}

async function torch(service: string, ...inputs: Tensor[]) {
  const request = torchPredict.encodeRequest({ inputs, map_inputs: new Map(), output_filter: [], debug_level: 0 })
  const { status, body, text } = await post(service, request)
  return status === 200 ? torchPredict.decodeResponse(body).outputs.map(valuesOf) : `${status} ${text}`
}

async function tf(
  service: string,
  inputs: Readonly<Record<string, Tensor>>,
  { signature = '', fetch = [] as string[] } = {},
) {
  const request = tfPredict.encodeRequest({
    signature_name: signature,
    inputs: new Map(Object.entries(inputs)),
    output_filter: fetch,
  })
  const { status, body, text } = await post(service, request)
  if (status !== 200) return `${status} ${text}`
  return Object.fromEntries(
    [...tfPredict.decodeResponse(body).outputs].map(([name, tensor]) => [name, valuesOf(tensor)]),
  )
}

/** Rounded as far as two frameworks agree. */
const valuesOf = (tensor: Tensor | undefined) => ({
  shape: tensor?.shape,
  data: [...(tensor?.data ?? [])].map((value) => Math.round(Number(value) * 1e4) / 1e4),
})
const expected = (rows: readonly (readonly number[])[]) =>
  valuesOf(floats([rows.length, rows[0]?.length ?? 0], rows.flat()))

async function schema(service: string) {
  const answer = await processor.handle({
    method: 'GET',
    target: `/api/predict/${service}`,
    headers: {},
    body: new Uint8Array(),
  })
  return JSON.parse(Buffer.from(answer.body).toString())
}

/** A model beside which its prepared form has been written. */
async function prepared(name: string, from: string): Promise<string> {
  const model = join(files.folder, name)
  cpSync(from, model, { recursive: true })
  const { folder } = await prepareBeside(model, files.folder, machineOf(settingsFromEnv({})))
  expect(readdirSync(folder)).toContain('manifest.json')
  return model
}

const images = (count: number) =>
  floats(
    [count, 64],
    heldOut.slice(0, count).flatMap(({ input }) => input),
  )
const scores = (count: number) => expected(heldOut.slice(0, count).map(({ torchScores }) => torchScores))

describe('A TorchScript archive', () => {
  it.each(['digits.trace.pt', 'digits.script.pt'])('%s answers as torch does, at any batch size', async (file) => {
    await serve({ name: 'digits', model: join(digits, file) })
    for (const count of [1, 12, 5]) expect(await torch('digits', images(count))).toEqual([scores(count)])
  })

  it('is prepared and answers the same', async () => {
    await serve({ name: 'digits', model: await prepared('digits.pt', join(digits, 'digits.trace.pt')) })
    for (const count of [3, 12]) expect(await torch('digits', images(count))).toEqual([scores(count)])
  })

  it('that draws random numbers is prepared, and draws others for each request', async () => {
    await serve({ name: 'noisy', model: await prepared('noisy.pt', join(golden, 'noisy.pt')) })
    const answers: number[] = []
    for (const rows of [40, 50]) {
      const [answer] = await torch('noisy', floats([rows, 3], new Array<number>(rows * 3).fill(2)))
      expect(answer).toMatchObject({ shape: [rows, 3] })
      answers.push(...(answer as ReturnType<typeof valuesOf>).data) // an answer, as it has a shape
    }
    expect(answers.every((value) => value >= 2 && value <= 3)).toBe(true)
    expect(new Set(answers).size).toBeGreaterThan(200)
  })

  it('that decides by a size answers each request as its size decides', async () => {
    await serve({ name: 'choosing', model: join(golden, 'choosing.pt') })
    const rows = (width: number) =>
      floats(
        [2, width],
        Array.from({ length: 2 * width }, (_, i) => i + 1),
      )
    for (const width of [2, 6, 3, 9, 4, 5]) {
      const of = (row: number) => Array.from({ length: width }, (_, i) => row * width + i + 1)
      const reduce = (values: number[]) => values.reduce((a, b) => (width > 4 ? a + b : a * b), width > 4 ? 0 : 1)
      expect(await torch('choosing', rows(width)), `${width} wide`).toEqual([
        { shape: [2], data: [reduce(of(0)), reduce(of(1))] },
      ])
    }
  })

  it('says why it cannot take an input', async () => {
    await serve({ name: 'digits', model: join(digits, 'digits.script.pt') })
    expect(await torch('digits', floats([1, 63], new Array(63).fill(0)))).toMatch(/^500 Prediction failed: /)
    expect(await torch('digits', texts(['x']))).toMatch(/^400 /)
    expect(await torch('digits', images(2))).toEqual([scores(2)])
  })
})

describe('A SavedModel', () => {
  it('answers as TensorFlow does, at any batch size', async () => {
    await serve({ name: 'digits', kind: 'tf', model: join(digits, 'digits.savedmodel') })
    for (const count of [1, 12, 5]) {
      const scores = heldOut.slice(0, count).map(({ tfScores }) => tfScores)
      expect(await tf('digits', { images: images(count) })).toEqual({ scores: expected(scores) })
    }
    expect(await schema('digits')).toEqual({
      inputs: [{ name: 'images', shape: [-1, 64], type: 'DT_FLOAT' }],
      outputs: [{ name: 'scores', shape: [-1, 10], type: 'DT_FLOAT' }],
      signature_name: 'serving_default',
    })
  })

  const x = floats([3, 2], answers.x.flat())
  const product = expected(answers.y)

  async function answersEverySignature() {
    const minus = expected(answers.y.map((row) => row.map((value) => -value)))
    const twice = expected(answers.x.map((row) => row.map((value) => 2 * value)))
    expect(await tf('model', { x })).toEqual({ y: product, twice })
    expect(await tf('model', { x }, { signature: 'negative' })).toEqual({ y: minus })
    expect(await tf('model', { x }), 'the default one again').toEqual({ y: product, twice })
    expect(await tf('model', { x }, { signature: 'serving_default', fetch: ['y'] })).toEqual({ y: product })
    const colour = texts(answers.colours)
    expect(await tf('model', { colour }, { signature: 'lookup' })).toEqual({ row: expected(answers.rows) })
    expect(await tf('model', { x: floats([0, 2], []) }, { fetch: ['y'] })).toEqual({ y: { shape: [0, 2], data: [] } })
    expect(await schema('model')).toMatchObject({ signature_name: 'serving_default' })
  }

  it('answers for each of its signatures', async () => {
    await serve({ name: 'model', kind: 'tf', model: join(golden, 'signatures') })
    await answersEverySignature()
    expect(await tf('model', { x }, { signature: 'other' })).toBe(
      '400 Unknown signature_name other: the model has serving_default, lookup, negative',
    )
    expect(await tf('model', { z: x })).toMatch(/^400 Missing input x/)
    expect(await tf('model', { x: floats([3, 3], new Array(9).fill(0)) })).toMatch(/^400 .*float32 \[\?, 2\]|^400 /)
  })

  it('is prepared and answers for each of its signatures', async () => {
    await serve({ name: 'model', kind: 'tf', model: await prepared('signatures', join(golden, 'signatures')) })
    await answersEverySignature()
  })

  it.each([
    ['model.tar.gz', ['-czf']],
    ['model.tar.bz2', ['-cjf']],
  ] as const)('is read from %s', async (name, args) => {
    const archive = join(files.folder, name)
    mkdirSync(files.folder, { recursive: true })
    execFileSync('tar', [...args, archive, '-C', golden, 'signatures'])
    expect(existsSync(archive)).toBe(true)
    await serve({ name: 'model', kind: 'tf', model: archive })
    expect(await tf('model', { x }, { fetch: ['y'] })).toEqual({ y: product })
  })
})

describe('A frozen graph', () => {
  beforeAll(() => expect(existsSync(join(golden, 'frozen.pb'))).toBe(true))
  const a = floats([2, 2], [1, 2, 3, 4])
  const b = floats([2, 2], [10, 20, 30, 40])

  it('is fed and fetched by the names of its nodes', async () => {
    await serve({ name: 'graph', kind: 'tf', model: join(golden, 'frozen.pb') })
    expect(await tf('graph', { a, b }, { fetch: ['rows'] })).toEqual({ rows: { shape: [2], data: [33, 77] } })
    expect(await tf('graph', { a }, { fetch: ['thrice'] })).toEqual({ thrice: { shape: [2, 2], data: [3, 6, 9, 12] } })
    expect(await tf('graph', { a, b }, { fetch: ['total', 'rows'] })).toEqual({
      total: { shape: [2, 2], data: [11, 22, 33, 44] },
      rows: { shape: [2], data: [33, 77] },
    })
    expect(await tf('graph', { 'a:0': a, 'b:0': b }, { fetch: ['rows:0'] })).toEqual({
      'rows:0': { shape: [2], data: [33, 77] },
    })
    expect(await tf('graph', { total: a }, { fetch: ['rows'] }), 'a node in the middle').toEqual({
      rows: { shape: [2], data: [3, 7] },
    })
  })

  it('says what a request lacks', async () => {
    await serve({ name: 'graph', kind: 'tf', model: join(golden, 'frozen.pb') })
    const missing =
      '400 Missing output_filter: a frozen graph has no signature, so a request names the nodes that it asks for'
    expect(await tf('graph', { a, b })).toBe(missing)
    expect(await tf('graph', { a, b }, { fetch: ['nowhere'] })).toMatch(/^400 .*nowhere/)
    expect(await tf('graph', { a }, { fetch: ['rows'] })).toMatch(/^400 /)
    expect(await tf('graph', { a, b }, { fetch: ['rows'] })).toEqual({ rows: { shape: [2], data: [33, 77] } })
    expect(await tf('graph', { a, b }), 'after one that named it').toBe(missing)
  })
})
