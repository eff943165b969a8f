import {
  type Content,
  GraphBuilder,
  Guards,
  type ImportedModel,
  ImportRefusal,
  type InputSpec,
  type Model,
  type ModelSource,
  refuse,
  writeModel,
} from '@eas/onnx'
import { Archive, NeedBytes } from './archive.ts'
import { hintsOf, makeInputs, tracedSpecs } from './inputs.ts'
import { describeOutput, flattenOutputs } from './outputs.ts'
import { describe, type TorchScriptDescription } from './parameters.ts'
import { Program } from './program.ts'
import { changedSince, stateOf } from './state.ts'
import type { Py } from './values.ts'
import { Raised, Vm } from './vm.ts'

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
export const importerVersion = '1'

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
  const root = archive.root()
  const name = options.method ?? 'forward'
  const definition = program.class(root.type)?.methods.get(name)
  if (!definition) throw refuse(`the model has no method ${name}`)
  const examples = options.inputs ? undefined : archive.tracedInputs(name)
  const specs = options.inputs ?? (examples && tracedSpecs(examples, definition)) ?? []
  const g = new GraphBuilder(new Guards(hintsOf(specs)))
  const vm = new Vm(archive, g, program)
  vm.restoreObjects(root)
  const { args, inputs } = makeInputs(
    vm,
    definition,
    specs,
    new Map(Object.entries(options.arguments ?? {}).map(([k, v]) => [k, toPy(v)])),
  )
  if (vm.reasons.length > 0) throw new ImportRefusal(vm.reasons)
  const before = stateOf(vm, root)
  const result = noting(vm, () => vm.callMethod(root, name, args))
  for (const attribute of changedSince(vm, before, root))
    vm.g.warnings.add(
      `The model keeps ${attribute} from one call to the next; here every request starts from the file's`,
    )
  const outputs = noting(vm, () => flattenOutputs(vm, result, new Set(inputs.map((i) => i.name))))
  if (vm.reasons.length > 0) throw new ImportRefusal(vm.reasons)
  return {
    model: g.finish(outputs.values, { name: 'eas-functions', version: importerVersion }),
    inputs,
    outputs: outputs.values.map(describeOutput),
    structure: outputs.structure,
    guards: g.guards.all,
    assumptions: [...g.assumptions],
    warnings: [...g.warnings],
    ops: [...vm.ops].sort(),
  }
}

/** What is nested too deep for the stack, or too large for an array, is the archive's doing. */
function contained<T>(evaluate: () => T): T {
  try {
    return evaluate()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw refuse(`the archive asks for too much: ${error.message}`, '', 'Save the model again with torch.jit.save')
  }
}

const toPy = (v: boolean | number | string | null): Py => (typeof v === 'number' && Number.isInteger(v) ? BigInt(v) : v)

/** Adds the reason that ends evaluation to those noted on the way. */
function noting<T>(vm: Vm, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (error instanceof Raised)
      vm.refused([
        {
          what: `the model raises: ${error.message}`,
          where: '',
          remedy: 'Give inputs of the sizes and types the model expects',
        },
      ])
    else if (error instanceof ImportRefusal) vm.refused(error.reasons)
    else throw error
    throw new ImportRefusal(vm.reasons)
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
