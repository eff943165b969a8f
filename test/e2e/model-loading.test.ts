import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLogger, createProcessor, type Processor, settingsFromEnv } from '@eas/processor'
import { torchPredict } from '@eas/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { specsOf, type TestService } from '../support/processor.ts'

const files = scratch('model-loading')
afterAll(() => files.remove())

const add = onnxModel(graphs.add)
const tensor = (...data: number[]) => ({ dtype: 'float32', shape: [1, 2], data: Float32Array.from(data) }) as const
const body = torchPredict.encodeRequest({
  inputs: [tensor(1, 2), tensor(10, 20)],
  map_inputs: new Map(),
  output_filter: [],
  debug_level: 0,
})
const request = (service: string) => ({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })

function processorWith(
  services: readonly TestService[],
  env: Readonly<Record<string, string>>,
  change: (specs: ReturnType<typeof specsOf>) => ReturnType<typeof specsOf> = (specs) => specs,
): Processor {
  const all = { EAS_ISOLATION: 'inline', EAS_LOAD: 'lazy', ...env }
  return createProcessor({
    services: change(specsOf(services, all)),
    settings: settingsFromEnv(all),
    log: createLogger('silent', false),
  })
}

const states = (processor: Processor) => processor.readiness().services.map(({ name, state }) => `${name} ${state}`)

describe('A model that is loaded by its first request', () => {
  it('is opened once for a thousand requests at once, and all of them are answered', async () => {
    const model = files.write('herd.onnx', add)
    let opened = 0
    const processor = processorWith([{ name: 'add', model }], {}, ([spec]) => {
      if (!spec) throw new Error('one service')
      const open: typeof spec.origin.open = async (signal) => {
        opened++
        await sleep(50)
        return spec.origin.open(signal)
      }
      return [{ ...spec, origin: { ...spec.origin, open } }]
    })
    expect(processor.readiness()).toEqual({ ready: true, services: [{ name: 'add', state: 'idle' }] })
    const answers = await Promise.all(Array.from({ length: 1000 }, () => processor.handle(request('add'))))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(opened).toBe(1)
    expect(states(processor)).toEqual(['add ready'])
    await processor.close()
  })

  it('that cannot be had is 503 at once until it is tried again, and then is there', async () => {
    const model = files.write('later.onnx', add)
    const processor = processorWith([{ name: 'add', model }], {})
    renameSync(model, `${model}.away`)
    const first = await processor.handle(request('add'))
    expect([first.status, Buffer.from(first.body).toString()]).toEqual([
      503,
      `Cannot find the model: ${model} does not exist`,
    ])
    expect((await processor.handle(request('add'))).status, 'while it waits for another try').toBe(503)
    expect(states(processor)).toEqual(['add failed'])
    renameSync(`${model}.away`, model)
    await sleep(600)
    expect((await processor.handle(request('add'))).status).toBe(200)
    await processor.close()
  })

  it('is answered 503 and not 408 when it takes longer than keepalive, and goes on loading', async () => {
    const model = files.write('slow.onnx', add)
    const services = [{ name: 'add', model, rpc: { keepalive: 100 } }]
    const processor = processorWith(services, {}, ([spec]) => {
      if (!spec) throw new Error('one service')
      const open: typeof spec.origin.open = async (signal) => {
        await sleep(400)
        return spec.origin.open(signal)
      }
      return [{ ...spec, origin: { ...spec.origin, open } }]
    })
    const { status, headers, body: text } = await processor.handle(request('add'))
    expect([status, headers['retry-after']]).toEqual([503, '1'])
    expect(Buffer.from(text).toString()).toContain('longer than 100 ms')
    await processor.load()
    while (states(processor)[0] !== 'add ready') await sleep(20)
    expect((await processor.handle(request('add'))).status).toBe(200)
    await processor.close()
  })
})

describe('Models that do not fit together', () => {
  it('leave in the order they were used, and come back when they are asked for', async () => {
    const services = ['a', 'b', 'c'].map((name) => ({ name, model: files.write(`${name}.onnx`, add) }))
    const processor = processorWith(services, { EAS_MODEL_BYTES: String(2 * add.length) })
    const ask = async (name: string) => {
      expect((await processor.handle(request(name))).status, name).toBe(200)
      await sleep(5)
    }
    await ask('a')
    await ask('b')
    await ask('a')
    await ask('c')
    expect(states(processor)).toEqual(['a ready', 'b idle', 'c ready'])
    await ask('b')
    expect(states(processor)).toEqual(['a idle', 'b ready', 'c ready'])
    expect(processor.readiness().ready).toBe(true)
    await processor.close()
  })

  it('never leave while a request holds them', async () => {
    const services = [
      { name: 'slow', model: files.write('held.onnx', onnxModel(graphs.slow)), rpc: { keepalive: 60_000 } },
      { name: 'a', model: files.write('other.onnx', add) },
    ]
    const processor = processorWith(services, { EAS_MODEL_BYTES: '1' })
    const steps = { dtype: 'int64', shape: [1], data: BigInt64Array.of(200n) } as const
    const slow = torchPredict.encodeRequest({
      inputs: [steps],
      map_inputs: new Map(),
      output_filter: [],
      debug_level: 0,
    })
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => processor.handle({ ...request('slow'), body: slow })),
      ...Array.from({ length: 5 }, () => processor.handle(request('a'))),
    ])
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    await processor.close()
  })
})

describe('A newer version of a model', () => {
  it('takes the place of the old one, and no request fails meanwhile', async () => {
    const model = files.write('versions.onnx', add)
    const processor = processorWith([{ name: 'add', model }], { EAS_REFRESH_S: '1' })
    await processor.handle(request('add'))
    const before = processor.readiness().services[0]?.version
    // `y = a + b` becomes `y = a - b`: the node's name is as long.
    writeFileSync(`${model}.new`, Buffer.from(Buffer.from(add).toString('latin1').replace('Add', 'Sub'), 'latin1'))
    renameSync(`${model}.new`, model)
    const seen = new Set<number>()
    for (const end = Date.now() + 20_000; Date.now() < end && !seen.has(-9); ) {
      const response = await processor.handle(request('add'))
      expect(response.status).toBe(200)
      const [y] = torchPredict.decodeResponse(response.body).outputs
      seen.add(Number(y?.data[0]))
      await sleep(5)
    }
    expect([...seen]).toEqual([11, -9])
    expect(processor.readiness().services[0]?.version).not.toBe(before)
    await processor.close()
  })

  it('that cannot be loaded leaves the old one where it is', async () => {
    const model = files.write('bad-version.onnx', add)
    const processor = processorWith([{ name: 'add', model }], { EAS_REFRESH_S: '1' })
    await processor.handle(request('add'))
    writeFileSync(model, 'not a model')
    await sleep(1500)
    expect((await processor.handle(request('add'))).status).toBe(200)
    expect(states(processor)).toEqual(['add ready'])
    await processor.close()
  })
})

describe('Warm-up', () => {
  it('replays files and lines, and says what it bought', async () => {
    const model = files.write('warm.onnx', add)
    files.write('warm/a.bin', body)
    files.write('warm/b.bin', 'not a request')
    const processor = processorWith([{ name: 'add', model, json: { warm_up_data_path: join(model, '..', 'warm') } }], {
      EAS_LOAD: 'eager',
    })
    await processor.load()
    const [service] = processor.readiness().services
    expect(service).toMatchObject({ state: 'ready', warm_up: { requests: 2, failed: 1, skipped: 0 } })
    expect(service?.warm_up?.sent).toBeGreaterThanOrEqual(4)
    expect(service?.warm_up?.firstFailure).toContain('b.bin')
    await processor.close()
  })

  it('is rehearsed on the whole way of a request, which leaves no trace', async () => {
    const model = files.write('rehearsed.onnx', add)
    const path = files.write('rehearsed.bin', body)
    const service = { name: 'add', model, json: { warm_up_data_path: path, token: 'secret' } }
    const processor = processorWith([service], { EAS_LOAD: 'eager' })
    const statuses: number[] = []
    await processor.load(async (request) => {
      expect(processor.readiness()).toMatchObject({ ready: false, services: [{ state: 'loading' }] })
      const exchange = processor.begin(request)
      statuses.push((exchange.refusal ?? (await exchange.finish(request.body))).status)
    })
    expect(processor.readiness().ready).toBe(true)
    expect(new Set(statuses)).toEqual(new Set([200]))
    const metrics = async () => {
      const asked = { method: 'GET', target: '/metrics', headers: { authorization: 'secret' }, body: new Uint8Array() }
      return Buffer.from((await processor.handle(asked)).body).toString()
    }
    expect(await metrics()).not.toContain('eas_requests_total{service="add"')
    await processor.handle({ ...request('add'), headers: { authorization: 'secret' } })
    expect(await metrics()).toContain('eas_requests_total{service="add",code="200"} 1\n')
    await processor.close()
  })

  it('is not rehearsed where requests are rationed, nor once somebody waits', async () => {
    const model = files.write('rationed.onnx', add)
    const json = { warm_up_data_path: files.write('rationed.bin', body) }
    const carried = async (rpc: TestService['rpc'] & object, meanwhile: (processor: Processor) => unknown) => {
      const processor = processorWith([{ name: 'add', model, json, rpc }], { EAS_LOAD: 'eager' })
      let count = 0
      await processor.load(async () => {
        count++
        meanwhile(processor)
      })
      await processor.close()
      return count
    }
    expect(await carried({ rate_limit: 100 }, () => {})).toBe(0)
    expect(await carried({}, () => {})).toBeGreaterThan(0)
    expect(await carried({}, (processor) => processor.handle(request('add')))).toBe(1)
  })

  it('never keep it from being ready, whatever bit of them is wrong', async () => {
    const model = files.write('flips.onnx', add)
    // 1,000 with EAS_FULL=1.
    const flips = process.env.EAS_FULL ? 1000 : 100
    for (let i = 0; i < flips; i++) {
      const flipped = Buffer.from(body)
      const bit = Math.floor((i / flips) * flipped.length * 8)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      files.write(`flips/${String(i).padStart(4, '0')}.bin`, flipped)
    }
    const json = { warm_up_data_path: join(model, '..', 'flips') }
    const processor = processorWith([{ name: 'add', model, json }], { EAS_LOAD: 'eager', EAS_WARM_UP_S: '600' })
    await processor.load()
    const [service] = processor.readiness().services
    expect(service).toMatchObject({ state: 'ready', warm_up: { requests: flips, skipped: 0, ended: 'done' } })
    expect(service?.warm_up?.failed).toBeGreaterThan(0)
    expect((await processor.handle(request('add'))).status).toBe(200)
    await processor.close()
  })

  it('keeps the model from being ready when it must not fail', async () => {
    const model = files.write('strict.onnx', add)
    const path = files.write('strict.bin', 'not a request')
    const services = [{ name: 'add', model, json: { warm_up_data_path: path } }]
    const processor = processorWith(services, { EAS_WARM_UP_FAILURE: 'fail', EAS_LOAD: 'eager' })
    await processor.load()
    expect(processor.readiness()).toMatchObject({ ready: false, services: [{ state: 'failed' }] })
    await processor.close()
  })
})
