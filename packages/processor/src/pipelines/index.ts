import type { Pipeline } from './pipeline.ts'
import { tfPipeline } from './tf.ts'
import { torchPipeline } from './torch.ts'

/** How a service reads its requests, as plain data that can cross to another thread. */
export type PipelineSpec =
  | { readonly kind: 'torch'; readonly outputs: readonly string[] }
  | { readonly kind: 'tf'; readonly signature_name: string }

export function createPipeline(spec: PipelineSpec): Pipeline {
  return spec.kind === 'torch' ? torchPipeline(spec.outputs) : tfPipeline(spec.signature_name)
}

export type { Pipeline, PredictCall } from './pipeline.ts'
