import type { Service } from './service.ts'

/**
 * Keeps the models of a process within so many bytes: when one has been loaded, those that were used least recently leave,
 * but never one that has a request. What a model takes is reckoned by its files, which is what its weights are.
 */
export class MemoryBudget {
  private readonly services: readonly Service[]
  private readonly bytesMax: number

  /** @param bytesMax 0 for no limit. */
  constructor(services: readonly Service[], bytesMax: number) {
    this.services = services
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.services.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Makes room for the model that has just been loaded, which stays. */
  async fit(loaded: Service): Promise<void> {
    if (this.bytesMax === 0) return
    const leaving: Promise<void>[] = []
    const candidates = this.services.filter((service) => service !== loaded && service.isIdle)
    candidates.sort((a, b) => a.usedAt - b.usedAt)
    for (const service of candidates) {
      if (this.bytes <= this.bytesMax) break
      leaving.push(service.unload())
    }
    await Promise.all(leaving)
  }
}
