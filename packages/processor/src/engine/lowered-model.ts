import { EasError, oneLine, type Tensor } from '@eas/base'
import { guardsHold, ImportRefusal, joinChunks } from '@eas/onnx'
import type { ModelInfo, ModelSession, OpenableModel, SessionOptions } from '../session.ts'
import { createEntrySession } from './entry-session.ts'
import { ExampleShapes } from './example-shapes.ts'
import { type LoadedModel, loadedSession } from './loaded-model.ts'
import type { Asked, Entry, Lowering } from './lowering.ts'

/** One kind of request that there is a session for. */
interface Variant {
  readonly entry: Entry
  readonly session: ModelSession
}

/** The form of a model that was prepared: an entry that need not be lowered. */
export interface PreparedEntry {
  readonly entry: Entry
  readonly model: OpenableModel
}

/** Sessions of one model. The one used least recently goes for a further one. */
const variantsMax = 8
/** Requests that the model could not be lowered for, until no more is tried: each costs as long as a good one. */
const refusalsMax = 32

/**
 * Loads a model that has to be lowered to ONNX. One that does not say what its inputs are is lowered for the first request;
 * one that decides by the sizes of its inputs, again for a request it would decide otherwise for; and each signature when it
 * is first asked for.
 *
 * @throws {EasError} `not_ready` with every reason why the model cannot be lowered.
 */
export async function lowerModel(
  lowering: Lowering,
  options: SessionOptions,
  prepared?: PreparedEntry,
): Promise<LoadedModel> {
  const start = performance.now()
  const variants: Variant[] = []
  /** By entry: what requests have shown of its inputs. */
  const shapes = new Map<string, ExampleShapes>()
  const refused = new Map<string, string>()
  const shapesOf = (entry: string) => {
    const known = shapes.get(entry) ?? new ExampleShapes()
    shapes.set(entry, known)
    return known
  }

  async function add({ entry, model }: PreparedEntry): Promise<void> {
    const session = await createEntrySession(entry, model, options)
    const info = { ...session.info, ...defaultOf(entry), loadMs: performance.now() - start }
    variants.unshift({ entry, session: { ...session, info } })
    for (const old of variants.splice(variantsMax)) old.session.release()
  }
  async function lower(name: string, inputs: Parameters<Lowering['lower']>[1]): Promise<PreparedEntry> {
    const { entry, model } = await lowering.lower(name, inputs)
    const onnx = { bytes: joinChunks(model), folder: lowering.folder }
    return { entry, model: { onnx, isOptimised: false } }
  }

  const first = lowering.entryFor(undefined)
  const defaultOf = ({ kind }: Entry) =>
    kind === 'signature' && first !== undefined ? { defaultSignature: first } : undefined
  let pending: ModelInfo | undefined
  try {
    const made = prepared ?? (first === undefined ? undefined : await lower(first, undefined))
    if (made) {
      const { entry } = made
      shapesOf(entry.name).add(
        entry.inputs.map(({ input, dtype, shape }) => [input, { dtype, shape: shape.map(sizeOf) }]),
      )
      await add(made)
      if (entry.takesEmpty && entry.guards.length === 0 && lowering.entries?.length === 1) {
        lowering.close()
        return loadedSession((variants[0] as Variant).session) // it was added above
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof ImportRefusal)) throw thrown
    if (!needsInputs(thrown)) {
      lowering.close()
      throw refusedLoad(thrown)
    }
  }
  if (variants.length === 0) {
    pending = {
      ...(await lowering.describe()),
      execution_provider: options.executionProviders[0] ?? 'cpu',
      warnings: ['The model does not say how it is called: it is lowered for the first request'],
      loadMs: performance.now() - start,
      isProvisional: false,
    }
  }

  async function adapt(request: Asked): Promise<boolean> {
    const name = lowering.entryFor(request)
    if (name === undefined) return false
    const known = variants.findIndex(({ entry }) => entry.name === name && fits(entry, feedsOf(entry, request)))
    if (known >= 0) {
      variants.unshift(...variants.splice(known, 1))
      return true
    }
    const { tensors } = request
    const kind = [name, ...[...tensors].map(([input, { dtype, shape }]) => `${input} ${dtype} ${shape}`)].join()
    const reason = refused.get(kind)
    if (reason !== undefined) throw new EasError('invalid_request', reason)
    if (refused.size >= refusalsMax) return false
    try {
      const seen = shapesOf(name)
      seen.add(tensors)
      const specs = seen.specs().filter(({ input }) => tensors.has(input))
      await add(await lower(name, specs))
      return true
    } catch (thrown) {
      if (!(thrown instanceof ImportRefusal)) throw thrown
      const message = `Cannot use the inputs: ${reasonsOf(thrown)}`
      refused.set(kind, message)
      throw new EasError('invalid_request', message, { cause: thrown })
    }
  }

  return {
    get info() {
      return variants[0]?.session.info ?? (pending as ModelInfo) // one of the two there always is
    },
    accepts: (feeds) => variants[0] !== undefined && fits(variants[0].entry, feeds),
    adapt,
    run(feeds, fetches) {
      const [variant] = variants
      if (!variant) throw new EasError('not_ready', 'The model has not been lowered yet')
      return variant.session.run(feeds, fetches)
    },
    release() {
      for (const { session } of variants.splice(0)) session.release()
      lowering.close()
    },
  }
}

/** A size to begin with for a label: `n4` was 4 in the example the model was traced with. */
const sizeOf = (label: number | string) =>
  typeof label === 'number' ? label : Number(/^n(\d+)$/.exec(label)?.[1] ?? 1)

/** A request's tensors under the names of the entry's inputs: by those, or by position. */
function feedsOf({ inputs }: Entry, { tensors }: Asked): ReadonlyMap<string, Tensor> {
  return new Map(
    inputs.flatMap(({ name }, position) => {
      const tensor = tensors.get(name) ?? tensors.get(position)
      return tensor ? [[name, tensor] as const] : []
    }),
  )
}

/** Whether a request's tensors are of the kind that an entry was lowered for. */
function fits({ inputs, guards, takesEmpty }: Entry, feeds: ReadonlyMap<string, Tensor>): boolean {
  if (!inputs.every(({ name, dtype }) => feeds.get(name)?.dtype === dtype)) return false
  const given = inputs.map(({ name }) => feeds.get(name)?.shape ?? [])
  if (!takesEmpty) {
    const labelled = inputs.map(({ shape }) => shape)
    return guardsHold(guards, labelled, given)
  }
  return inputs.every(
    ({ shape }, i) =>
      shape.length === given[i]?.length &&
      shape.every((size, axis) => typeof size === 'string' || size === given[i]?.[axis]),
  )
}

/** Whether all that is missing is what the inputs are. */
const needsInputs = ({ reasons }: ImportRefusal) =>
  reasons.every(({ what }) => what.startsWith('nothing says what the input'))

/** What a load that an importer refused fails with; any other failure is as it was. */
export const refusedLoad = (thrown: unknown): unknown =>
  thrown instanceof ImportRefusal
    ? new EasError('not_ready', `Cannot load the model: ${reasonsOf(thrown)}`, { cause: thrown })
    : thrown

const reasonsOf = ({ reasons }: ImportRefusal) =>
  oneLine(
    reasons.map(({ what, where, remedy }) => `${what}${where && ` (${where})`}${remedy && `: ${remedy}`}`).join('; '),
    2000,
  )
