import { EasError, oneLine, type Tensor } from '@eas/base'
import { guardsHold, type ImportedModel, ImportRefusal, type InputSpec, joinChunks } from '@eas/onnx'
import { createSession, type ModelInfo, type ModelSession, type SessionOptions } from '../session.ts'
import { ExampleShapes } from './example-shapes.ts'
import type { LoadedModel, RequestTensors } from './loaded-model.ts'

/** Lowers a model to ONNX, for the inputs given or those it names itself. */
export interface Lowering {
  /** Folder that the lowered model's weights are in. */
  readonly folder: string
  /** @throws {ImportRefusal} */
  lower(inputs: readonly InputSpec[] | undefined): Promise<ImportedModel>
  /** Names of the inputs, as far as the model says them. */
  inputNames(): Promise<readonly string[]>
}

/** One kind of inputs that the model has been lowered for. */
interface Variant {
  readonly imported: ImportedModel
  readonly session: ModelSession
}

/** Sessions of one model. The one used least recently goes for a further one. */
const variantsMax = 8
/** Requests that the model could not be lowered for, until no more is tried: each costs as long as a good one. */
const refusalsMax = 32

/**
 * Loads a model that has to be lowered to ONNX. One that does not say what its inputs are is lowered for the first request;
 * one that decides by the sizes of its inputs, again for a request it would decide otherwise for.
 *
 * @throws {EasError} `not_ready` with every reason why the model cannot be lowered.
 */
export async function lowerModel(lowering: Lowering, options: SessionOptions): Promise<LoadedModel> {
  const start = performance.now()
  const variants: Variant[] = []
  const shapes = new ExampleShapes()
  const refused = new Map<string, string>()

  async function add(imported: ImportedModel): Promise<Variant> {
    const onnx = { bytes: joinChunks(imported.model), folder: lowering.folder }
    const session = await createSession({ onnx, isOptimised: false }, options)
    const { info } = session
    const warnings = [...info.warnings, ...imported.warnings.map((text) => oneLine(text, 300))]
    const variant = {
      imported,
      session: { ...session, info: { ...info, warnings, loadMs: performance.now() - start } },
    }
    variants.unshift(variant)
    for (const old of variants.splice(variantsMax)) old.session.release()
    return variant
  }

  try {
    const imported = await lowering.lower(undefined)
    shapes.add(imported.inputs.map(({ name, dtype, shape }) => [name, { dtype, shape: shape.map(sizeOf) }]))
    await add(imported)
  } catch (thrown) {
    if (!(thrown instanceof ImportRefusal)) throw thrown
    if (!needsInputs(thrown))
      throw new EasError('not_ready', `Cannot load the model: ${reasonsOf(thrown)}`, { cause: thrown })
  }
  const pending: ModelInfo = {
    inputs: (await lowering.inputNames()).map((name) => ({ name, dtype: undefined, shape: undefined })),
    outputs: [],
    execution_provider: options.executionProviders[0] ?? 'cpu',
    warnings: ['The model does not say what its inputs are: it is lowered for the first request'],
    loadMs: performance.now() - start,
    isProvisional: false,
  }
  const fits = ({ imported }: Variant, feeds: ReadonlyMap<string, Tensor>) =>
    imported.inputs.every(({ name, dtype }) => feeds.get(name)?.dtype === dtype) &&
    guardsHold(
      imported.guards,
      imported.inputs.map(({ shape }) => shape),
      imported.inputs.map(({ name }) => feeds.get(name)?.shape ?? []),
    )

  return {
    get info() {
      return variants[0]?.session.info ?? pending
    },
    accepts: (feeds) => variants[0] !== undefined && fits(variants[0], feeds),
    async adapt(tensors) {
      const known = variants.findIndex((variant) => fits(variant, feedsOf(variant.imported, tensors)))
      if (known >= 0) {
        variants.unshift(...variants.splice(known, 1))
        return true
      }
      const kind = [...tensors].map(([input, { dtype, shape }]) => `${input} ${dtype} ${shape}`).join()
      const reason = refused.get(kind)
      if (reason !== undefined) throw new EasError('invalid_request', reason)
      if (refused.size >= refusalsMax) return false
      try {
        shapes.add(tensors)
        await add(await lowering.lower(shapes.specs().filter(({ input }) => tensors.has(input))))
        return true
      } catch (thrown) {
        if (!(thrown instanceof ImportRefusal)) throw thrown
        const message = `Cannot use the inputs: ${reasonsOf(thrown)}`
        refused.set(kind, message)
        throw new EasError('invalid_request', message, { cause: thrown })
      }
    },
    run(feeds, fetches) {
      const [variant] = variants
      if (!variant) throw new EasError('not_ready', 'The model has not been lowered yet')
      return variant.session.run(feeds, fetches)
    },
    release() {
      for (const { session } of variants.splice(0)) session.release()
    },
  }
}

/** A size to begin with for a label: `n4` was 4 in the example the model was traced with. */
const sizeOf = (label: number | string) =>
  typeof label === 'number' ? label : Number(/^n(\d+)$/.exec(label)?.[1] ?? 1)

/** A request's tensors under the names of the model's inputs: by those, or by position. */
function feedsOf({ inputs }: ImportedModel, tensors: RequestTensors): ReadonlyMap<string, Tensor> {
  return new Map(
    inputs.flatMap(({ name }, position) => {
      const tensor = tensors.get(name) ?? tensors.get(position)
      return tensor ? [[name, tensor] as const] : []
    }),
  )
}

/** Whether all that is missing is what the inputs are. */
const needsInputs = ({ reasons }: ImportRefusal) =>
  reasons.every(({ what }) => what.startsWith('nothing says what the input'))

const reasonsOf = ({ reasons }: ImportRefusal) =>
  oneLine(
    reasons.map(({ what, where, remedy }) => `${what}${where && ` (${where})`}${remedy && `: ${remedy}`}`).join('; '),
    2000,
  )
