import { EasError, oneLine } from '@eas/base'
import { folderOf, openSavedModel } from '@eas/import-savedmodel'
import type { Lowering } from '../lowering.ts'
import { loweredSignature, valueInfosOf } from './signature.ts'

/** A SavedModel in a folder: an entry for each of its signatures. Variables stay in its checkpoint. */
export async function savedModelLowering(folder: string): Promise<Lowering> {
  const model = await openSavedModel(folderOf(folder))
  const { signatures } = model
  const names = [...signatures.keys()]
  return {
    folder,
    entries: names.sort((a, b) => Number(b === model.default) - Number(a === model.default)),
    entryFor(request) {
      const name = request?.signature_name || model.default
      if (name !== undefined && !signatures.has(name)) {
        throw new EasError(
          'invalid_request',
          `Unknown signature_name ${oneLine(name)}: the model has ${oneLine(names.join(', '), 1000)}`,
        )
      }
      return name
    },
    async describe() {
      const signature = signatures.get(model.default ?? '')
      return signature
        ? { inputs: valueInfosOf(signature.inputs), outputs: valueInfosOf(signature.outputs) }
        : { inputs: [], outputs: [] }
    },
    async lower(name, specs = []) {
      const said = signatures.get(name)?.inputs
      const inputs = specs.filter(({ input }) => said?.get(String(input))?.shape === undefined)
      return loweredSignature('signature', name, model.lower({ signature: name, inputs }), inputs)
    },
    close() {},
  }
}
