import { TokenizerError } from './tokenizer.ts'

/**
 * Byte strings with numbers, walked byte by byte. Children are kept in one hash table of (node, byte), so a vocabulary
 * of a quarter of a million pieces is a few arrays.
 */
export class ByteTrie {
  /** Slots of a key, -1 where there is none, and the child. */
  #slots = new Int32Array(2048).fill(-1)
  /** Children of the root, by byte: most steps are from there. */
  readonly #first = new Int32Array(256).fill(-1)
  /** By node: bytes from the root. */
  #depths = new Int32Array(512)
  /** By node; -1 where no string ends. */
  #values = new Int32Array(512).fill(-1)
  #nodes = 1

  static readonly root = 0

  /** Gives `value` to a string; false, and nothing changed, when the string has one. */
  insert(bytes: Uint8Array, value: number): boolean {
    let node = ByteTrie.root
    for (const byte of bytes) {
      const child = this.step(node, byte)
      node = child < 0 ? this.#add(node, byte) : child
    }
    if (this.value(node) >= 0) return false
    this.#values[node] = value
    return true
  }

  /** The child of a node by a byte, or -1. */
  step(node: number, byte: number): number {
    if (node === ByteTrie.root) return this.#first[byte] as number // a byte, and the slots below are within by `mask`
    const key = (node << 8) | byte
    const mask = this.#slots.length - 2
    for (let slot = hash(key) & mask; ; slot = (slot + 2) & mask) {
      const found = this.#slots[slot] as number
      if (found === key) return this.#slots[slot + 1] as number
      if (found === -1) return -1
    }
  }

  /** The node that `bytes` from `start` to `end` lead to, or -1. */
  walk(from: number, bytes: Uint8Array, start: number, end: number): number {
    let node = from
    for (let at = start; at < end && node >= 0; at++) node = this.step(node, bytes[at] as number) // in range
    return node
  }

  /** The number of the string that ends at a node, or -1. */
  value(node: number): number {
    return this.#values[node] as number // nodes come from `step`
  }

  /** Bytes from the root to a node. */
  depth(node: number): number {
    return this.#depths[node] as number
  }

  #add(node: number, byte: number): number {
    // (node << 8) | byte must stay a positive int32.
    if (this.#nodes >= 2 ** 23) {
      throw new TokenizerError('Cannot hold a vocabulary: more than 8,388,608 distinct beginnings')
    }
    if (this.#nodes * 4 >= this.#slots.length) this.#grow()
    const child = this.#nodes++
    this.#depths[child] = (this.#depths[node] as number) + 1
    if (node === ByteTrie.root) this.#first[byte] = child
    else this.#place((node << 8) | byte, child)
    return child
  }

  #place(key: number, child: number): void {
    const mask = this.#slots.length - 2
    let slot = hash(key) & mask
    while (this.#slots[slot] !== -1) slot = (slot + 2) & mask
    this.#slots[slot] = key
    this.#slots[slot + 1] = child
  }

  #grow(): void {
    const slots = this.#slots
    this.#slots = new Int32Array(slots.length * 2).fill(-1)
    for (let slot = 0; slot < slots.length; slot += 2) {
      if (slots[slot] !== -1) this.#place(slots[slot] as number, slots[slot + 1] as number)
    }
    const values = this.#values
    this.#values = new Int32Array(values.length * 2).fill(-1)
    this.#values.set(values)
    const depths = this.#depths
    this.#depths = new Int32Array(depths.length * 2)
    this.#depths.set(depths)
  }
}

/** Even numbers, of which slots begin at. */
function hash(key: number): number {
  const mixed = Math.imul(key ^ (key >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) << 1
}
