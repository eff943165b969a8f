import type { Tensor } from '@eas/base'
import { createSession, type ModelSession, type OpenableModel, type SessionOptions } from '../session.ts'
import type { Entry } from './lowering.ts'

/** A session of a lowered model, with the inputs and outputs that requests have for it. */
export async function createEntrySession(
  entry: Entry,
  model: OpenableModel,
  options: SessionOptions,
): Promise<ModelSession> {
  const session = await createSession({ ...model, takesEmpty: entry.takesEmpty }, options)
  const prepare = await prologueOf(entry)
  const onnxNames = new Map(entry.outputs.map(({ name, onnx }) => [name, onnx]))
  const { info } = session
  return {
    info: {
      ...info,
      inputs: entry.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      outputs: entry.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      warnings: [...info.warnings, ...entry.warnings],
      ...(entry.kind === 'signature' && { signature: entry.name }),
      ...(entry.kind === 'nodes' && { mustNameOutputs: true }),
    },
    run(feeds, fetches) {
      const results = session.run(
        prepare(feeds),
        fetches.map((name) => onnxNames.get(name) ?? name),
      )
      const outputs = new Map<string, Tensor>()
      for (const name of fetches) {
        const tensor = results.get(onnxNames.get(name) ?? name)
        if (tensor) outputs.set(name, tensor)
      }
      return outputs
    },
    release: () => session.release(),
  }
}

type Feeds = ReadonlyMap<string, Tensor>

async function prologueOf({ prologue }: Entry): Promise<(feeds: Feeds) => Feeds> {
  if (prologue === undefined) return (feeds) => feeds
  const { runPrologue } = await import('@eas/import-savedmodel')
  return (feeds) => new Map(Object.entries(runPrologue(prologue, Object.fromEntries(feeds))))
}
