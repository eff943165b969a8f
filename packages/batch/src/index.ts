export { type Batch, createBatch, type Place, type RunOptions } from './batch.ts'
export { BatchError } from './batch-error.ts'
export { type Clock, systemClock } from './clock.ts'
export type { ChunkRecord, Cursor, Manifest, PartRecord } from './engine/records.ts'
export type { ChunkSize } from './engine/row-chunks.ts'
export type { FailureRule, ObjectOutcome, Progress } from './engine/score-object.ts'
export { type BatchCore, type BatchLog, batchScorerFromEnv, batchService, placeOf, serviceOf } from './from-env.ts'
export { type ObjectReference, type ObjectScorer, type Outcome, objectScorer } from './object-scorer.ts'
export {
  type BatchOptions,
  batchOptionsFromEnv,
  batchVariables,
  configOf,
  defaultOptions,
  failuresAbove,
  renderBatchVariables,
} from './options.ts'
export { estimateWork, type WorkEstimate } from './plan/estimate.ts'
export { hasRows, type ListedObject, listObjects } from './plan/list-objects.ts'
export {
  type PlannedItem,
  type PlannedTask,
  type PlanTarget,
  type PlanTargetName,
  planTargetNames,
  planTargets,
  planWork,
} from './plan/work-plan.ts'
export { inputFormatNames } from './read/formats.ts'
export { type Mapping, parseMapping } from './rows/mapping.ts'
export { type RunAllOptions, type RunReport, runAll } from './run-all.ts'
export type { BatchScorer, CallOptions, ModelFacts, ModelValue } from './scorer.ts'
export { type Service, serviceScorer } from './service-scorer.ts'
export { outputFormatNames } from './write/formats.ts'
