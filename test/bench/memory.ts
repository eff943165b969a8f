import type { Bench } from './bench.ts'
import { predictRequest } from './http-request.ts'
import { median } from './interleave.ts'
import { floatRequest, randomFloats, randomNumbers } from './messages.ts'
import { digits, token, withServers } from './servers.ts'

const total = Number(process.env.BENCH_REQUESTS || 200_000)
const windows = 50

/** Whether requests leave something behind, good ones and bad ones. */
export const memory: Bench = {
  name: 'memory',
  summary: 'growth of resident memory over 200,000 requests, good and bad (BENCH_REQUESTS for another number)',
  async run(report) {
    await withServers(async ({ startEas, startLoad }) => {
      const { port } = await startEas({ name: 'digits', model: digits })
      const load = startLoad()
      const requests = mixedRequests()
      const resident: number[] = []
      for (let i = 0; i < windows; i++) {
        const { latenciesMs } = await load.run({
          port,
          requests,
          connections: 8,
          until: { count: Math.ceil(total / windows) },
        })
        for (const status of latenciesMs.keys()) {
          if (![200, 400, 401, 404].includes(status)) throw new Error(`Cannot use the run: an answer was ${status}`)
        }
        resident.push(await residentMegabytes(port))
      }
      // The first fifth fills caches, compiles and lets the heap find its size.
      const early = median(resident.slice(windows * 0.2, windows * 0.4))
      const late = median(resident.slice(windows * 0.8))
      report.figure({
        figure: 'growth of resident memory',
        value: late - early,
        unit: 'MB',
        against: `${early.toFixed(0)} MB after a fifth of ${total} requests, peak ${Math.max(...resident).toFixed(0)} MB`,
        goal: { max: 10 },
      })
    })
  },
}

/** Each in its turn: what clients send when all is well, and what they send when it is not. */
function mixedRequests(): readonly Uint8Array[] {
  const random = randomNumbers(5)
  const image = (rows: number) => floatRequest([rows, 64], randomFloats(rows * 64, random))
  const noise = Uint8Array.from({ length: 2000 }, () => random() * 256)
  return [
    predictRequest('digits', token, image(1)),
    predictRequest('digits', token, image(12)),
    predictRequest('digits', token, image(1)),
    predictRequest('digits', token, image(300)),
    predictRequest('digits', token, floatRequest([1, 63], randomFloats(63, random))),
    predictRequest('digits', token, noise),
    predictRequest('digits', 'another token', image(1)),
    predictRequest('absent', token, image(1)),
  ]
}

async function residentMegabytes(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: token } })
  const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(await response.text())?.[1]
  if (!bytes) throw new Error(`/metrics does not tell the resident memory, status ${response.status}`)
  return Number(bytes) / 2 ** 20
}
