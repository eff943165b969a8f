import { parentPort } from 'node:worker_threads'
import type { FromWorker, Outcome, PredictItem, ToWorker } from './messages.ts'
import { createRuntime, type Runtime, toWireError } from './runtime.ts'

/**
 * What runs in a worker thread or in a child process: one model, answering messages in their order. The thread is blocked
 * while ONNX Runtime computes; between two requests it reads its messages, so a cancelled request is not computed.
 */
export function serveMessages(post: (message: FromWorker, transfer: ArrayBuffer[]) => void) {
  let runtime: Promise<Runtime> | undefined
  let queue: (readonly PredictItem[])[] = []
  let running = false
  const cancelled = new Set<number>()

  async function load(message: ToWorker & { kind: 'load' }) {
    runtime = createRuntime(message.spec)
    try {
      post({ kind: 'loaded', info: (await runtime).info }, [])
    } catch (thrown) {
      post({ kind: 'failed', error: toWireError(thrown) }, [])
    }
  }

  async function run() {
    const ready = await runtime
    if (!ready || running) return
    running = true
    for (let items = queue.shift(); items; items = queue.shift()) {
      let outcomes: Outcome[] = []
      let flushed = performance.now()
      await ready.predict(
        items,
        (id) => cancelled.delete(id),
        (outcome) => {
          outcomes.push(outcome)
          // Fast answers share a message; a slow one is not kept waiting for those behind it.
          const now = performance.now()
          if (now - flushed < 0.2) return
          postOutcomes(outcomes)
          outcomes = []
          flushed = now
        },
      )
      if (outcomes.length > 0) postOutcomes(outcomes)
    }
    queue = []
    running = false
    cancelled.clear()
  }

  function postOutcomes(outcomes: Outcome[]) {
    const transfer: ArrayBuffer[] = []
    for (const outcome of outcomes) if ('body' in outcome) addTransfer(transfer, outcome.body)
    post({ kind: 'outcomes', outcomes }, transfer)
  }

  return (message: ToWorker) => {
    if (message.kind === 'load') void load(message)
    else if (message.kind === 'cancel') cancelled.add(message.id)
    else {
      queue.push(message.items)
      if (!running) void run()
    }
  }
}

/** Bytes from which moving a buffer to another thread is cheaper than copying it. */
const transferBytesMin = 32 * 1024

/** Lists the buffer behind `bytes` for transfer, when it is worth it and `bytes` is all there is in it. */
export function addTransfer(transfer: ArrayBuffer[], bytes: Uint8Array): void {
  if (bytes.byteLength >= transferBytesMin && bytes.byteLength === bytes.buffer.byteLength) {
    if (bytes.buffer instanceof ArrayBuffer) transfer.push(bytes.buffer)
  }
}

/** Serves the thread or process that started this one, if one did. */
export function serveParent(): void {
  if (parentPort) {
    const port = parentPort
    port.on(
      'message',
      serveMessages((message, transfer) => port.postMessage(message, transfer)),
    )
  } else if (process.send) {
    const send = process.send.bind(process)
    process.on(
      'message',
      serveMessages((message) => send(message)),
    )
    // The parent ends this process; a signal sent to the whole group must not end it in the middle of a drain.
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => {})
    process.on('disconnect', () => process.exit(0))
  }
}
