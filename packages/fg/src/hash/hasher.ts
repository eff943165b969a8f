import { once } from '@eas/base'
import { defineFarmHash } from './farm-hash.ts'
import { defineStdHash } from './std-hash.ts'
import { doWhile, f64, i32, i64, type ModuleBuilder, moduleBuilder, type WasmFunction, when } from './wasm.ts'

/** Which hash `hash_bucket_size` uses: `std` is libstdc++'s `std::hash<std::string>`, `farm` FarmHash Fingerprint64. */
export type HashKind = 'std' | 'farm'

/** Texts hashed per call of the module, and the bytes they may have: small enough to stay in a core's own cache. */
const textsPerCall = 8192
const bytesPerCall = 256 * 1024

/** Where what is in the module's memory: offsets, then results, then the texts, then what the hash reads past them. */
const resultsAt = 4 * (textsPerCall + 8)
const textsAt = resultsAt + 8 * textsPerCall
const padding = 8
const pageBytes = 65_536

/** What the module exports: `count` texts hashed, modulo `buckets` (0 for none), into the results. */
type Loop = (count: number, buckets: bigint) => void

interface Hasher {
  readonly offsets: Int32Array
  readonly texts: Uint8Array
  /** The same memory as the loop for its output type wrote it. */
  readonly int64: BigInt64Array
  readonly float64: Float64Array
  readonly halves: Uint32Array
  readonly loops: { readonly [kind in HashKind]: { readonly int64: Loop; readonly float64: Loop } }
}

/** Bytes of texts are at `textsAt + offsets[i]`; results are stored by `store`. */
function defineLoop(
  wasm: ModuleBuilder,
  name: string,
  hash: WasmFunction,
  store: (address: readonly number[], value: readonly number[]) => readonly number[],
): void {
  wasm.define(name, ['i32', 'i64'], undefined, ([count, buckets], local) => {
    const [offset, result, resultsEnd] = [local('i32'), local('i32'), local('i32')]
    const [start, value] = [local('i32'), local('i64')]
    const body = [
      ...start.set(i32.load(offset.get)),
      ...value.set(hash.call(i32.add(i32.const(textsAt), start.get), i32.sub(i32.load(offset.get, 4), start.get))),
      ...when(i64.ne(buckets.get, i64.const(0n)), value.set(i64.remU(value.get, buckets.get))),
      ...store(result.get, value.get),
      ...offset.add(i32.const(4)),
      ...result.add(i32.const(8)),
    ]
    return [
      ...result.set(i32.const(resultsAt)),
      ...resultsEnd.set(i32.add(i32.const(resultsAt), i32.shl(count.get, i32.const(3)))),
      ...doWhile(body, i32.ne(result.get, resultsEnd.get)),
    ]
  })
}

const { WebAssembly: api } = globalThis as unknown as { WebAssembly: WebAssemblyApi } // as every Node has it

const compiled = once(() => {
  const wasm = moduleBuilder()
  const hashes = { std: defineStdHash(wasm), farm: defineFarmHash(wasm) }
  for (const [kind, hash] of Object.entries(hashes)) {
    defineLoop(wasm, `${kind}Int64`, hash, i64.store)
    defineLoop(wasm, `${kind}Float64`, hash, (address, value) => f64.store(address, f64.convertU(value)))
  }
  return new api.Module(wasm.build())
})

/** What is used of Node's `WebAssembly`, whose values @types/node 20 does not declare. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (limits: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: object } },
  ) => { readonly exports: { readonly [name: string]: unknown } }
}

function makeHasher(textBytes: number): Hasher {
  const memory = new api.Memory({ initial: Math.ceil((textsAt + textBytes + padding) / pageBytes) })
  const { exports } = new api.Instance(compiled(), { env: { memory } })
  const loop = (name: string) => exports[name] as Loop // by `defineLoop`
  return {
    offsets: new Int32Array(memory.buffer, 0, textsPerCall + 1),
    texts: new Uint8Array(memory.buffer, textsAt),
    int64: new BigInt64Array(memory.buffer, resultsAt, textsPerCall),
    float64: new Float64Array(memory.buffer, resultsAt, textsPerCall),
    halves: new Uint32Array(memory.buffer, resultsAt, 2),
    loops: {
      std: { int64: loop('stdInt64'), float64: loop('stdFloat64') },
      farm: { int64: loop('farmInt64'), float64: loop('farmFloat64') },
    },
  }
}

const sharedHasher = once(() => makeHasher(bytesPerCall))

/** The hasher kept for all, or for a text too long for it one with a memory of its own, which is not kept. */
export const hasherFor = (textBytes: number): Hasher =>
  textBytes <= bytesPerCall ? sharedHasher() : makeHasher(textBytes)

/**
 * Texts `from` … of a pool whose offsets are rising, as many as one call takes: the index after the last.
 * @throws {RangeError} when an offset goes back or past the bytes.
 */
export function chunkEnd(offsets: Int32Array, byteLength: number, from: number): number {
  const first = offsets[from] ?? 0
  const last = Math.min(offsets.length - 1, from + textsPerCall)
  let before = first
  if (first < 0) throw new RangeError(`Cannot hash text ${from}: it begins at ${first}`)
  for (let i = from; i < last; i++) {
    const end = offsets[i + 1] ?? 0
    if (end < before || end > byteLength) {
      throw new RangeError(`Cannot hash text ${i}: it is bytes ${before} to ${end} of ${byteLength}`)
    }
    if (end - first > bytesPerCall && i > from) return i
    before = end
  }
  return last
}
