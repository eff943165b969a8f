/** Bytes for tests that compress in different ways, the same on every machine and version. */
export const samples = {
  zeros: () => 0,
  noise: (random) => random(256),
  /** Two bits a byte: codes without matches. */
  digits: (random) => 0x30 + random(4),
  /** A period of 7 with a few faults: long overlapping matches. */
  pattern: (random, i) => (random(5000) === 0 ? random(256) : i % 7),
  /** Names out of a small set: short matches, as in a `PBRequest`. */
  words: (random, i) => (i % 12 < 8 ? 'feature_'.charCodeAt(i % 12) : 0x30 + random(10)),
  /** Runs of equal bytes, of lengths without a pattern. */
  runs: (random, _i, last) => (random(300) === 0 ? random(256) : last),
} as const satisfies Record<string, (random: (below: number) => number, i: number, last: number) => number>

export function sample(kind: keyof typeof samples, size: number): Uint8Array {
  let state = size + 1
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0 // Numerical Recipes' generator, whose upper bits are good
    return Math.floor((state / 2 ** 32) * below)
  }
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = samples[kind](random, i, bytes[i - 1] ?? 0)
  return bytes
}
