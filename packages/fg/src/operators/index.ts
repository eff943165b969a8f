import type { Operator } from '../operator.ts'
import { boolMaskFeature } from './bool-mask.ts'
import { combineFeature } from './combine.ts'
import { comboFeature } from './combo.ts'
import { customFeature } from './custom.ts'
import { exprFeature } from './expr.ts'
import { idFeature } from './id.ts'
import { kvDotProduct } from './kv-dot-product.ts'
import { lookupFeature } from './lookup.ts'
import { matchFeature } from './match.ts'
import { overlapFeature } from './overlap.ts'
import { rawFeature } from './raw.ts'
import { regexReplaceFeature } from './regex-replace.ts'
import { textNormalizer } from './text-normalizer.ts'
import { tokenizeFeature } from './tokenize.ts'

/** Every operator, in the order of the documentation. */
export const operators: readonly Operator[] = [
  idFeature,
  rawFeature,
  comboFeature,
  combineFeature,
  lookupFeature,
  matchFeature,
  exprFeature,
  overlapFeature,
  tokenizeFeature,
  textNormalizer,
  kvDotProduct,
  boolMaskFeature,
  regexReplaceFeature,
  customFeature,
]

/** Operators of the documentation whose parameters it does not give. */
export const unsupportedOperators: readonly string[] = ['bm25_feature', 'slice_feature']

export const operatorByType: ReadonlyMap<string, Operator> = new Map(
  operators.flatMap((operator) => [[operator.feature_type, operator]] as const),
)
