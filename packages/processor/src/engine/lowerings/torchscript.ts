import { basename, dirname } from 'node:path'
import { describeTorchScript, importTorchScript } from '@eas/import-torchscript'
import type { Lowering } from '../lowering.ts'
import { fileSource } from './file-source.ts'

/** What a TorchScript archive is called by. */
const method = 'forward'

/** A TorchScript archive. Its ONNX model has the inputs and outputs of `forward`, and its weights are ranges of the archive. */
export async function torchScriptLowering(path: string): Promise<Lowering> {
  const source = fileSource(path)
  const location = basename(path)
  return {
    folder: dirname(path),
    entries: [method],
    entryFor: () => method,
    async describe() {
      const [forward] = (await describeTorchScript(source)).methods
      const tensors = forward?.parameters.filter(({ kind }) => kind === 'tensor') ?? []
      return { inputs: tensors.map(({ name }) => ({ name, dtype: undefined, shape: undefined })), outputs: [] }
    },
    async lower(name, specs) {
      const imported = await importTorchScript(source, { location, ...(specs && { inputs: specs }) })
      const { model, ops, assumptions, guards, warnings, isRandom } = imported
      const inputs = imported.inputs.map(({ key, position, ...value }) => ({
        ...value,
        input: key === undefined ? position : typeof key === 'number' ? key : value.name,
      }))
      const outputs = imported.outputs.map((value) => ({ ...value, onnx: value.name }))
      const entry = {
        kind: 'method' as const,
        name,
        inputs,
        outputs,
        guards,
        takesEmpty: false,
        prologue: undefined,
        warnings,
      }
      return { entry, model, ops, assumptions, isRandom }
    },
    close: () => source.close(),
  }
}
