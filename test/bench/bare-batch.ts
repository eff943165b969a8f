import { availableParallelism } from 'node:os'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { answerParent } from './child.ts'

/** `session.run` over and over on the same rows: what scoring would take if reading and writing were free. */

export interface BareBatch {
  readonly model: string
  readonly input: 'float32' | 'int64'
  readonly rows: number
  readonly width: number
  readonly calls: number
}

let session: Promise<InferenceSession> | undefined

/** Rows per second. */
answerParent<BareBatch, number>(async ({ model, input, rows, width, calls }) => {
  session ??= InferenceSession.create(model, {
    intraOpNumThreads: availableParallelism(),
    extra: { session: { 'intra_op.allow_spinning': '0' } },
  })
  const running = await session
  const data =
    input === 'float32'
      ? Float32Array.from({ length: rows * width }, (_, i) => (i % 1000) / 1000)
      : BigInt64Array.from({ length: rows * width }, (_, i) => BigInt((i * 7919) % 10_000))
  const feeds = { [running.inputNames[0] ?? '']: new Tensor(input, data, [rows, width]) }
  const start = performance.now()
  for (let i = 0; i < calls; i++) await running.run(feeds)
  return (rows * calls * 1000) / (performance.now() - start)
})
