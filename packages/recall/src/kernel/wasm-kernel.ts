import { assembleModule } from './assembler.ts'
import { blockRows, type Kernel, type Metric, maxDimension } from './kernel.ts'
import { scoreFunctions } from './score-functions.ts'

const pageBytes = 65_536
/** The file lies behind the query, the scores and the row numbers. */
const queryAt = 0
const scoresAt = queryAt + maxDimension * 4
const rowsAt = scoresAt + blockRows * 4
const fileAt = rowsAt + blockRows * 4

/** Bytes of the largest file: 4 GiB of a 32-bit memory, less what lies before the file. */
export const maxWasmFileBytes = 2 ** 32 - fileAt

type ScoreFunction = (
  query: number,
  rows: number,
  count: number,
  dimension: number,
  out: number,
  indices: number,
) => void

/** The part of WebAssembly that is used here: the es2023 library does not declare it, and dom's would bring a browser along. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}
/** Missing under `--jitless`. */
const wasm = (globalThis as { readonly WebAssembly?: Wasm }).WebAssembly

let compiled: object | undefined

/**
 * Memory for a file of `fileBytes`, to be filled before `kernel` is called.
 *
 * @throws When there is no WebAssembly with SIMD here, or no such memory.
 */
export function wasmMemory(fileBytes: number): { readonly bytes: Uint8Array; readonly kernel: () => Kernel } {
  if (!wasm) throw new Error('WebAssembly is not available')
  compiled ??= new wasm.Module(assembleModule(scoreFunctions))
  const pages = Math.ceil((fileAt + fileBytes) / pageBytes)
  const memory = new wasm.Memory({ initial: pages, maximum: pages })
  const { exports } = new wasm.Instance(compiled, { env: { memory } })
  // The exports are `scoreFunctions`, by their names.
  const functions = exports as ScoreFunctions
  return {
    bytes: new Uint8Array(memory.buffer, fileAt, fileBytes),
    kernel: () => wasmKernel(functions, memory.buffer, fileBytes),
  }
}

type ScoreFunctions = { readonly [name in `${'score' | 'scoreAt'}_${Metric}`]: ScoreFunction }

function wasmKernel(functions: ScoreFunctions, buffer: ArrayBuffer, fileBytes: number): Kernel {
  const score = { ip: functions.score_ip, l2: functions.score_l2 }
  const scoreAt = { ip: functions.scoreAt_ip, l2: functions.scoreAt_l2 }
  const query = new Float32Array(buffer, queryAt, maxDimension)
  return {
    kind: 'wasm',
    file: new DataView(buffer, fileAt, fileBytes),
    scores: new Float32Array(buffer, scoresAt, blockRows),
    rows: new Uint32Array(buffer, rowsAt, blockRows),
    setQuery: (values) => query.set(values),
    score: (metric, offset, count, dimension) =>
      score[metric](queryAt, fileAt + offset, count, dimension, scoresAt, rowsAt),
    scoreAt: (metric, offset, count, dimension) =>
      scoreAt[metric](queryAt, fileAt + offset, count, dimension, scoresAt, rowsAt),
  }
}
