import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BatchScorer, batchService, serviceOf, serviceScorer } from '@eas/batch'
import type { ServiceSpec } from '@eas/processor'
import { createLogger, createProcessor, loadServices, type Processor, settingsFromEnv } from '@eas/processor'

const examples = join(import.meta.dirname, '../../../packages/cli/examples/digits')

/** A held-out digit, and what the frameworks that the models were trained in make of it. */
export interface HeldOut {
  readonly input: readonly number[]
  readonly torchScores: readonly number[]
  readonly tfScores: readonly number[]
}

export const heldOut: readonly HeldOut[] = JSON.parse(readFileSync(join(examples, 'held-out.json'), 'utf8')).rows

export interface Digits {
  readonly processor: Processor
  readonly service: ServiceSpec
  readonly scorer: BatchScorer
}

/** The digits service, in this thread. @param file `service.json` for PyTorch, `service-tf.json` for TensorFlow. */
export async function startDigits(file: 'service.json' | 'service-tf.json'): Promise<Digits> {
  const settings = settingsFromEnv({ EAS_ISOLATION: 'inline' })
  const path = join(examples, file)
  const { services } = await loadServices([{ path, text: readFileSync(path, 'utf8') }], settings)
  const [spec] = services
  if (!spec) throw new Error(`${path} has a service`)
  const service = batchService(spec)
  const processor = createProcessor({ services: [service], settings, log: createLogger('silent', false) })
  return { processor, service, scorer: serviceScorer(serviceOf({ processor, service })) }
}

/** The largest difference between two lists of numbers. */
export function farthest(a: readonly number[], b: readonly number[]): number {
  let most = a.length === b.length ? 0 : Number.POSITIVE_INFINITY
  for (const [i, value] of a.entries()) most = Math.max(most, Math.abs(value - (b[i] ?? Number.NaN)))
  return most
}
