// Stands for the runtimes of Lambda and Function Compute: loads a bundle, then calls its functions, one call after the other.
// Plain JavaScript, so that nothing but Node stands between the test and the bundle.
import { createRequire } from 'node:module'
import { PassThrough } from 'node:stream'

const [runtime, bundle] = process.argv.slice(2)

// What Lambda's Node.js runtime puts there. @see aws-lambda-ric, HttpResponseStream.js: a prelude before the first bytes
globalThis.awslambda = {
  streamifyResponse: (handler) =>
    Object.assign(
      async (event, context) => {
        const stream = new PassThrough()
        const chunks = []
        stream.on('data', (chunk) => chunks.push(chunk))
        await handler(event, stream, context)
        if (context.callbackWaitsForEmptyEventLoop !== false)
          throw new Error('The runtime would wait for the threads to end')
        return { prelude: stream.prelude, body: Buffer.concat(chunks).toString('base64') }
      },
      { isStreamed: true },
    ),
  HttpResponseStream: {
    from(stream, prelude) {
      stream.prelude = prelude
      return stream
    },
  },
}

const functions = runtime === 'fc' ? createRequire(import.meta.url)(bundle) : await import(bundle)

let last = Promise.resolve()
process.on('message', (message) => {
  last = last.then(() => answer(message))
})

async function answer({ id, name, event, context }) {
  try {
    const call = runtime === 'fc' ? callFc : callLambda
    process.send({ id, result: JSON.stringify(await call(functions[name], event, context)) })
  } catch (error) {
    process.send({ id, error: String(error) })
  }
}

function callLambda(handler, event, { remainingMs = 30_000 }) {
  const deadline = Date.now() + remainingMs
  const context = { awsRequestId: 'test', getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) }
  return handler(JSON.parse(event), context)
}

// The lifecycle hooks are given a context and a callback, handlers an event of bytes before them.
function callFc(handler, event, { isHook = false, ...context }) {
  if (!isHook) return handler(Buffer.from(event), context)
  return new Promise((resolve, reject) => {
    handler(context, (error, result) => (error ? reject(error) : resolve(result)))
  })
}
