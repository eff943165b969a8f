/**
 * FarmHash's `Fingerprint64` (`farmhashna::Hash64`), behind `string_to_hash_bucket_fast` and hashed crosses, SipHash-2-4,
 * behind `string_to_hash_bucket_strong`, and how TensorFlow combines fingerprints. Names are those of the C++ sources.
 * @see https://github.com/google/farmhash/blob/master/src/farmhash.cc (namespace farmhashna)
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/platform/fingerprint.h
 */

const k0 = 0xc3a5c85c97cb3127n
const k1 = 0xb492b66fbe98f273n
const k2 = 0x9ae16a3b2f90404fn

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x)
const mul = (a: bigint, b: bigint): bigint => BigInt.asUintN(64, a * b)
const rotate = (x: bigint, bits: bigint): bigint => (x >> bits) | BigInt.asUintN(64, x << (64n - bits))
const rotateLeft = (x: bigint, bits: bigint): bigint => rotate(x, 64n - bits)
const shiftMix = (x: bigint): bigint => x ^ (x >> 47n)

function hashLen16(u: bigint, v: bigint, factor: bigint): bigint {
  const a = shiftMix(mul(u ^ v, factor))
  return mul(shiftMix(mul(v ^ a, factor)), factor)
}

/** FarmHash of the bytes, unsigned. */
export function fingerprint64(bytes: Uint8Array): bigint {
  const s = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const n = bytes.length
  if (n <= 16) return upTo16(s, n)
  return n <= 64 ? upTo64(s, n) : longer(s, n)
}

const at = (s: DataView, i: number): bigint => s.getBigUint64(i, true)

function upTo16(s: DataView, n: number): bigint {
  const factor = k2 + BigInt(n * 2)
  if (n >= 8) {
    const a = u64(at(s, 0) + k2)
    const b = at(s, n - 8)
    return hashLen16(u64(mul(rotate(b, 37n), factor) + a), mul(u64(rotate(a, 25n) + b), factor), factor)
  }
  if (n >= 4)
    return hashLen16(BigInt(n) + (BigInt(s.getUint32(0, true)) << 3n), BigInt(s.getUint32(n - 4, true)), factor)
  if (n === 0) return k2
  const y = BigInt(s.getUint8(0) + s.getUint8(n >> 1) * 256)
  const z = BigInt(n + s.getUint8(n - 1) * 4)
  return mul(shiftMix(mul(y, k2) ^ mul(z, k0)), k2)
}

function upTo64(s: DataView, n: number): bigint {
  const factor = k2 + BigInt(n * 2)
  const a = mul(at(s, 0), n <= 32 ? k1 : k2)
  const b = at(s, 8)
  const c = mul(at(s, n - 8), factor)
  const y = u64(rotate(u64(a + b), 43n) + rotate(c, 30n) + mul(at(s, n - 16), k2))
  const z = hashLen16(y, u64(a + rotate(u64(b + k2), 18n) + c), factor)
  if (n <= 32) return z
  const e = mul(at(s, 16), factor)
  const f = at(s, 24)
  const g = mul(u64(y + at(s, n - 32)), factor)
  const h = mul(u64(z + at(s, n - 24)), factor)
  return hashLen16(u64(rotate(u64(e + f), 43n) + rotate(g, 30n) + h), u64(e + rotate(u64(f + a), 18n) + g), factor)
}

function weakHash(s: DataView, i: number, seedA: bigint, seedB: bigint): [bigint, bigint] {
  let a = u64(seedA + at(s, i))
  let b = rotate(u64(seedB + a + at(s, i + 24)), 21n)
  const c = a
  a = u64(a + at(s, i + 8) + at(s, i + 16))
  b = u64(b + rotate(a, 44n))
  return [u64(a + at(s, i + 24)), u64(b + c)]
}

function longer(s: DataView, n: number): bigint {
  const seed = 81n
  let x = seed
  let y = u64(mul(seed, k1) + 113n)
  let z = mul(shiftMix(u64(mul(y, k2) + 113n)), k2)
  let v: [bigint, bigint] = [0n, 0n]
  let w: [bigint, bigint] = [0n, 0n]
  x = u64(mul(x, k2) + at(s, 0))
  const rest = (n - 1) & 63
  const end = n - 1 - rest
  /** One block of 64 bytes: the loop with `k1` and 1, the last block with a factor of its own and 9. */
  const block = (i: number, factor: bigint, nine: bigint): void => {
    x = mul(rotate(u64(x + y + v[0] + at(s, i + 8)), 37n), factor)
    y = mul(rotate(u64(y + v[1] + at(s, i + 48)), 42n), factor)
    x ^= mul(w[1], nine)
    y = u64(y + mul(v[0], nine) + at(s, i + 40))
    z = mul(rotate(u64(z + w[0]), 33n), factor)
    v = weakHash(s, i, mul(v[1], factor), u64(x + w[0]))
    w = weakHash(s, i + 32, u64(z + w[1]), u64(y + at(s, i + 16)))
    ;[x, z] = [z, x]
  }
  for (let i = 0; i < end; i += 64) block(i, k1, 1n)
  const factor = u64(k1 + ((z & 0xffn) << 1n))
  w[0] = u64(w[0] + BigInt(rest))
  v[0] = u64(v[0] + w[0])
  w[0] = u64(w[0] + v[0])
  block(n - 64, factor, 9n)
  return hashLen16(
    u64(hashLen16(v[0], w[0], factor) + mul(shiftMix(y), k0) + z),
    u64(hashLen16(v[1], w[1], factor) + x),
    factor,
  )
}

const kMul = 0xc6a4a7935bd1e995n

/** `FingerprintCat64`: one fingerprint of two. */
export function fingerprintCat(a: bigint, b: bigint): bigint {
  let result = u64(a) ^ kMul
  result ^= mul(shiftMix(mul(u64(b), kMul)), kMul)
  result = mul(result, kMul)
  result = mul(shiftMix(result), kMul)
  return shiftMix(result)
}

/** SipHash-2-4 under a key of two numbers. @see J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF" (2012) */
export function sipHash(bytes: Uint8Array, key0: bigint, key1: bigint): bigint {
  let [v0, v1, v2, v3] = [
    0x736f6d6570736575n ^ key0,
    0x646f72616e646f6dn ^ key1,
    0x6c7967656e657261n ^ key0,
    0x7465646279746573n ^ key1,
  ]
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = u64(v0 + v1)
      v1 = rotateLeft(v1, 13n) ^ v0
      v0 = rotateLeft(v0, 32n)
      v2 = u64(v2 + v3)
      v3 = rotateLeft(v3, 16n) ^ v2
      v0 = u64(v0 + v3)
      v3 = rotateLeft(v3, 21n) ^ v0
      v2 = u64(v2 + v1)
      v1 = rotateLeft(v1, 17n) ^ v2
      v2 = rotateLeft(v2, 32n)
    }
  }
  const take = (m: bigint): void => {
    v3 ^= m
    rounds(2)
    v0 ^= m
  }
  const s = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length & ~7
  for (let i = 0; i < whole; i += 8) take(at(s, i))
  let last = BigInt(bytes.length & 0xff) << 56n
  for (let i = whole; i < bytes.length; i++) last |= BigInt(bytes[i] ?? 0) << BigInt(8 * (i - whole))
  take(last)
  v2 ^= 0xffn
  rounds(4)
  return v0 ^ v1 ^ v2 ^ v3
}

/** TensorFlow's own hash, behind `string_to_hash_bucket`: MurmurHash64A. @see core/platform/hash.cc (r1.12) Hash64 */
export function hash64(bytes: Uint8Array, seed = 0xdecafcaffen): bigint {
  const s = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length & ~7
  let h = seed ^ mul(BigInt(bytes.length), kMul)
  for (let i = 0; i < whole; i += 8) h = mul(h ^ mul(shiftMix(mul(at(s, i), kMul)), kMul), kMul)
  if (whole < bytes.length) {
    let last = 0n
    for (let i = whole; i < bytes.length; i++) last |= BigInt(bytes[i] ?? 0) << BigInt(8 * (i - whole))
    h = mul(h ^ last, kMul)
  }
  return shiftMix(mul(shiftMix(h), kMul))
}
