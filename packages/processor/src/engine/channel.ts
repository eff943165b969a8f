import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { FromWorker, Outcome, PredictItem, ToWorker } from './messages.ts'
import { Ring } from './ring.ts'

/**
 * What passes between the event loop and a worker thread. Small bodies go through rings of shared memory; the rest, and all
 * that is not a body, through a message port, where large buffers are moved. A worker with nothing to do sleeps on a count
 * of what it has been sent.
 */
export interface ChannelData {
  readonly port: MessagePort
  readonly requests: SharedArrayBuffer
  readonly answers: SharedArrayBuffer
  readonly signals: Int32Array
}

/** Places in `signals`. */
const sent = 0
const sentByPort = 1
const isAsleep = 2
const isRung = 3
const isWatched = 4

/** 1 MiB each way: more than a worker is ever sent of small bodies at once. */
const ringWords = 128 * 1024

/** Bodies from which moving a buffer is cheaper than copying it twice. */
const ringBytesMax = 32 * 1024

/** Milliseconds that a worker stays awake for its next request; 0 where it would take the event loop's only core. */
const awakeMs = availableParallelism() > 1 ? 1 : 0

/** Tells the event loop to look at the ring. */
const bell = 'bell'

/** The event loop's end. */
export class ParentEnd {
  readonly data: ChannelData
  private readonly port: MessagePort
  private readonly requests: Ring
  private readonly answers: Ring
  private readonly onMessage: (message: FromWorker) => void

  constructor(onMessage: (message: FromWorker) => void) {
    const { port1, port2 } = new MessageChannel()
    this.onMessage = onMessage
    this.port = port1
    this.requests = new Ring(Ring.memory(ringWords))
    this.answers = new Ring(Ring.memory(ringWords))
    this.data = {
      port: port2,
      requests: this.requests.shared,
      answers: this.answers.shared,
      signals: new Int32Array(new SharedArrayBuffer(20)),
    }
    this.port.on('message', (message: FromWorker | typeof bell) => {
      Atomics.store(this.data.signals, isRung, 0)
      this.look()
      if (message !== bell) onMessage(message)
    })
  }

  /** From now on answers are looked for, so that no bell need ring for them, until `look(false)`. */
  watch(): void {
    Atomics.store(this.data.signals, isWatched, 1)
  }

  /** Hands over the answers that have come; whether there are any. @param again Whether it will be called again shortly. */
  look(again = true): boolean {
    // Before it looks, so that an answer which is put in afterwards rings.
    if (!again) Atomics.store(this.data.signals, isWatched, 0)
    const outcomes = this.takeAnswers()
    if (outcomes.length > 0) this.onMessage({ kind: 'outcomes', outcomes })
    return outcomes.length > 0
  }

  post(message: ToWorker): void {
    const { signals } = this.data
    const rest = message.kind === 'predict' ? message.items.filter((item) => !this.putRequest(item)) : undefined
    if (!rest) this.postByPort(message, [])
    else if (rest.length > 0) this.postByPort({ kind: 'predict', items: rest }, ownBuffers(rest))
    Atomics.add(signals, sent, 1)
    if (Atomics.load(signals, isAsleep) === 1) Atomics.notify(signals, sent)
  }

  close(): void {
    this.port.close()
  }

  private postByPort(message: ToWorker, transfer: ArrayBuffer[]): void {
    this.port.postMessage(message, transfer)
    Atomics.add(this.data.signals, sentByPort, 1)
  }

  private putRequest({ id, body, deadline, contentMd5 }: PredictItem): boolean {
    if (contentMd5 !== undefined || body.length > ringBytesMax) return false
    return this.requests.put([id, deadline], body)
  }

  private takeAnswers(): Outcome[] {
    const outcomes: Outcome[] = []
    for (let record = this.answers.take(); record; record = this.answers.take()) {
      const [id = 0, decode = 0, compute = 0, encode = 0] = record.facts
      outcomes.push({ id, body: record.body, headers: undefined, stages: { decode, compute, encode } })
    }
    return outcomes
  }
}

/** The worker thread's end. */
export class WorkerEnd {
  private readonly data: ChannelData
  private readonly requests: Ring
  private readonly answers: Ring
  private seen = 0
  private seenByPort = 0
  /** Milliseconds from having nothing to do until there is something, lately. */
  private gapMs = 4 * awakeMs

  constructor(data: ChannelData) {
    this.data = data
    this.requests = new Ring(data.requests)
    this.answers = new Ring(data.answers)
  }

  /** Hands over what has come since the last call. */
  take(receive: (message: ToWorker) => void): void {
    const { signals, port } = this.data
    this.seen = Atomics.load(signals, sent)
    const items: PredictItem[] = []
    for (let record = this.requests.take(); record; record = this.requests.take()) {
      const [id = 0, deadline = 0] = record.facts
      items.push({ id, body: record.body, deadline })
    }
    if (items.length > 0) receive({ kind: 'predict', items })
    const byPort = Atomics.load(signals, sentByPort)
    if (byPort === this.seenByPort) return
    this.seenByPort = byPort
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) receive(next.message)
  }

  /**
   * Blocks the thread until something has been sent since the last `take`. While requests follow each other closely it stays
   * awake between them: to be woken takes longer than a small inference.
   */
  sleep(): void {
    const { signals } = this.data
    const start = performance.now()
    if (this.gapMs < awakeMs) {
      while (Atomics.load(signals, sent) === this.seen && performance.now() - start < awakeMs);
    }
    Atomics.store(signals, isAsleep, 1)
    Atomics.wait(signals, sent, this.seen)
    Atomics.store(signals, isAsleep, 0)
    this.gapMs += (Math.min(performance.now() - start, 4 * awakeMs) - this.gapMs) / 8
  }

  post(message: FromWorker): void {
    const { signals, port } = this.data
    if (message.kind !== 'outcomes') {
      port.postMessage(message)
      return
    }
    const rest = message.outcomes.filter((outcome) => !this.putAnswer(outcome))
    if (rest.length > 0) port.postMessage({ kind: 'outcomes', outcomes: rest }, ownBuffers(rest))
    else if (Atomics.load(signals, isWatched) === 0 && Atomics.exchange(signals, isRung, 1) === 0)
      port.postMessage(bell)
  }

  close(): void {
    this.data.port.close()
  }

  private putAnswer(outcome: Outcome): boolean {
    if ('error' in outcome || outcome.headers || outcome.notes || outcome.body.length > ringBytesMax) return false
    const { id, body, stages } = outcome
    return this.answers.put([id, stages.decode, stages.compute, stages.encode], body)
  }
}

/** The buffers behind large bodies, for transfer, where the body is all there is in its buffer. */
function ownBuffers(messages: readonly ({ readonly body: Uint8Array } | object)[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = []
  for (const message of messages) {
    if (!('body' in message) || message.body.byteLength !== message.body.buffer.byteLength) continue
    if (message.body.buffer instanceof ArrayBuffer && message.body.length > ringBytesMax)
      buffers.push(message.body.buffer)
  }
  return buffers
}
