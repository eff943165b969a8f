import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ImportSavedModelOptions,
  importFrozenGraph,
  importSavedModel,
  type LoweredSignature,
  type ModelDirectory,
  prologueFromJson,
  prologueToJson,
  runPrologue,
} from '@eas/import-savedmodel'
import { ImportRefusal, type InputSpec, sourceOf } from '@eas/onnx'
import type { GoldenCase, GoldenModel, Run } from './golden-cases.ts'
import { difference, openSession } from './session.ts'

/** What is said of a model that answers as it should. */
export const same = 'as TensorFlow'

/** Relative to the largest value of an output, unless a case says otherwise. */
const tolerance = 1e-5

export const lowerCase = ({ graph, inputs, outputs }: GoldenCase): Promise<LoweredSignature> =>
  importFrozenGraph(sourceOf(graph), { inputs, outputs })

/** A model of the zoo lowered; its files are in memory. */
export function lowerModel({ kind, signature, files, runs }: GoldenModel): Promise<LoweredSignature> {
  const [first] = runs
  if (kind === 'savedmodel')
    return importWithShapes(directoryOf(files), runs, signature === undefined ? {} : { signature })
  const [graph = new Uint8Array()] = files.values()
  return importFrozenGraph(sourceOf(graph), {
    inputs: Object.keys(first?.feeds ?? {}),
    outputs: Object.keys(first?.fetches ?? {}),
  })
}

/** Inputs of unknown rank get that of the first request, as in a service. */
export async function importWithShapes(
  directory: ModelDirectory,
  runs: readonly Run[],
  options: ImportSavedModelOptions,
): Promise<LoweredSignature> {
  try {
    return await importSavedModel(directory, options)
  } catch (error) {
    if (!(error instanceof ImportRefusal && error.message.includes('nothing says what the input'))) throw error
    const inputs = Object.entries(runs[0]?.feeds ?? {}).map(
      ([input, { dtype, shape }]): InputSpec => ({
        input,
        dtype: dtype as InputSpec['dtype'],
        shape: shape.map(() => -1),
      }), // types a graph has
    )
    return importSavedModel(directory, { ...options, inputs })
  }
}

export const directoryOf = (files: ReadonlyMap<string, Uint8Array>): ModelDirectory => ({
  list: async () => [...files.keys()],
  open: async (name) => sourceOf(files.get(name) ?? new Uint8Array()),
})

/** Lowers a recorded graph, runs it as often as TensorFlow did, and says what differs. */
export async function compareCase(one: GoldenCase): Promise<string> {
  const model = await lowerCase(one)
  return (await compareRuns(model, one.runs, new Map(), one.tolerance)).what ?? same
}

export async function compareModel(one: GoldenModel): Promise<string> {
  const model = await lowerModel(one)
  const { what } = await compareRuns(model, one.runs, one.files, one.tolerance)
  return what ?? same
}

/** Weights of a model that lies in a folder. */
export const weightsIn = (folder: string, { externalData }: LoweredSignature): Map<string, Uint8Array> =>
  new Map(externalData.map((name) => [name, readFileSync(join(folder, name))]))

/** @param files Those that hold weights, by the names the ONNX file has for them. */
export async function compareRuns(
  model: LoweredSignature,
  runs: readonly Run[],
  files: ReadonlyMap<string, Uint8Array>,
  limit = tolerance,
): Promise<{ readonly what?: string; readonly worst: number }> {
  const external = model.externalData.map((path) => ({ path, data: files.get(path) ?? new Uint8Array() }))
  const session = await openSession(model, external)
  // As a prepared artifact keeps it.
  const prologue = model.prologue && prologueFromJson(prologueToJson(model.prologue))
  const positions = new Map(
    model.structure.kind === 'dict' ? model.structure.entries.map(([name], i) => [name, i]) : [],
  )
  let worst = 0
  try {
    for (const { feeds, fetches } of runs) {
      const out = await session.run(prologue ? runPrologue(prologue, feeds) : feeds)
      for (const [name, expected] of Object.entries(fetches)) {
        const output = model.outputs[positions.get(name) ?? -1]
        const { error, what } = difference(out[output?.name ?? name], expected)
        const shapes = Object.values(feeds).map(({ shape }) => `[${shape}]`)
        if (error > limit) return { what: `${name} for ${shapes}: ${what}`, worst: error }
        worst = Math.max(worst, error)
      }
    }
    return { worst }
  } finally {
    await session.release()
  }
}

/** Operators that a lowering met, and those the host runs as `host/…`. */
export async function opsOf(lowered: Promise<LoweredSignature>): Promise<string[]> {
  const model = await lowered.catch(() => undefined)
  return [...(model?.ops ?? []), ...(model?.prologue?.steps.map(({ op }) => `host/${op}`) ?? [])]
}
