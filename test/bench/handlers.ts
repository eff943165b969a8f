import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { handleWithin, platformLimits } from '@eas/event-sources'
import type { EasRequest, EasResponse } from '@eas/protocol'
import * as fc from '../../functions/aliyun-fc/src/event.ts'
import * as aws from '../../functions/aws-lambda/src/event.ts'
import { entry } from '../../functions/aws-lambda/src/middleware.ts'
import { awsEvents } from '../support/platforms/aws-events.ts'
import type { ClientRequest } from '../support/platforms/client.ts'
import { fcHttpEvent } from '../support/platforms/fc-events.ts'
import { type Bench, type Report, roundsFromEnv } from './bench.ts'
import { coldModels } from './cold-models.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import { platformStarts } from './platform-start.ts'
import { spawnServer } from './spawned.ts'

/** What a platform's edge adds to the core: its translations of a request and an answer, and its start. */
export const handlers: Bench = {
  name: 'handlers',
  summary: 'what each platform’s edge adds: microseconds of a request, base64 of a large one, start to first answer',
  async run(report) {
    await smallRequests(report)
    await largestRequest(report)
    await starts(report)
  },
}

const request = (bytes: number): ClientRequest => ({
  method: 'POST',
  target: '/api/predict/bench',
  headers: [
    ['Host', 'bench.example.com'],
    ['Authorization', 'token'],
    ['Content-Type', 'application/octet-stream'],
    ['User-Agent', 'bench'],
  ],
  body: Buffer.alloc(bytes, 'The quick brown fox jumps over the lazy dog. '),
})

/** A core that takes no time: it answers with what it was sent. */
const echo = {
  async handle({ body }: EasRequest): Promise<EasResponse> {
    return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body }
  },
}
const never = { load: async () => {}, readiness: () => ({ ready: true, services: [] }) }
const context = { getRemainingTimeInMillis: () => 1000, callbackWaitsForEmptyEventLoop: false }

/** A handler as its bundle has it, over `echo`; called with what the runtime hands over. */
const lambda = entry(never as unknown as Parameters<typeof entry>[0], async (event: aws.HttpEvent) => {
  // what a ping asks of the core
  const limits = aws.isLoadBalancer(event) ? platformLimits.awsLoadBalancer : platformLimits.awsLambda
  return aws.fromEasResponse(await handleWithin(echo, limits, aws.toEasRequest(event)), event)
})
const functionCompute = async (event: Uint8Array) =>
  fc.fromEasResponse(await handleWithin(echo, platformLimits.aliyunFcHandler, fc.toEasRequest(fc.readEvent(event))))

type Call = () => Promise<unknown>
function calls(bytes: number): Readonly<Record<string, Call>> {
  const asked = request(bytes)
  const onLambda = Object.entries(awsEvents).map(([name, toEvent]): [string, Call] => {
    const event = toEvent(asked) as unknown as aws.HttpEvent // as the tests make it
    return [`AWS Lambda, ${name}`, () => Promise.resolve(lambda(event, context as Parameters<typeof lambda>[1]))]
  })
  const event = Buffer.from(JSON.stringify(fcHttpEvent(asked)))
  return { ...Object.fromEntries(onLambda), 'Function Compute': () => functionCompute(event) }
}

/** Mean of many calls, in microseconds; beside it the core alone. */
async function smallRequests(report: Report): Promise<void> {
  const repeats = 500
  const repeated = (call: Call) => async () => {
    const from = performance.now()
    for (let i = 0; i < repeats; i++) await call()
    return ((performance.now() - from) * 1000) / repeats
  }
  const byName = calls(3000)
  const bare: EasRequest = {
    method: 'POST',
    target: '/api/predict/bench',
    headers: {},
    body: request(3000).body ?? new Uint8Array(),
  }
  const contenders = { core: () => echo.handle(bare), ...byName }
  const samples: Readonly<Record<string, readonly number[]>> = await interleave(
    Object.fromEntries(Object.entries(contenders).map(([name, call]) => [name, repeated(call)])),
    { rounds: roundsFromEnv(31), warmUps: 5 },
  )
  for (const name of Object.keys(byName)) {
    report.figure({
      figure: `${name}, a request and an answer of 3 KB`,
      value: median(samples[name] ?? []),
      unit: 'us',
      against: `a core that echoes, ${median(samples.core ?? []).toFixed(1)} us`,
      goal: { max: 50 },
    })
  }
}

/** Text in, text out: the runtime's JSON around our translation, beside what Node needs for JSON and base64 alone. */
async function largestRequest(report: Report): Promise<void> {
  const text = JSON.stringify(awsEvents['function URL'](request(platformLimits.awsLambda.requestBytes)))
  const samples = await interleave(
    {
      ours: async () => {
        const from = performance.now()
        JSON.stringify(await lambda(JSON.parse(text), context as Parameters<typeof lambda>[1]))
        return performance.now() - from
      },
      node: () => {
        const from = performance.now()
        const body = Buffer.from(JSON.parse(text).body, 'base64')
        JSON.stringify({ statusCode: 200, body: body.toString('base64'), isBase64Encoded: true })
        return performance.now() - from
      },
    },
    { rounds: roundsFromEnv(31), warmUps: 5, settle: () => globalThis.gc?.() },
  )
  report.figure({
    figure: 'AWS Lambda, the largest request and as large an answer',
    value: medianRatio(samples.ours, samples.node),
    unit: 'x',
    against: `JSON and base64 by Node, ${median(samples.node).toFixed(1)} ms`,
    goal: { max: 1.3 },
  })
}

async function starts(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'eas-handlers-'))
  try {
    const { tiny } = coldModels
    const model_path = join(folder, 'model.onnx')
    writeFileSync(model_path, tiny.onnx())
    const serviceJson = join(folder, 'service.json')
    writeFileSync(
      serviceJson,
      JSON.stringify({
        name: 'tiny',
        processor: 'pytorch_cpu_1.10',
        model_path,
        metadata: { instance: 1, rpc: { keepalive: 60_000 } },
      }),
    )
    const start = { serviceJson, service: 'tiny', request: tiny.request }
    const platforms = platformStarts(start)
    const samples: Readonly<Record<string, readonly number[]>> = await interleave<string>(
      { server: async () => (await spawnServer(start)).firstAnswerMs, ...platforms },
      { rounds: roundsFromEnv(9), warmUps: 1 },
    )
    for (const name of Object.keys(platforms)) {
      report.figure({
        figure: `${name}, process start to first answer of a tiny model`,
        value: medianRatio(samples[name] ?? [], samples.server ?? []),
        unit: 'x',
        against: `the plain server, ${median(samples.server ?? []).toFixed(0)} ms`,
        goal: { max: 1.3 },
      })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
