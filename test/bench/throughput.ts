import { delimiter, join } from 'node:path'
import { type Bench, roundsFromEnv } from './bench.ts'
import { tokenRequest } from './http-request.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import { allOk, type LoadClient } from './load.ts'
import { floatRequest, randomFloats, randomNumbers } from './messages.ts'
import { preparePython } from './python.ts'
import { digits, type RunningServer, type Servers, token, withServers } from './servers.ts'

const connections = 16
const windowMs = 1000

/** Requests a second of the same bytes, with a token that only ours looks at, to three servers of the same model. */
export const throughput: Bench = {
  name: 'throughput',
  summary: `requests a second on ${connections} connections, against a bare node:http server and FastAPI`,
  async run(report) {
    await withServers(async (servers) => {
      const load = servers.startLoad()
      const requests = [tokenRequest('digits', token, floatRequest([1, 64], randomFloats(64, randomNumbers(1))))]
      const rate = ({ port }: RunningServer) => requestsPerSecond(load, port, requests)

      const eas = await servers.startEas({ name: 'digits', model: digits })
      const bare = await startBare(servers)
      const fastapi = await startFastApi(servers).catch((error: Error) => error)
      const none = () => Number.NaN
      const contenders = {
        eas: () => rate(eas),
        bare: () => rate(bare),
        fastapi: fastapi instanceof Error ? none : () => rate(fastapi),
      }
      const rates = await interleave(contenders, { rounds: roundsFromEnv(9), warmUps: 2 })
      const perSecond = (samples: readonly number[]) => median(samples).toFixed(0)
      report.figure({
        figure: 'requests a second, of a bare server’s',
        value: medianRatio(rates.eas, rates.bare),
        unit: 'x',
        against: `node:http and onnxruntime-node: ${perSecond(rates.bare)} to ${perSecond(rates.eas)}`,
        goal: { min: 0.7 },
      })
      if (fastapi instanceof Error) return report.missing('FastAPI', fastapi.message)
      report.figure({
        figure: 'requests a second, of FastAPI’s',
        value: medianRatio(rates.eas, rates.fastapi),
        unit: 'x',
        against: `uvicorn and onnxruntime: ${perSecond(rates.fastapi)} to ${perSecond(rates.eas)}`,
        goal: { min: 2.5 },
      })
    })
  },
}

async function requestsPerSecond(load: LoadClient, port: number, requests: readonly Uint8Array[]): Promise<number> {
  const result = await load.run({ port, requests, connections, until: { ms: windowMs } })
  return (allOk(result).length / result.elapsedMs) * 1000
}

const startBare = (servers: Servers) =>
  servers.start({
    name: 'bare server',
    command: process.execPath,
    args: (port) => ['--import', 'tsx', join(import.meta.dirname, 'bare-server.ts'), digits, String(port)],
    readyPath: '/healthz',
  })

async function startFastApi(servers: Servers): Promise<RunningServer> {
  const { command, generated } = await preparePython()
  const uvicorn = ['-m', 'uvicorn', 'fastapi_server:app', '--loop', 'uvloop', '--http', 'httptools']
  return servers.start({
    name: 'FastAPI',
    command,
    args: (port) => [...uvicorn, '--port', String(port), '--log-level', 'warning', '--no-access-log'],
    env: { MODEL: digits, PYTHONPATH: [import.meta.dirname, generated].join(delimiter), PYTHONDONTWRITEBYTECODE: '1' },
    readyPath: '/healthz',
  })
}
