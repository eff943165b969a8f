import {
  type Content,
  type ImportedModel,
  ImportRefusal,
  type InputSpec,
  type Model,
  type ModelSource,
  refuse,
  writeModel,
} from '@eas/onnx'
import { Archive, NeedBytes } from './archive.ts'
import { type Callable, evaluate, prepare, specsOf } from './evaluate.ts'
import { limits } from './limits.ts'
import { describeOutput } from './outputs.ts'
import { describe, type TorchScriptDescription } from './parameters.ts'
import { Program } from './program.ts'
import { isSettled, readOfState } from './settled.ts'
import { type Changes, changesSince, refusalOf, refuseSharedChanges, stateOf } from './state.ts'
import type { Vm } from './vm.ts'

export interface ImportTorchScriptOptions {
  /** Name of the archive's file, relative to the ONNX file, under which weights refer to it. */
  readonly location: string
  /** What each input will be given. Default: what a traced archive says it was exported with. */
  readonly inputs?: readonly InputSpec[]
  /** Method to lower. Default: `forward`. */
  readonly method?: string
  /** Arguments that are no tensors, by parameter. Default: those the code gives, and the CPU as device. */
  readonly arguments?: Readonly<Record<string, boolean | number | string | null>>
}

/** Of this importer; changes when the same archive would become another graph. */
export const importerVersion = '5'

/** Runs until everything it asked for is read: small tensors come in two or three steps, per-layer scales in some more. */
const maxRuns = 64

/**
 * Lowers a TorchScript archive to ONNX. Reads its end only; weights stay where they are and are referred to.
 * @throws {ImportRefusal} With every reason found.
 */
export async function importTorchScript(
  source: ModelSource,
  options: ImportTorchScriptOptions,
): Promise<ImportedModel> {
  const archive = await Archive.open(source, options.location)
  await archive.loadConstants()
  const program = new Program(archive)
  for (let run = 0; run < maxRuns; run++) {
    try {
      const { model, ...facts } = contained(() => lower(archive, program, options))
      const placed = await placeCopies(archive, model)
      return { ...facts, model: writeModel(placed), externalData: usesExternal(placed) ? [options.location] : [] }
    } catch (error) {
      if (!(error instanceof NeedBytes)) throw error
      await archive.load(error.copies)
    }
  }
  throw refuse('the code reads the contents of too many tensors', '', 'Freeze the model with torch.jit.freeze')
}

/** Parameters and methods of an archive, without lowering it. @throws {ImportRefusal} When it is no TorchScript archive. */
export async function describeTorchScript(source: ModelSource): Promise<TorchScriptDescription> {
  return describe(await Archive.open(source, 'model.pt'))
}

type Lowered = Omit<ImportedModel, 'model' | 'externalData'> & { readonly model: Model }

function lower(archive: Archive, program: Program, options: ImportTorchScriptOptions): Lowered {
  const model = { archive, program, method: options.method ?? 'forward', arguments: options.arguments ?? {} }
  const specs = specsOf(model, options.inputs)
  const call = prepare(model, specs)
  const { vm, root, inputs } = call
  const before = stateOf(vm, root)
  const { values, structure } = evaluate(call)
  const changes = changesSince(vm, before, root)
  refuseSharedChanges(vm, before, changes)
  if (changes.size > 0) judgeState(model, specs, vm, changes)
  if (vm.reasons.length > 0) throw new ImportRefusal(vm.reasons)
  return {
    model: vm.g.finish(values, producer),
    inputs,
    outputs: values.map(describeOutput),
    structure,
    guards: vm.g.guards.all,
    assumptions: [...vm.g.assumptions],
    warnings: [...vm.g.warnings],
    isRandom: vm.g.isRandom,
    ops: [...vm.ops].sort(),
  }
}

/** What every call changes: refused where outputs of later calls are computed from it, a warning otherwise. */
function judgeState(model: Callable, specs: readonly InputSpec[], vm: Vm, changes: Changes): void {
  const read = readOfState(model, specs, changes)
  const isHarmless = read.size === 0 || (vm.spent <= limits.settlingWork && isSettled(model, specs))
  const refused = isHarmless ? new Set<string>() : read
  for (const [path, change] of changes) {
    if (refused.has(path)) vm.refused([refusalOf(path, change)])
    else vm.g.warnings.add(`The model changes ${path}; no output depends on it, so it stays as it is in the file`)
  }
}

const producer = { name: 'eas-functions', version: importerVersion }

/** What is nested too deep for the stack, or too large for an array, is the archive's doing. */
function contained<T>(evaluate: () => T): T {
  try {
    return evaluate()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw refuse(`the archive asks for too much: ${error.message}`, '', 'Save the model again with torch.jit.save')
  }
}

/** Puts weights that had to be rearranged into the model. */
async function placeCopies(archive: Archive, model: Model): Promise<Model> {
  const replaced = new Map<Content, Content>()
  for (const { content } of model.graph.initializer) {
    if (!('bytes' in content) || content.bytes.length > 0) continue
    const bytes = await archive.rearranged(content)
    if (bytes) replaced.set(content, { bytes })
  }
  if (replaced.size === 0) return model
  const initializer = model.graph.initializer.map((i) => ({ ...i, content: replaced.get(i.content) ?? i.content }))
  return { ...model, graph: { ...model.graph, initializer } }
}

const usesExternal = (model: Model): boolean => model.graph.initializer.some((i) => 'external' in i.content)
