/**
 * How many rows a call takes. Larger calls waste less on what each costs; past some size they only take memory. So the
 * number doubles for as long as rows get cheaper by it, and stays.
 */
export class BatchSizer {
  rows: number
  private readonly max: number
  private settled = false
  private best = Number.POSITIVE_INFINITY
  private calls = 0
  private spentMs = 0
  private scored = 0

  /** @param fixed Rows that are asked for; then nothing is tried. */
  constructor(fixed: number | undefined, max = rowsMax) {
    this.max = max
    this.rows = Math.min(fixed ?? rowsFirst, max)
    this.settled = fixed !== undefined
  }

  /** What a call of `rows` rows took. */
  tell(rows: number, ms: number): void {
    if (this.settled || rows < this.rows) return
    this.calls++
    this.spentMs += ms
    this.scored += rows
    // The first call of a size is slower: the model allocates.
    if (this.calls === 1) {
      this.spentMs = 0
      this.scored = 0
    }
    if (this.calls < callsEach) return
    const msPerRow = this.spentMs / this.scored
    this.calls = 0
    this.spentMs = 0
    this.scored = 0
    if (msPerRow > this.best * worthwhile) {
      this.settled = true
      this.rows /= 2
    } else if (this.rows * 2 > this.max) this.settled = true
    else {
      this.best = msPerRow
      this.rows *= 2
    }
  }
}

const rowsFirst = 32
const rowsMax = 4096
const callsEach = 4
/** A doubling that saves less than this share is not worth its memory. */
const worthwhile = 0.95
