import { createServer } from 'node:http'
import { InferenceSession, Tensor } from 'onnxruntime-node'

/**
 * The least that can be called a server of the digits model: bytes at a place known beforehand go in, bytes go out. It
 * asks for no token, checks nothing and measures nothing, and is blocked while the model computes.
 *
 *     node --import tsx bare-server.ts model.onnx port
 */

const [, , model = '', port = ''] = process.argv
const session = await InferenceSession.create(model, {
  intraOpNumThreads: 1,
  extra: { session: { 'intra_op.allow_spinning': '0' } },
})

const pixels = 64
const scores = 10
/** `outputs { dtype: DT_FLOAT array_shape { dim: [1, 10] } float_val: … }`, up to its values. */
const responseHead = [0x0a, 0x32, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x01, 0x0a, 0x1a, 0x28]

async function predict(body: Buffer): Promise<Uint8Array> {
  const input = new Float32Array(pixels)
  // The last field of the message; a chunk of a socket is rarely aligned.
  new Uint8Array(input.buffer).set(body.subarray(body.length - input.byteLength))
  const { scores: output } = await session.run({ image: new Tensor('float32', input, [1, pixels]) })
  const response = Buffer.allocUnsafe(responseHead.length + scores * 4)
  response.set(responseHead)
  const values = output?.data as Float32Array // the model's `scores` are float32
  response.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), responseHead.length)
  return response
}

const server = createServer((message, response) => {
  const chunks: Buffer[] = []
  message.on('data', (chunk: Buffer) => chunks.push(chunk))
  message.on('end', async () => {
    if (message.method !== 'POST') return void response.end()
    const [only] = chunks
    const body = await predict(only && chunks.length === 1 ? only : Buffer.concat(chunks))
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length })
    response.end(body)
  })
})
server.listen(Number(port), '127.0.0.1')
