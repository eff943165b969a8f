import type { Tensor } from '@eas/base'
import type { ModelInfo, ModelSession } from '../session.ts'
import type { Asked } from './lowering.ts'

/**
 * A model that answers: one session, or for a model that has to be lowered for the inputs it is given, as many as there are
 * kinds of inputs.
 */
export interface LoadedModel {
  /** Of the session that is in use. */
  readonly info: ModelInfo
  /** Whether these feeds, which fit `info`, may be given to the session in use. */
  accepts(feeds: ReadonlyMap<string, Tensor>): boolean
  /**
   * Puts a session into use that takes a request, where the one in use does not. Resolves to whether there is one.
   * Absent where there is only ever one session.
   */
  readonly adapt?: (request: Asked) => Promise<boolean>
  /** As `ModelSession.run`. */
  run(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Map<string, Tensor>
  release(): void
}

/** A model with one session for everything. */
export const loadedSession = (session: ModelSession): LoadedModel => ({
  info: session.info,
  accepts: () => true,
  run: (feeds, fetches) => session.run(feeds, fetches),
  release: () => session.release(),
})
