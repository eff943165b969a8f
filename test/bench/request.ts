import type { BareRun } from './bare-run.ts'
import { type Bench, roundsFromEnv } from './bench.ts'
import { startChild } from './child.ts'
import { predictRequest } from './http-request.ts'
import { interleave, median, medianDifference } from './interleave.ts'
import { allOk } from './load.ts'
import { floatRequest, randomFloats, randomNumbers } from './messages.ts'
import { digits, emptyServer, type RunningServer, token, withServers } from './servers.ts'

const rows = 12
const perSample = 200

/** What serving adds to a small request: HTTP, signature, validation, metrics, log, and the way to the worker and back. */
export const request: Bench = {
  name: 'request',
  summary: 'one 3 KB request at a time over HTTP, against the bare session.run of the same model on the same values',
  async run(report) {
    await withServers(async ({ start, startEas, startLoad, stopLater }) => {
      const eas = await startEas({ name: 'digits', model: digits })
      const empty = await start(emptyServer)
      const load = startLoad()
      const bare = startChild<BareRun, Float64Array>('bare-run.ts')
      stopLater(bare)

      const shape = [rows, 64]
      const values = randomFloats(rows * 64, randomNumbers(12))
      const body = floatRequest(shape, values)
      const requests = [predictRequest('digits', token, body)]
      const overHttp = async ({ port }: RunningServer) =>
        median(allOk(await load.run({ port, requests, connections: 1, until: { count: perSample } })))
      const samples = await interleave(
        {
          eas: () => overHttp(eas),
          empty: () => overHttp(empty),
          bare: async () => median(await bare.ask({ model: digits, shape, values, count: perSample })),
        },
        { rounds: roundsFromEnv(21), warmUps: 5 },
      )
      const us = (ms: readonly number[]) => (median(ms) * 1000).toFixed(0)
      report.figure({
        figure: `p50 of a ${(body.length / 1e3).toFixed(1)} KB request, added to the model's own`,
        value: medianDifference(samples.eas, samples.bare) * 1000,
        unit: 'us',
        against: `bare session.run, ${us(samples.bare)} us; an empty node:http server takes ${us(samples.empty)} us`,
        goal: { max: 200 },
      })
    })
  },
}
