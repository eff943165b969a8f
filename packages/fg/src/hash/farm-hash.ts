import {
  type Code,
  doWhile,
  giveBack,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
  type WasmFunction,
  when,
} from './wasm.ts'

const k0 = i64.const(0xc3a5c85c97cb3127n)
const k1 = i64.const(0xb492b66fbe98f273n)
const k2 = i64.const(0x9ae16a3b2f90404fn)

const rotr = (value: Code, bits: number) => i64.rotr(value, i64.const(BigInt(bits)))

/**
 * FarmHash `Fingerprint64`, TensorFlow's `string_to_hash_bucket_fast` before the modulo: `farmhashna::Hash64`.
 * Names are those of the C++ source.
 *
 * @see https://github.com/google/farmhash/blob/master/src/farmhash.cc (namespace farmhashna)
 */
export function defineFarmHash(wasm: ModuleBuilder): WasmFunction {
  const shiftMix = wasm.define('shiftMix', ['i64'], 'i64', ([v]) => i64.xor(v.get, i64.shrU(v.get, i64.const(47n))))
  const hashLen16 = wasm.define('hashLen16', ['i64', 'i64', 'i64'], 'i64', ([u, v, mul], local) => {
    const a = local('i64')
    return [
      ...a.set(shiftMix.call(i64.mul(i64.xor(u.get, v.get), mul.get))),
      ...i64.mul(shiftMix.call(i64.mul(i64.xor(v.get, a.get), mul.get)), mul.get),
    ]
  })
  const hashLen0to16 = wasm.define('hashLen0to16', ['i32', 'i32'], 'i64', ([s, length], local) =>
    upTo16(s, length, local, hashLen16, shiftMix),
  )
  const hashLen17to64 = wasm.define('hashLen17to64', ['i32', 'i32'], 'i64', ([s, length], local) =>
    upTo64(s, length, local, hashLen16),
  )
  const hashLonger = wasm.define('hashLonger', ['i32', 'i32'], 'i64', ([s, length], local) =>
    over64(s, length, local, hashLen16, shiftMix),
  )
  return wasm.define('farmHash', ['i32', 'i32'], 'i64', ([s, length]) => {
    return [
      ...when(i32.leU(length.get, i32.const(16)), giveBack(hashLen0to16.call(s.get, length.get))),
      ...when(i32.leU(length.get, i32.const(64)), giveBack(hashLen17to64.call(s.get, length.get))),
      ...hashLonger.call(s.get, length.get),
    ]
  })
}

type MakeLocal = (type: 'i32' | 'i64') => Local

/** `k2 + len * 2`. */
const mulOf = (length: Local) => i64.add(k2, i64.extend(i32.shl(length.get, i32.const(1))))

/** The address `back` bytes before the end of the text. */
const fromEnd = (s: Local, length: Local, back: number) => i32.add(s.get, i32.sub(length.get, i32.const(back)))

function upTo16(s: Local, length: Local, local: MakeLocal, hashLen16: WasmFunction, shiftMix: WasmFunction): Code {
  const [mul, a, b, y, z] = [local('i64'), local('i64'), local('i64'), local('i64'), local('i64')]
  return [
    ...mul.set(mulOf(length)),
    ...when(i32.geU(length.get, i32.const(8)), [
      ...a.set(i64.add(i64.load(s.get), k2)),
      ...b.set(i64.load(fromEnd(s, length, 8))),
      ...giveBack(
        hashLen16.call(
          i64.add(i64.mul(rotr(b.get, 37), mul.get), a.get),
          i64.mul(i64.add(rotr(a.get, 25), b.get), mul.get),
          mul.get,
        ),
      ),
    ]),
    ...when(
      i32.geU(length.get, i32.const(4)),
      giveBack(
        hashLen16.call(
          i64.add(i64.extend(length.get), i64.shl(i64.load32(s.get), i64.const(3n))),
          i64.load32(fromEnd(s, length, 4)),
          mul.get,
        ),
      ),
    ),
    ...when(length.get, [
      ...y.set(
        i64.add(
          i64.load8(s.get),
          i64.shl(i64.load8(i32.add(s.get, i32.shrU(length.get, i32.const(1)))), i64.const(8n)),
        ),
      ),
      ...z.set(i64.add(i64.extend(length.get), i64.shl(i64.load8(fromEnd(s, length, 1)), i64.const(2n)))),
      ...giveBack(i64.mul(shiftMix.call(i64.xor(i64.mul(y.get, k2), i64.mul(z.get, k0))), k2)),
    ]),
    ...k2,
  ]
}

/** `HashLen17to32` and `HashLen33to64`, which begins with the same steps. */
function upTo64(s: Local, length: Local, local: MakeLocal, hashLen16: WasmFunction): Code {
  const [mul, a, b, c, y, z] = [local('i64'), local('i64'), local('i64'), local('i64'), local('i64'), local('i64')]
  const [e, f, g] = [local('i64'), local('i64'), local('i64')]
  return [
    ...mul.set(mulOf(length)),
    ...b.set(i64.load(s.get, 8)),
    ...c.set(i64.mul(i64.load(fromEnd(s, length, 8)), mul.get)),
    ...a.set(i64.mul(i64.load(s.get), k1)),
    // The one difference: k2 in place of k1.
    ...when(i32.ltU(i32.const(32), length.get), a.set(i64.mul(i64.load(s.get), k2))),
    ...y.set(i64.add(rotr(i64.add(a.get, b.get), 43), rotr(c.get, 30), i64.mul(i64.load(fromEnd(s, length, 16)), k2))),
    ...z.set(hashLen16.call(y.get, i64.add(a.get, rotr(i64.add(b.get, k2), 18), c.get), mul.get)),
    ...when(i32.leU(length.get, i32.const(32)), giveBack(z.get)),
    ...e.set(i64.mul(i64.load(s.get, 16), mul.get)),
    ...f.set(i64.load(s.get, 24)),
    ...g.set(i64.mul(i64.add(y.get, i64.load(fromEnd(s, length, 32))), mul.get)),
    ...hashLen16.call(
      i64.add(
        rotr(i64.add(e.get, f.get), 43),
        rotr(g.get, 30),
        i64.mul(i64.add(z.get, i64.load(fromEnd(s, length, 24))), mul.get),
      ),
      i64.add(e.get, rotr(i64.add(f.get, a.get), 18), g.get),
      mul.get,
    ),
  ]
}

function over64(s: Local, length: Local, local: MakeLocal, hashLen16: WasmFunction, shiftMix: WasmFunction): Code {
  const [x, y, z, mul, swapped] = [local('i64'), local('i64'), local('i64'), local('i64'), local('i64')]
  const v = { first: local('i64'), second: local('i64') }
  const w = { first: local('i64'), second: local('i64') }
  const [a, b] = [local('i64'), local('i64')]
  const [blocksEnd, rest] = [local('i32'), local('i32')]

  /** `WeakHashLen32WithSeeds(s + offset, seedA, seedB)` into `pair`. */
  const weakHash = (pair: typeof v, offset: number, seedA: Code, seedB: Code): Code => [
    ...a.set(seedA),
    ...b.set(seedB),
    ...a.add(i64.load(s.get, offset)),
    ...b.set(rotr(i64.add(b.get, a.get, i64.load(s.get, offset + 24)), 21)),
    ...pair.second.set(a.get), // c
    ...a.set(i64.add(a.get, i64.load(s.get, offset + 8), i64.load(s.get, offset + 16))),
    ...b.add(rotr(a.get, 44)),
    ...pair.first.set(i64.add(a.get, i64.load(s.get, offset + 24))),
    ...pair.second.add(b.get),
  ]
  /** One block of 64 bytes: the loop with `k1` and 1, the last block with `mul` and 9. */
  const block = (factor: Code, nine: bigint): Code => {
    const times = (value: Code) => (nine === 1n ? value : i64.mul(value, i64.const(nine)))
    return [
      ...x.set(i64.mul(rotr(i64.add(x.get, y.get, v.first.get, i64.load(s.get, 8)), 37), factor)),
      ...y.set(i64.mul(rotr(i64.add(y.get, v.second.get, i64.load(s.get, 48)), 42), factor)),
      ...x.set(i64.xor(x.get, times(w.second.get))),
      ...y.set(i64.add(y.get, times(v.first.get), i64.load(s.get, 40))),
      ...z.set(i64.mul(rotr(i64.add(z.get, w.first.get), 33), factor)),
      ...weakHash(v, 0, i64.mul(v.second.get, factor), i64.add(x.get, w.first.get)),
      ...weakHash(w, 32, i64.add(z.get, w.second.get), i64.add(y.get, i64.load(s.get, 16))),
      ...swapped.set(z.get),
      ...z.set(x.get),
      ...x.set(swapped.get),
    ]
  }
  const seed = 81n
  return [
    ...y.set(i64.add(i64.mul(i64.const(seed), k1), i64.const(113n))),
    ...z.set(i64.mul(shiftMix.call(i64.add(i64.mul(y.get, k2), i64.const(113n))), k2)),
    ...x.set(i64.add(i64.mul(i64.const(seed), k2), i64.load(s.get))),
    ...rest.set(i32.and(i32.sub(length.get, i32.const(1)), i32.const(63))),
    ...blocksEnd.set(i32.add(s.get, i32.and(i32.sub(length.get, i32.const(1)), i32.const(-64)))),
    ...doWhile([...block(k1, 1n), ...s.add(i32.const(64))], i32.ne(s.get, blocksEnd.get)),
    ...mul.set(i64.add(k1, i64.shl(i64.and(z.get, i64.const(0xffn)), i64.const(1n)))),
    // The last 64 bytes of the text, which overlap the block before.
    ...s.set(i32.sub(i32.add(blocksEnd.get, rest.get), i32.const(63))),
    ...w.first.add(i64.extend(rest.get)),
    ...v.first.add(w.first.get),
    ...w.first.add(v.first.get),
    ...block(mul.get, 9n),
    ...hashLen16.call(
      i64.add(hashLen16.call(v.first.get, w.first.get, mul.get), i64.mul(shiftMix.call(y.get), k0), z.get),
      i64.add(hashLen16.call(v.second.get, w.second.get, mul.get), x.get),
      mul.get,
    ),
  ]
}
