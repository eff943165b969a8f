/** Ids that are looked for together. */
export const blockIds = 256

/** Ids of a request, in the form that those of a column can be compared with. A block of them at a time. */
export interface AskedKeys {
  /** Takes `count` ids from `first` on, at most `blockIds`, and writes the hash of each into `hashes`. */
  read(ids: readonly string[], first: number, count: number, hashes: Int32Array): void
  /** Has the processor fetch what rows are compared by; a row of -1 is none. */
  touch(rows: Int32Array, count: number): void
  /** Whether a row has the id that stands at `i` in the block. One that no item can have is in no row. */
  isIn(row: number, i: number): boolean
}
