import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { torchPredict } from '@eas/protocol'
import { afterAll, describe, expect, it } from 'vitest'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { serviceJson } from '../support/processor.ts'
import { exchange, post, RawConnection, rawRequest } from '../support/raw-http.ts'
import { floats, slowBody, torchBody } from '../support/requests.ts'
import { childrenOf, environmentOf, rssBytes, sample, serve, serveToEnd, textOf } from '../support/server.ts'

const files = scratch('engine')
afterAll(files.remove)
const add = files.write('add.onnx', onnxModel(graphs.add))
const slow = files.write('slow.onnx', onnxModel(graphs.slow))
const addJson = files.write('add.json', serviceJson({ name: 'add', model: add }))
const slowJson = files.write(
  'slow.json',
  serviceJson({
    name: 'slow',
    model: slow,
    rpc: { keepalive: 60_000 },
    json: { processor_envs: [{ name: 'WHICH', value: 'the slow one' }] },
  }),
)

const sum = post('/api/predict/add', torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)]))
const slowRequest = (steps: number) => post('/api/predict/slow', slowBody(steps))
/** Files that a process has open. */
const filesOf = (pid: number | undefined) =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return [] // closed meanwhile
    }
  })
const ready = (port: number) => exchange(port, rawRequest('GET', '/readyz', [['Host', 'test']]))

describe('A model whose process crashes', () => {
  it('fails what it was computing with 500, then is 503, then back; the other service never fails', async () => {
    const server = await serve({ args: [addJson, slowJson], env: { EAS_ISOLATION: 'process' } })
    try {
      const child = childrenOf(server.child.pid).find((pid) => environmentOf(pid).includes('the slow one'))
      expect(child, 'the model has a process of its own').toBeDefined()
      if (child === undefined) return

      let honest = 0
      let over = false
      const neighbour = (async () => {
        const connection = new RawConnection(server.port)
        while (!over) {
          await connection.send(sum)
          const response = await connection.response()
          expect(response?.status, textOf(response)).toBe(200)
          honest++
        }
        connection.destroy()
      })()

      const inFlight = exchange(server.port, slowRequest(1e8))
      await sleep(100)
      process.kill(child, 'SIGSEGV')
      const lost = await inFlight
      expect([lost?.status, textOf(lost)]).toEqual([500, 'Prediction failed: the model crashed'])

      const meanwhile = await exchange(server.port, slowRequest(1))
      expect([meanwhile?.status, textOf(meanwhile)]).toEqual([
        503,
        "The model's worker died: the model process ended with SIGSEGV",
      ])
      expect((await ready(server.port))?.status).toBe(503)
      await expect
        .poll(async () => (await exchange(server.port, slowRequest(1)))?.status, { timeout: 15_000, interval: 50 })
        .toBe(200)
      expect((await ready(server.port))?.status).toBe(200)
      over = true
      await neighbour
      expect(honest).toBeGreaterThan(10)
    } finally {
      await server.stop()
    }
  })

  it('leaves no process behind when the server is killed', async () => {
    const server = await serve({ args: [addJson, slowJson], env: { EAS_ISOLATION: 'process' } })
    const children = childrenOf(server.child.pid)
    expect(children.length).toBeGreaterThanOrEqual(2)
    await server.stop()
    await expect.poll(() => children.filter(isRunning), { timeout: 5000 }).toEqual([])
  })
})

describe('A warm-up request of 100 KB', () => {
  it.each(['thread', 'process', 'inline'])('is sent as often as any other: %s', async (isolation) => {
    const rows = 6400
    const large = floats([rows, 2], ...new Array(2 * rows).fill(1))
    const body = torchBody([large, large])
    files.write('large.bin', body)
    const json = { warm_up_data_path: join(files.folder, 'large.bin') }
    const service = files.write(`large-${isolation}.json`, serviceJson({ name: 'add', model: add, json }))
    const server = await serve({ args: [service], env: { EAS_ISOLATION: isolation, EAS_LOG_LEVEL: 'info' } })
    const { services } = JSON.parse(textOf(await ready(server.port)))
    expect(services[0].warm_up).toMatchObject({ requests: 1, failed: 0, skipped: 0 })
    expect(services[0].warm_up.sent).toBeGreaterThanOrEqual(3)
    // It was sent to the server itself, too, which is nobody's request.
    expect((await exchange(server.port, sum))?.status).toBe(200)
    await expect.poll(() => server.log()).toContain('"msg":"request"')
    expect(server.log().match(/"method":"POST"/g)).toHaveLength(1)
    // Counted before it is moved to where the model is.
    expect((await exchange(server.port, post('/api/predict/add', body)))?.status).toBe(200)
    await expect.poll(() => server.log()).toContain(`"requestBytes":${body.length}`)
    await server.stop()
  })
})

describe('ONNX Runtime', () => {
  it.each(['thread', 'process'])('has nothing open to report to its makers with: %s', async (isolation) => {
    const home = join(files.folder, `home-${isolation}`)
    mkdirSync(home)
    const server = await serve({ args: [addJson], env: { EAS_ISOLATION: isolation, HOME: home } })
    expect((await exchange(server.port, sum))?.status).toBe(200)
    const open = [server.child.pid, ...childrenOf(server.child.pid)].flatMap((pid) => filesOf(pid))
    expect(open.length).toBeGreaterThan(3)
    expect(open.filter((path) => /onnxruntime\.db|mat-debug/.test(path))).toEqual([])
    expect(readdirSync(home)).toEqual([])
    await server.stop()
  })
})

describe('A file that is no model', () => {
  const model = onnxModel(graphs.add)
  const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 255)
  mkdirSync(join(files.folder, 'with space'))
  const bad = {
    empty: files.write('empty.onnx', ''),
    cut: files.write('cut.onnx', model.subarray(0, model.length >> 1)),
    noise: files.write('noise.onnx', noise),
    spaced: files.write('with space/noise.onnx', noise),
    text: files.write('text.onnx', '<!doctype html><title>404</title>'),
    sequence: files.write('sequence.onnx', onnxModel(graphs.sequence)),
  }

  it('beside a good one is 503 with the reason, and the good one serves', async () => {
    const configs = Object.entries(bad).map(([name, path]) =>
      files.write(`bad-${name}.json`, serviceJson({ name, model: path })),
    )
    const server = await serve({ args: [addJson, ...configs], env: { EAS_ISOLATION: 'thread' } })
    try {
      expect((await exchange(server.port, sum))?.status).toBe(200)
      for (const name of Object.keys(bad)) {
        for (const bytes of [
          post(`/api/predict/${name}`, slowBody(1)),
          rawRequest('GET', `/api/predict/${name}`, [['Host', 'x']]),
        ]) {
          const response = await exchange(server.port, bytes)
          expect(response?.status, name).toBe(503)
          expect(textOf(response)).toMatch(/^Cannot load the model: [ -~]{5,300}$/)
          expect(textOf(response), 'no path of this machine').not.toMatch(/\/tmp|eas-engine|with space|node_modules/)
        }
      }
      expect(textOf(await exchange(server.port, post('/api/predict/sequence', slowBody(1))))).toBe(
        'Cannot load the model: output all is not a tensor',
      )
      const readiness = await ready(server.port)
      expect(readiness?.status).toBe(503)
      expect(JSON.parse(textOf(readiness)).services).toMatchObject([
        { name: 'add', state: 'ready' },
        ...Object.keys(bad).map((name) => ({ name, state: 'failed', error: expect.stringMatching(/^Cannot load/) })),
      ])
      expect(server.stderr()).toContain('noise failed: Cannot load the model: ')
    } finally {
      await server.stop()
    }
  })

  it.each(['thread', 'process', 'inline'])(
    'alone ends serve with 1 and one clear line, isolation %s',
    async (isolation) => {
      const { code, stderr } = await serveToEnd({ args: [bad.cut], env: { EAS_ISOLATION: isolation } })
      expect(code).toBe(1)
      expect(stderr).toMatch(/^error: cut: Cannot load the model: [ -~]+\n$/)
    },
  )
})

describe('Node’s own options', () => {
  it.each(['thread', 'process'])('do not keep a model from its %s', async (isolation) => {
    const nodeArgs = ['--max-old-space-size=512', '--expose-gc', '--stack-trace-limit=20']
    const server = await serve({ args: [addJson], env: { EAS_ISOLATION: isolation }, nodeArgs })
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
  })
})

describe('SIGTERM', () => {
  it.each(['thread', 'process'])(
    'under load fails no request on an open connection, and exits with 0: %s',
    async (isolation) => {
      const server = await serve({ args: [addJson, slowJson], env: { EAS_ISOLATION: isolation } })
      let answered = 0
      const failures: string[] = []
      const clients = Array.from({ length: 16 }, async (_, i) => {
        const connection = new RawConnection(server.port)
        for (;;) {
          await connection.send(i < 2 ? slowRequest(100) : sum)
          const response = await connection.response()
          if (response?.status !== 200) {
            failures.push(`client ${i}: ${response?.status ?? 'no answer'} ${textOf(response)}`)
            return
          }
          answered++
          if (response.headers.connection === 'close') return
          // Some pause, so that the signal finds connections that are idle for a moment.
          if (i % 3 === 0) await sleep(5)
        }
      })
      await expect.poll(() => answered, { timeout: 60_000 }).toBeGreaterThan(100)
      server.child.kill('SIGTERM')
      const last = exchange(server.port, slowRequest(1))
      await Promise.all(clients)
      expect(failures).toEqual([])
      await last
      expect(await server.exited).toBe(0)
    },
  )

  it('answers what is being computed, then exits with 0', async () => {
    const server = await serve({ args: [slowJson] })
    const answer = exchange(server.port, slowRequest(5000))
    await sleep(100)
    server.child.kill('SIGTERM')
    const response = await answer
    expect([response?.status, response?.headers.connection]).toEqual([200, 'close'])
    expect(torchPredict.decodeResponse(response?.body ?? new Uint8Array()).outputs).toEqual([floats([], 1)])
    expect(await server.exited).toBe(0)
  })

  it('closes a connection that stays idle', async () => {
    const server = await serve({ args: [addJson] })
    const idle = new RawConnection(server.port)
    await idle.send(sum)
    expect((await idle.response())?.status).toBe(200)
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(await idle.ends(1000)).toBe(true)
  })
})

describe.each(['thread', 'process'])('A model, isolation %s,', (isolation) => {
  it('keeps nothing of 36,000 requests that it cannot decompress', async () => {
    const server = await serve({ args: [addJson], env: { EAS_ISOLATION: isolation } })
    const cut = gzipSync(Buffer.alloc(300, 7)).subarray(0, -4)
    const batch = Buffer.concat(Array.from({ length: 50 }, () => post('/api/predict/add', cut)))
    const connection = new RawConnection(server.port)
    const memory = () =>
      [server.child.pid, ...childrenOf(server.child.pid)].map(rssBytes).reduce((all, bytes) => all + bytes, 0)
    // What is not yet collected comes and goes; the least that there was of a third is what is kept.
    const least = [0, 0, 0].map(() => Number.POSITIVE_INFINITY)
    for (let sent = 0; sent < 36_000; sent += 50) {
      void connection.send(batch)
      for (let i = 0; i < 50; i++) expect((await connection.response())?.status).toBe(400)
      const third = Math.floor(sent / 12_000)
      if (sent % 500 === 0) least[third] = Math.min(least[third] ?? 0, memory())
    }
    const [, second = 0, last = 0] = least
    // What zlib takes for each is 16 KiB: were it kept, this would be 187.
    expect((last - second) / 2 ** 20).toBeLessThan(130)
    await server.stop()
  }, 180_000)
})

describe('A thread with a model', () => {
  it('serves as many at once as there are workers, and says so in its metrics', async () => {
    const server = await serve({ args: [slowJson], env: { EAS_ISOLATION: 'thread' } })
    const answers = await Promise.all(Array.from({ length: 12 }, () => exchange(server.port, slowRequest(500))))
    expect(answers.map((answer) => answer?.status)).toEqual(Array(12).fill(200))
    const metrics = textOf(await exchange(server.port, rawRequest('GET', '/metrics', [['Host', 'test']])))
    expect(sample(metrics, 'eas_stage_duration_ms_count', { service: 'slow', stage: 'compute' })).toBe(12)
    expect(sample(metrics, 'eas_workers', { service: 'slow' })).toBeGreaterThanOrEqual(1)
    await server.stop()
  })
})

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
