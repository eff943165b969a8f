/** The floor of a cold start: node, ONNX Runtime, a session, one run. Prints nothing but `1` when the answer is there. */
export const bareStart = `
const { InferenceSession, Tensor } = require('onnxruntime-node')
const [model, dtype, ...shape] = process.argv.slice(1)
const count = shape.reduce((product, size) => product * size, 1)
const data = dtype === 'int64' ? new BigInt64Array(count) : new Float32Array(count)
InferenceSession.create(model, { intraOpNumThreads: 1 }).then(async (session) => {
  await session.run({ [session.inputNames[0]]: new Tensor(dtype, data, shape.map(Number)) })
  require('node:fs').writeSync(1, '1')
  process.exit(0)
})
`
