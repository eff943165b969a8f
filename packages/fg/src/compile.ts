import { assert, limits } from '@eas/base'
import { bucketizeOnly } from './bucketize-only.ts'
import { optionalText, readKeys, shown } from './config-key.ts'
import type { CustomOperator } from './custom-operator.ts'
import { type FeatureEntry, readDocument } from './document.ts'
import { FgConfigError } from './error.ts'
import { type BuildContext, FeatureBuild } from './feature-build.ts'
import type { FgInput } from './frame.ts'
import { FeatureGenerator, type TensorType } from './generator.ts'
import { parseFgJson } from './json.ts'
import { fgLimits } from './limits.ts'
import type { FeatureFunction } from './operator.ts'
import { officialOperators } from './operators/custom-operators.ts'
import { operatorByType, unsupportedOperators } from './operators/index.ts'
import { inOrder, userFeatures } from './order.ts'
import { createTokenizer } from './text/index.ts'
import { type Tokenizer, tokenizerKey, tokenizerType } from './tokenizers.ts'

export interface FgOptions {
  /** Contents of a file that the document names (`vocab_file`, `stop_char_file`); names are relative to `fg.json`. */
  readonly asset?: (name: string) => Uint8Array | Promise<Uint8Array>
  /** `model_acc.json`. Without it `env` says the same things. */
  readonly modelAcc?: { readonly [name: string]: unknown } | undefined
  /** `processor_envs`: `USE_FARM_HASH_TO_BUCKETIZE`, and `INPUT_TILE` where there is no `modelAcc`. */
  readonly env?: { readonly [name: string]: string | undefined }
  /** Operators of `custom_feature` by `operator_name`; they take precedence over the official ones. */
  readonly operators?: ReadonlyMap<string, CustomOperator>
  /** Types of the model's inputs by name: lengths and ids are made in them. Default int64 for ids, see `generate`. */
  readonly tensorTypes?: ReadonlyMap<string, TensorType>
  /** FG_BUCKETIZE: columns have the features' names and hold their values before bucketizing. */
  readonly bucketizeOnly?: boolean
}

/**
 * Compiles an `fg.json` into a generator. Everything is read here, once; a request runs closures over typed columns.
 *
 * @param document Its text, or what `JSON.parse` made of it; from text, integers above 2^53 are exact.
 * @throws {FgConfigError} with everything that is wrong.
 */
export async function compileFg(document: unknown, options: FgOptions = {}): Promise<FeatureGenerator> {
  const problems: string[] = []
  const json = typeof document === 'string' || document instanceof Uint8Array ? parseFgJson(document) : document
  if (depthOf(json) > limits.jsonDepth) throw new FgConfigError([`nested deeper than ${limits.jsonDepth} levels`])
  const { features: listed, reserves } = readDocument(json, problems)
  const entries = options.bucketizeOnly ? listed.flatMap(bucketizeOnly) : listed
  const featureIndex = indexByName(entries, problems)
  const tokenizers = new Map<string, Tokenizer>()
  const assets = await loadAssets(entries, options.asset, tokenizers, problems)

  const slots = new Map<string, number>()
  const inputs: FgInput[] = []
  const columns = new Map<string, number>()
  const context: BuildContext = {
    problems,
    featureIndex,
    hash: isTrue(options.env?.USE_FARM_HASH_TO_BUCKETIZE) ? 'farm' : 'std',
    assets,
    tokenizers,
    vocabularies: new Map(),
    customOperators: new Map([...officialOperators, ...(options.operators ?? [])]),
    slot(key) {
      const known = slots.get(key) ?? slots.size
      slots.set(key, known)
      return known
    },
    columnSlot(input) {
      const key = JSON.stringify([input.side, input.name, input.sequence ?? null])
      const known = columns.get(key) ?? columns.size
      if (known === columns.size) inputs.push(input)
      columns.set(key, known)
      return known
    },
  }
  const builds = entries.map((entry, i) => new FeatureBuild(entry, i, context))
  const functions = builds.map((build) => compileFeature(build))
  const order = inOrder(builds, problems)
  if (problems.length > 0) throw new FgConfigError(problems)
  return new FeatureGenerator({
    builds,
    // Without a problem each feature has its function.
    functions: functions as FeatureFunction[],
    order,
    isUser: userFeatures(builds, order),
    inputs,
    slots: slots.size,
    reserves,
    inputTile: tileOf(options),
    int64Lengths: options.modelAcc?.SPARSE_INT64 === '1',
    tensorTypes: options.tensorTypes ?? new Map(),
  })
}

function compileFeature(build: FeatureBuild): FeatureFunction | undefined {
  const { feature_type, raw, where } = build.entry
  const operator = operatorByType.get(feature_type)
  if (!operator) {
    const why = unsupportedOperators.includes(feature_type) ? 'is not supported' : 'is not an operator'
    build.problem(`feature_type ${shown(feature_type)} ${why}`)
    return undefined
  }
  const { problems } = build.context
  const before = problems.length
  const config = readKeys(raw, operator.keys, where, problems)
  // A wrong value is replaced by the default, which is a right one, unless there had to be a value.
  const lacksOne = Object.entries(operator.keys).some(([name, spec]) => spec.required && config[name] === spec.default)
  if (problems.length > before && lacksOne) return undefined
  const compiled = operator.compile(config, build)
  assert(compiled || problems.length > 0, `${feature_type} refuses a feature without saying why`)
  return compiled
}

function indexByName(entries: readonly FeatureEntry[], problems: string[]): Map<string, number> {
  const index = new Map<string, number>()
  for (const [i, { name, where }] of entries.entries()) {
    if (index.has(name)) problems.push(`${where}: feature_name is taken by ${entries[index.get(name) ?? 0]?.where}`)
    else index.set(name, i)
  }
  return index
}

const assetName = optionalText('')

/** Files of every feature, each read once; tokenizers among them are made. */
async function loadAssets(
  entries: readonly FeatureEntry[],
  load: FgOptions['asset'],
  tokenizers: Map<string, Tokenizer>,
  problems: string[],
): Promise<Map<string, Uint8Array>> {
  const assets = new Map<string, Uint8Array>()
  for (const { raw, where, feature_type } of entries) {
    for (const key of ['vocab_file', 'stop_char_file']) {
      const name = Object.hasOwn(raw, key) ? assetName.parse(raw[key]) : undefined
      if (name === undefined) continue
      try {
        if (!assets.has(name)) assets.set(name, await readAsset(name, load))
        const type = tokenizerType.parse(raw.tokenizer_type ?? tokenizerType.default)
        if (feature_type !== 'tokenize_feature' || !type) continue
        const id = tokenizerKey(type, name)
        if (!tokenizers.has(id)) tokenizers.set(id, createTokenizer(type, assets.get(name) ?? new Uint8Array()))
      } catch (thrown) {
        problems.push(`${where}: ${key} ${shown(name)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
      }
    }
  }
  return assets
}

async function readAsset(name: string, load: FgOptions['asset']): Promise<Uint8Array> {
  if (!load) throw new Error('there is no place to read it from')
  const bytes = await load(name)
  if (bytes.length > fgLimits.vocabBytes) throw new Error(`${bytes.length} bytes are more than ${fgLimits.vocabBytes}`)
  return bytes
}

/** `INPUT_TILE` of model_acc.json, or where that file is not there, of the environment; its first character counts. */
function tileOf({ modelAcc, env }: FgOptions): 0 | 2 | 3 {
  const tile = String((modelAcc ?? env)?.INPUT_TILE ?? '').charAt(0)
  if (tile === '2') return 2
  return tile === '3' ? 3 : 0
}

const isTrue = (text: string | undefined): boolean => text === 'true' || text === '1'

/** Levels of nesting, no deeper than one more than is allowed. */
function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > limits.jsonDepth) return depth
  let deepest = depth + 1
  for (const item of Object.values(value)) {
    const below = depthOf(item, depth + 1)
    if (below > deepest) deepest = below
  }
  return deepest
}
