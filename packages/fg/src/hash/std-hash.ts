import { doWhile, i32, i64, type ModuleBuilder, type WasmFunction, when } from './wasm.ts'

const mul = i64.const(0xc6a4a7935bd1e995n)
const seed = i64.const(0xc70f6907n)

/**
 * `std::hash<std::string>` of libstdc++ on 64-bit: MurmurHash64A, but the tail is not multiplied before it is mixed in.
 * Reads up to 7 bytes past the text, which must be addressable.
 *
 * @see libstdc++-v3/libsupc++/hash_bytes.cc (GCC 14), `_Hash_bytes` for 8-byte size_t; the seed is
 *   `std::_Hash_impl::hash`'s in bits/functional_hash.h
 */
export function defineStdHash(wasm: ModuleBuilder): WasmFunction {
  return wasm.define('stdHash', ['i32', 'i32'], 'i64', ([at, length], local) => {
    const hash = local('i64')
    const word = local('i64')
    const blocksEnd = local('i32')
    const tail = local('i32')
    const shiftMix = (value: typeof hash) => i64.xor(value.get, i64.shrU(value.get, i64.const(47n)))
    return [
      ...hash.set(i64.xor(seed, i64.mul(i64.extend(length.get), mul))),
      ...blocksEnd.set(i32.add(at.get, i32.and(length.get, i32.const(-8)))),
      ...when(
        i32.ne(at.get, blocksEnd.get),
        doWhile(
          [
            ...word.set(i64.mul(i64.load(at.get), mul)),
            ...word.set(i64.mul(shiftMix(word), mul)),
            ...hash.set(i64.mul(i64.xor(hash.get, word.get), mul)),
            ...at.add(i32.const(8)),
          ],
          i32.ne(at.get, blocksEnd.get),
        ),
      ),
      ...tail.set(i32.and(length.get, i32.const(7))),
      ...when(tail.get, [
        // The low `tail` bytes of the next 8.
        ...word.set(
          i64.and(
            i64.load(at.get),
            i64.sub(i64.shl(i64.const(1n), i64.extend(i32.shl(tail.get, i32.const(3)))), i64.const(1n)),
          ),
        ),
        ...hash.set(i64.mul(i64.xor(hash.get, word.get), mul)),
      ]),
      ...hash.set(i64.mul(shiftMix(hash), mul)),
      ...shiftMix(hash),
    ]
  })
}
