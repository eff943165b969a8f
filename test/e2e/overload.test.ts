import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { serviceJson } from '../support/processor.ts'
import { exchange, post, RawConnection, rawRequest } from '../support/raw-http.ts'
import { slowBody } from '../support/requests.ts'
import { type RunningServer, sample, serve, textOf } from '../support/server.ts'

const files = scratch('overload')
/** `metadata.rpc` of each service; all have the slow model. */
const services = {
  narrow: { worker_threads: 1, max_queue_size: 2, keepalive: 60_000 },
  hasty: { worker_threads: 1, max_queue_size: 8, keepalive: 400 },
  limited: { rate_limit: 4 },
  mixed: { worker_threads: 1, max_queue_size: 2, keepalive: 60_000 },
  single: { worker_threads: 1, max_queue_size: 1, keepalive: 60_000 },
}
let server: RunningServer
/** Steps of the slow model in one millisecond, as this machine is now. */
let stepsPerMs = 0

beforeAll(async () => {
  const model = files.write('slow.onnx', onnxModel(graphs.slow))
  const configs = Object.entries(services).map(([name, rpc]) =>
    files.write(`${name}.json`, serviceJson({ name, model, rpc })),
  )
  server = await serve({ args: configs, env: { EAS_ISOLATION: 'thread' } })
  await ask('narrow', 1)
  const start = performance.now()
  await ask('narrow', 2000)
  stepsPerMs = 2000 / (performance.now() - start)
})
afterAll(async () => {
  await server?.stop()
  files.remove()
})

type Service = keyof typeof services
const request = (service: Service, steps: number) => post(`/api/predict/${service}`, slowBody(Math.round(steps)))
const ask = (service: Service, steps: number) => exchange(server.port, request(service, steps))
/** Hours of work: who has to wait for it never gets an answer. */
const endless = 1e8
const ms = (milliseconds: number) => milliseconds * stepsPerMs

async function counted(name: string, labels: Readonly<Record<string, string>>) {
  return sample(textOf(await exchange(server.port, rawRequest('GET', '/metrics', [['Host', 'test']]))), name, labels)
}
function open(service: Service, steps: number) {
  const connection = new RawConnection(server.port)
  const start = performance.now()
  void connection.send(request(service, steps))
  const answer = connection.response({ timeoutMs: 25_000 }).then((response) => ({
    connection,
    status: response?.status,
    text: textOf(response),
    closes: response?.headers.connection === 'close',
    at: performance.now(),
    ms: performance.now() - start,
  }))
  return { connection, answer }
}

describe('rpc.worker_threads and rpc.max_queue_size', () => {
  it('let so many work and so many wait, in the order they came; the next is 450 and closed', async () => {
    const places = []
    for (const steps of [ms(500), 10, 10]) {
      places.push(open('narrow', steps))
      await sleep(30)
    }
    const refused = await open('narrow', 1).answer
    expect(refused).toMatchObject({ status: 450, text: 'Queue full: 2 requests are waiting already', closes: true })
    expect(await refused.connection.ends(2000)).toBe(true)

    const answers = await Promise.all(places.map(({ answer }) => answer))
    expect(answers.map(({ status, closes }) => [status, closes])).toEqual(Array(3).fill([200, false]))
    expect(answers.map(({ at }) => at)).toEqual(answers.map(({ at }) => at).toSorted((a, b) => a - b))
    expect((await ask('narrow', 1))?.status, 'afterwards').toBe(200)
    for (const { connection } of answers) connection.destroy()
  })

  it('refuse a long body before it is sent', async () => {
    const places = [open('single', ms(500)), open('single', 1)]
    await sleep(50)
    const connection = new RawConnection(server.port)
    await connection.send('POST /api/predict/single HTTP/1.1\r\nHost: test\r\nContent-Length: 50000000\r\n\r\n')
    const response = await connection.response({ timeoutMs: 400 })
    expect(response?.status).toBe(450)
    connection.destroy()
    for (const { answer } of places) expect((await answer).status).toBe(200)
  })
})

describe('rpc.keepalive', () => {
  it('is over a slow upload: 408 and closed', async () => {
    const connection = new RawConnection(server.port)
    const start = performance.now()
    await connection.send('POST /api/predict/hasty HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n')
    const drip = setInterval(() => connection.send('x'), 20)
    const response = await connection.response()
    clearInterval(drip)
    expect(response?.status).toBe(408)
    expect(textOf(response)).toMatch(/^Request timed out: its body did not arrive in time, \d+ bytes did$/)
    expect(performance.now() - start).toBeGreaterThan(350)
    expect(await connection.ends(2000)).toBe(true)
  })

  it('is over computing and over waiting; what has waited too long is not computed, and its place comes back', async () => {
    const computing = open('hasty', ms(1200))
    // Whoever comes first is computed: of endless work the worker would never be rid.
    const inside = () => counted('eas_requests_in_flight', { service: 'hasty' })
    await expect.poll(inside, { timeout: 10_000, interval: 5 }).toBe(1)
    const waiting = Array.from({ length: 8 }, () => open('hasty', endless))
    const answers = await Promise.all([computing, ...waiting].map(({ answer }) => answer))
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 408,
        text: 'Request timed out: it took longer than 400 ms',
        closes: true,
      })
      expect(answer.ms).toBeGreaterThan(350)
      expect(await answer.connection.ends(2000)).toBe(true)
    }
    // The worker ends what it had begun, and nothing else: endless work would never let this be answered.
    await expect.poll(async () => (await ask('hasty', 1))?.status, { timeout: 20_000, interval: 100 }).toBe(200)
    const all = await Promise.all(Array.from({ length: 9 }, () => open('hasty', 1).answer))
    expect(all.map(({ status }) => status)).toEqual(Array(9).fill(200))
  })
})

describe('rpc.rate_limit', () => {
  it('answers 429 to more requests a second, on a connection that stays open', async () => {
    const connection = new RawConnection(server.port)
    const statuses: (number | undefined)[] = []
    for (let i = 0; i < 8; i++) {
      await connection.send(request('limited', 1))
      const response = await connection.response()
      statuses.push(response?.status)
      if (response?.status === 429) {
        expect(textOf(response)).toBe('Rate limit reached: this instance takes 4 requests a second')
      }
    }
    expect(statuses.slice(0, 4)).toEqual([200, 200, 200, 200])
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2)
    await sleep(400)
    await connection.send(request('limited', 1))
    expect((await connection.response())?.status).toBe(200)
    connection.destroy()
  })
})

describe('A client that has gone', () => {
  it('is counted as 499, and what it asked for is not computed', async () => {
    const before = await counted('eas_requests_total', { service: 'narrow', code: '499' })
    const busy = open('narrow', ms(400))
    await sleep(30)
    const left = [open('narrow', endless), open('narrow', endless)]
    await sleep(50)
    for (const { connection } of left) connection.destroy()
    await sleep(50)
    const next = await open('narrow', 1).answer
    expect(next.status).toBe(200)
    expect((await busy.answer).status).toBe(200)
    expect((await counted('eas_requests_total', { service: 'narrow', code: '499' })) - before).toBe(2)
  })

  it('that had sent the next request already is not answered either', async () => {
    const pipelined = new RawConnection(server.port)
    await pipelined.send(Buffer.concat([request('narrow', ms(300)), request('narrow', endless)]))
    await sleep(100)
    pipelined.destroy()
    const next = await open('narrow', 1).answer
    expect(next.status).toBe(200)
  })

  it('in the middle of its body is counted as 499', async () => {
    const before = await counted('eas_requests_total', { service: 'narrow', code: '499' })
    const connection = new RawConnection(server.port)
    await connection.send(request('narrow', 1).subarray(0, -3))
    await sleep(50)
    connection.destroy()
    await expect.poll(() => counted('eas_requests_total', { service: 'narrow', code: '499' })).toBe(before + 1)
  })

  it('takes no place with it: 1,000 requests, cancelled at any moment', async () => {
    let state = 20261121 // a linear congruential generator, so that a failure can be had again
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    for (let wave = 0; wave < 334; wave++) {
      await Promise.all(
        Array.from({ length: 3 }, async () => {
          const connection = new RawConnection(server.port)
          const bytes = request('mixed', random(30))
          const kind = random(5)
          const sent = connection.send(kind === 0 ? bytes.subarray(0, random(bytes.length)) : bytes)
          if (kind <= 1) await sent
          else if (kind <= 3) await sleep(random(4))
          else await connection.response()
          connection.destroy()
        }),
      )
    }
    await expect.poll(() => counted('eas_requests_in_flight', { service: 'mixed' })).toBe(0)
    const busy = open('mixed', ms(200))
    await sleep(50)
    const all = await Promise.all([busy, open('mixed', 1), open('mixed', 1)].map(({ answer }) => answer))
    expect(
      all.map(({ status }) => status),
      'as many places as before',
    ).toEqual([200, 200, 200])
  })
})
