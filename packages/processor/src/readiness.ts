import type { ItemCacheStatus } from '@eas/feature-store'
import type { Service } from './service.ts'
import type { WarmUpReport } from './warm-up/replay.ts'

export interface Readiness {
  readonly ready: boolean
  readonly services: readonly ServiceReadiness[]
}

export interface ServiceReadiness {
  readonly name: string
  /** `idle`: its model is loaded when it is asked for. */
  readonly state: 'idle' | 'loading' | 'ready' | 'failed' | 'draining'
  /** Of the model, as its origin names it. */
  readonly version?: string
  readonly execution_provider?: string
  readonly workers?: number
  readonly loadMs?: number
  /** What was replayed before the model was ready, and what it bought. */
  readonly warm_up?: WarmUpReport
  /** Of its item features: how many, as of when, and why they are no newer. */
  readonly items?: ItemCacheStatus
  readonly error?: string
}

/** What keeps a process from being ready, whatever its models say. */
export interface ProcessState {
  readonly isDraining: boolean
  readonly isRehearsing: boolean
  /** Models are loaded when they are asked for. */
  readonly isLazy: boolean
}

/** What `/readyz` says. */
export function readinessOf(
  services: readonly Service[],
  { isDraining, isRehearsing, isLazy }: ProcessState,
): Readiness {
  const readiness = services.map((service): ServiceReadiness => {
    const { name } = service.spec
    const state = service.state()
    if (isDraining) return { name, state: 'draining' }
    if (state.state === 'failed') return { name, state: 'failed', error: state.error.message }
    if (state.state === 'idle') return { name, state: service.isEvicted || isLazy ? 'idle' : 'loading' }
    if (state.state !== 'ready') return { name, state: state.state }
    if (isRehearsing) return { name, state: 'loading' }
    const { execution_provider, loadMs } = state.info
    const { version = '', warmUpReport, itemsStatus } = service
    return {
      name,
      state: 'ready',
      version,
      execution_provider,
      workers: state.workers,
      loadMs: Math.round(loadMs),
      ...(warmUpReport && { warm_up: warmUpReport }),
      ...(itemsStatus && { items: itemsStatus }),
    }
  })
  // A model that is loaded when it is asked for is as ready as it will be.
  return { ready: readiness.every(({ state }) => state === 'ready' || state === 'idle'), services: readiness }
}
