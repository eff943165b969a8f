import { afterAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { cloudRun, startCloudRun } from '../support/platforms.ts'
import { patient, serviceJson } from '../support/processor.ts'
import { post, RawConnection, rawRequest } from '../support/raw-http.ts'
import { floats, slowBody, torchBody } from '../support/requests.ts'

const files = scratch('cloud-run')
afterAll(() => files.remove())
const serviceOf = (
  name: string,
  graph: Parameters<typeof onnxModel>[0],
  rpc: Readonly<Record<string, unknown>> = patient,
) => files.write(`${name}.json`, serviceJson({ name, model: files.write(`${name}.onnx`, onnxModel(graph)), rpc }))

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('The Cloud Run container', () => {
  const slow = () => serviceOf('slow', graphs.slow, { keepalive: 60_000 })

  it('is alive but not ready without its model', async () => {
    const instance = await startCloudRun({ SERVICE_JSON: serviceOf('never', graphs.sequence) })
    const get = (target: string) => instance.send({ method: 'GET', target, headers: [['Host', 'probe']] })
    await expect
      .poll(async () => (await get('/readyz')).body.toString(), { timeout: 25_000 })
      .toContain('output all is not a tensor')
    expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 503])
    expect(await instance.end()).toBe(0)
  })

  it('answers what it has been sent when SIGTERM comes, and ends', async () => {
    const instance = await cloudRun({ SERVICE_JSON: slow() })
    const connection = new RawConnection(instance.port)
    await connection.send(post('/api/predict/slow', slowBody(1500)))
    await pause(100)
    const ended = instance.end()
    expect((await connection.response())?.status).toBe(200)
    expect(await ended).toBe(0)
  })

  it('ends before Cloud Run kills it, even when a request never comes whole', async () => {
    const instance = await cloudRun({ SERVICE_JSON: slow() })
    const connection = new RawConnection(instance.port)
    await connection.send(post('/api/predict/slow', slowBody(1)).subarray(0, -1))
    await pause(100)
    const start = performance.now()
    expect(await instance.end()).toBe(0)
    // 9 s on a machine that has nothing else to do; the service's own grace period would be 30.
    expect(performance.now() - start).toBeLessThan(25_000)
    connection.destroy()
  })

  it('fails no request of 80 connections when SIGTERM comes while they are busy', async () => {
    const rpc = { max_queue_size: 100, keepalive: 60_000 }
    const instance = await cloudRun({ SERVICE_JSON: serviceOf('add', graphs.add, rpc) })
    const bytes = post('/api/predict/add', torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)]))
    const statuses: (number | undefined)[] = []
    const answers = Array.from({ length: 80 }, () => 0)
    let stopping = false
    /** As a load balancer does: no request is sent on a connection whose last answer said that it closes. */
    async function ask(_: unknown, client: number) {
      const connection = new RawConnection(instance.port)
      for (;;) {
        void connection.send(bytes)
        const response = await connection.response()
        statuses.push(response?.status)
        answers[client] = (answers[client] ?? 0) + 1
        if (stopping || response?.headers.connection === 'close') return connection.destroy()
      }
    }
    const clients = Array.from({ length: 80 }, ask)
    // A connection that the kernel has taken and the server has not seen yet would be lost with the port.
    while (!answers.every((count) => count >= 3)) await pause(10)
    const ended = instance.end()
    stopping = true
    await Promise.all(clients)
    expect(await ended).toBe(0)
    expect(statuses.filter((status) => status !== 200)).toEqual([])
  })

  it('refuses what is over the platform’s limit by what it announces, with the ways out', async () => {
    const instance = await cloudRun({ SERVICE_JSON: serviceOf('add', graphs.add) })
    const connection = new RawConnection(instance.port)
    const length = 32 * 1024 * 1024 + 1
    await connection.send(
      rawRequest('POST', '/api/predict/add', [
        ['Host', 'h'],
        ['Content-Length', String(length)],
      ]),
    )
    const response = await connection.response()
    expect(response?.status).toBe(413)
    expect(response?.body.toString()).toBe(
      `Request body too large: ${length} bytes, Cloud Run takes at most 33554432; compress it (gzip, zlib, Snappy, LZ4 or Zstandard), or score it as a batch`,
    )
    connection.destroy()
    await instance.end()
  })
  it('refuses what announces nothing as soon as it is over the platform’s limit', async () => {
    const instance = await cloudRun({ SERVICE_JSON: serviceOf('add', graphs.add) })
    const connection = new RawConnection(instance.port)
    const head = rawRequest('POST', '/api/predict/add', [
      ['Host', 'h'],
      ['Transfer-Encoding', 'chunked'],
    ])
    await connection.send(head)
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1024 * 1024), Buffer.from('\r\n')])
    for (let i = 0; i < 33; i++) await connection.send(chunk)
    // And no end: it is answered without.
    const response = await connection.response()
    expect(response?.status).toBe(413)
    expect(response?.body.toString()).toMatch(
      /^Request body too large: \d+ bytes, Cloud Run takes at most 33554432; compress it /,
    )
    expect(await connection.ends(3000)).toBe(true)
    connection.destroy()
    await instance.end()
  })
})
