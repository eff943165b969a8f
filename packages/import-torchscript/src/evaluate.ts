import { GraphBuilder, Guards, type ImportedInput, ImportRefusal, type InputSpec, refuse } from '@eas/onnx'
import type { Archive } from './archive.ts'
import { hintsOf, makeInputs, tracedSpecs } from './inputs.ts'
import { flattenOutputs } from './outputs.ts'
import type { Program } from './program.ts'
import type { FunctionDef } from './script/ast.ts'
import type { Py, PyObject } from './values.ts'
import { Raised, Vm } from './vm.ts'

/** A method of a model, and what its parameters that are no tensors are given. */
export interface Callable {
  readonly archive: Archive
  readonly program: Program
  readonly method: string
  readonly arguments: Readonly<Record<string, boolean | number | string | null>>
}

/** A model as the file has it, and what it is about to be called with. */
export interface PreparedCall {
  readonly vm: Vm
  readonly root: PyObject
  readonly method: string
  readonly args: readonly Py[]
  readonly inputs: readonly ImportedInput[]
}

/** What the inputs are: as given, or as the archive says of the call it was traced with. */
export function specsOf(model: Callable, given: readonly InputSpec[] | undefined): readonly InputSpec[] {
  if (given) return given
  const examples = model.archive.tracedInputs(model.method)
  return (examples && tracedSpecs(examples, definitionOf(model, model.archive.root()))) ?? []
}

function definitionOf({ program, method }: Callable, root: PyObject): FunctionDef {
  const definition = program.class(root.type)?.methods.get(method)
  if (!definition) throw refuse(`the model has no method ${method}`)
  return definition
}

/**
 * @param g Where the call is to be evaluated. Default: a graph of its own.
 * @param prefix Of the names of the graph's inputs.
 */
export function prepare(
  model: Callable,
  specs: readonly InputSpec[],
  g = new GraphBuilder(new Guards(hintsOf(specs))),
  prefix = '',
): PreparedCall {
  const root = model.archive.root()
  const vm = new Vm(model.archive, g, model.program)
  vm.restoreObjects(root)
  const given = new Map(Object.entries(model.arguments).map(([name, value]) => [name, toPy(value)]))
  const { args, inputs } = makeInputs(vm, definitionOf(model, root), specs, given, prefix)
  if (vm.reasons.length > 0) throw new ImportRefusal(vm.reasons)
  return { vm, root, method: model.method, args, inputs }
}

const toPy = (v: boolean | number | string | null): Py => (typeof v === 'number' && Number.isInteger(v) ? BigInt(v) : v)

/** @throws {ImportRefusal} With every reason found. */
export function evaluate({ vm, root, method, args, inputs }: PreparedCall): ReturnType<typeof flattenOutputs> {
  const result = noting(vm, () => vm.callModel(root, method, args))
  const outputs = noting(vm, () => flattenOutputs(vm, result, new Set(inputs.map((i) => i.name))))
  if (vm.reasons.length > 0) throw new ImportRefusal(vm.reasons)
  return outputs
}

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
