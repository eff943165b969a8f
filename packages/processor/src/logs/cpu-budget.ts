/**
 * A share of a thread's time, saved up for bursts: work that is worth doing while it does not slow the rest down.
 */
export class CpuBudget {
  private readonly share: number
  private readonly burstMs: number
  private readonly now: () => number
  private savedMs: number
  private at: number

  /**
   * @param share Of the time that passes.
   * @param burstMs What is saved at most; what there is at the beginning.
   */
  constructor(share: number, burstMs: number, now: () => number = () => performance.now()) {
    this.share = share
    this.burstMs = burstMs
    this.now = now
    this.savedMs = burstMs
    this.at = now()
  }

  /** Does the work if there is something left for it. A long one leaves a debt. */
  spend<T>(work: () => T): T | undefined {
    const start = this.now()
    this.savedMs = Math.min(this.burstMs, this.savedMs + (start - this.at) * this.share)
    this.at = start
    if (this.savedMs <= 0) return undefined
    const result = work()
    this.savedMs -= this.now() - start
    return result
  }
}
