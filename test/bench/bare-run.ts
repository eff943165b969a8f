import { InferenceSession, Tensor } from 'onnxruntime-node'
import { answerParent } from './child.ts'

/** The model and nothing else: what a prediction would take if serving it were free. */

export interface BareRun {
  readonly model: string
  readonly shape: readonly number[]
  readonly values: Float32Array
  readonly count: number
}

let session: Promise<InferenceSession> | undefined

/** Milliseconds of each run. */
answerParent<BareRun, Float64Array>(async ({ model, shape, values, count }) => {
  session ??= InferenceSession.create(model, {
    intraOpNumThreads: 1,
    extra: { session: { 'intra_op.allow_spinning': '0' } },
  })
  const running = await session
  const feeds = { [running.inputNames[0] ?? '']: new Tensor('float32', values, shape) }
  const latenciesMs = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await running.run(feeds)
    latenciesMs[i] = performance.now() - start
  }
  return latenciesMs
})
