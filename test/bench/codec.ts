import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Tensor } from '@eas/base'
import { torchPredict, torchrecPredict } from '@eas/protocol'
import { type Bench, roundsFromEnv } from './bench.ts'
import { interleave, median, medianRatio } from './interleave.ts'
import {
  bypassRequest,
  pbRequestType,
  predictRequestType,
  randomFloats,
  randomNumbers,
  rankingRequest,
} from './messages.ts'

/**
 * Bytes to tensors and back, against a copy of the same bytes into memory as fresh as what the codec allocates, and
 * against protobufjs on the same .proto files.
 */
export const codec: Bench = {
  name: 'codec',
  summary: 'decoding and encoding of messages, against memcpy and protobufjs',
  async run(report) {
    const rounds = roundsFromEnv(31)
    const options = { rounds, warmUps: 5, settle: collectYoung }
    const misaligned = bypassRequest(1)
    const aligned = bypassRequest(0)
    checkAgree(misaligned)
    checkAgree(aligned)
    const megabytes = `${(misaligned.length / 1e6).toFixed(1)} MB`

    const bypass = await interleave(
      {
        memcpy: timed(() => memcpy(misaligned)),
        misaligned: timed(() => torchPredict.decodeRequest(misaligned)),
        aligned: timed(() => torchPredict.decodeRequest(aligned)),
      },
      options,
    )
    // Apart, for it leaves a heap that all others would have to grow through.
    const reflected = await interleave(
      {
        ours: timed(() => torchPredict.decodeRequest(misaligned)),
        protobufjs: timed(() => decodeByProtobufjs(misaligned)),
      },
      options,
    )
    const copy = `memcpy of its ${megabytes}, ${ms(bypass.memcpy)}`
    report.figure({
      figure: 'decode bypass request, floats copied',
      value: medianRatio(bypass.misaligned, bypass.memcpy),
      unit: 'x',
      against: copy,
      goal: { max: 2 },
    })
    report.figure({
      figure: 'decode bypass request, floats viewed',
      value: medianRatio(bypass.aligned, bypass.memcpy),
      unit: 'x',
      against: copy,
      goal: { max: 0.25 },
    })
    report.figure({
      figure: 'decode bypass request, times faster',
      value: medianRatio(reflected.protobufjs, reflected.ours),
      unit: 'x',
      against: `protobufjs, ${ms(reflected.protobufjs)}`,
      goal: { min: 8 },
    })

    const response = { outputs: [floatTensor([300, 10, 768])], map_outputs: new Map<string, Tensor>() }
    const responseBytes = torchPredict.encodeResponse(response)
    const encoding = await interleave(
      {
        memcpy: timed(() => memcpy(responseBytes)),
        encode: timed(() => torchPredict.encodeResponse(response)),
      },
      options,
    )
    report.figure({
      figure: 'encode float response',
      value: medianRatio(encoding.encode, encoding.memcpy),
      unit: 'x',
      against: `memcpy of its ${(responseBytes.length / 1e6).toFixed(1)} MB, ${ms(encoding.memcpy)}`,
      goal: { max: 1.3 },
    })

    const ranking = rankingRequest()
    const pbRequest = await interleave(
      {
        ours: timed(() => torchrecPredict.decodeRequest(ranking)),
        protobufjs: timed(() => pbRequestType.decode(ranking)),
      },
      // Small objects by the thousand: here compilers need their time, and the collector's is part of the price.
      { rounds, warmUps: 20 },
    )
    report.figure({
      figure: `decode ${Math.round(ranking.length / 1e3)} KB PBRequest, times faster`,
      value: medianRatio(pbRequest.protobufjs, pbRequest.ours),
      unit: 'x',
      against: `protobufjs, ${ms(pbRequest.protobufjs)}`,
      goal: { min: 8 },
    })
  },
}

const ms = (samples: readonly number[]) => `${median(samples).toPrecision(3)} ms`

const result: { kept: unknown } = { kept: undefined }

/** Milliseconds of one call, whose result is kept until its time is over. */
const timed = (work: () => unknown) => () => {
  const start = performance.now()
  result.kept = work()
  const elapsed = performance.now() - start
  result.kept = undefined
  return elapsed
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as (options: { type: 'minor' }) => void // what the flag exposes

/** Frees what the last sample left, so that none pays for its neighbour, and memory is as fresh for one as for the next. */
const collectYoung = () => gc({ type: 'minor' })

/** The fastest copy Node has: the destination is not zeroed first. */
function memcpy(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}

function floatTensor(shape: readonly number[]): Tensor {
  const length = shape.reduce((size, dim) => size * dim, 1)
  return { dtype: 'float32', shape, data: randomFloats(length, randomNumbers(7)) }
}

interface ArrayMessage {
  readonly float_val: readonly number[]
  readonly int64_val: readonly { readonly low: number; readonly high: number }[]
}

/** As far as a session needs it: typed arrays, int64 as 64 bits. */
function decodeByProtobufjs(bytes: Uint8Array): (Float32Array | BigInt64Array)[] {
  const { inputs } = predictRequestType.decode(bytes) as unknown as { inputs: readonly ArrayMessage[] } // by its .proto
  return inputs.map(({ float_val, int64_val }) => {
    if (int64_val.length === 0) return new Float32Array(float_val)
    const halves = new Int32Array(int64_val.length * 2)
    for (const [i, { low, high }] of int64_val.entries()) {
      halves[i * 2] = low
      halves[i * 2 + 1] = high
    }
    return new BigInt64Array(halves.buffer)
  })
}

/** Both decoders read the same, or their times would say nothing. */
function checkAgree(bytes: Uint8Array): void {
  const theirs = decodeByProtobufjs(bytes)
  for (const [i, input] of torchPredict.decodeRequest(bytes).inputs.entries()) {
    const data = input?.data
    const other = theirs[i]
    if (!ArrayBuffer.isView(data) || !other || Buffer.compare(bytesOf(data), bytesOf(other)) !== 0) {
      throw new Error(`The decoders disagree about inputs[${i}]`)
    }
  }
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
