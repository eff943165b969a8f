export { type DebugLevel, debugLevels, renderDebugLevels } from './debug-level.ts'
export type { ModelIo, ModelValue } from './model-io.ts'
export type { Recommendation } from './recommendation.ts'
export { openRecommender, type Recommender, type RecommenderConfig, type RecommenderOptions } from './recommender.ts'
