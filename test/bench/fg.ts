import { compileFg, type FgOptions, fgRequest } from '@eas/fg'
import { type Bench, roundsFromEnv } from './bench.ts'
import { cpuMs } from './fg-cpu.ts'
import { decode, type FgModel, makeModel, model1, model2, userOnlyModel } from './fg-models.ts'
import { interleave, median, medianRatio } from './interleave.ts'

/** Decoded request to tensors, in processor time, in documents and requests of the shapes of EasyRec's published benchmarks. */
export const fg: Bench = {
  name: 'fg',
  summary: 'processor time of feature generation in two published model shapes, and what the user costs for many items',
  async run(report) {
    const options = { rounds: roundsFromEnv(31), warmUps: 10 }
    const tiled: FgOptions = { modelAcc: { INPUT_TILE: '3', SPARSE_INT64: '1' } }
    const models = await interleave(
      {
        first: await runner(makeModel(model1)),
        second: await runner(makeModel(model2)),
        secondTiled: await runner(makeModel(model2), tiled),
      },
      options,
    )
    const figure = (name: string, samples: readonly number[], against: string): void =>
      report.figure({ figure: name, value: median(samples), unit: 'ms', against, goal: { max: 60 } })
    const published = 'the processor before and after its own optimisation on'
    figure('features of model 1', models.first, `${published} 10 cores: 247 and 86 ms with the model`)
    figure('features of model 2', models.second, `${published} 15 cores: 288 and 34 ms with the model`)
    figure('features of model 2, user tiled by the model', models.secondTiled, 'the same')

    const users = await interleave(
      { one: await runner(userOnlyModel(1), tiled), many: await runner(userOnlyModel(300), tiled) },
      options,
    )
    report.figure({
      figure: 'features of the user for 300 items',
      value: medianRatio(users.many, users.one),
      unit: 'x',
      against: `the same for 1 item, ${median(users.one).toPrecision(3)} ms`,
      goal: { max: 1.15 },
    })
  },
}

/** Milliseconds of one request. It is decoded anew each time, unmeasured: its strings have been seen by nobody. */
async function runner(model: FgModel, options: FgOptions = {}): Promise<() => number> {
  const generator = await compileFg(JSON.stringify(model.document), options)
  return () => {
    const request = decode(model)
    return cpuMs(() => generator.generate(fgRequest(request, model.items)).tensors())
  }
}
