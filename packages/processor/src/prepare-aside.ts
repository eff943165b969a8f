import { EasError } from '@eas/base'
import type { PreparedManifest, UnownedModel } from '@eas/models'
import type { StoreSettings } from '@eas/storage'
import { type Isolation, startHost } from './engine/host.ts'
import type { FromWorker } from './engine/messages.ts'
import { fromWireError } from './engine/model-worker.ts'
import { keepPrepared } from './prepare.ts'

/**
 * Makes the prepared form of a model that is being served, in a worker of its own, and keeps it beside the model for the
 * starts to come.
 * @throws {EasError} `not_ready` when it cannot be made, or the model's place cannot be written to.
 */
export const prepareAside = (
  files: UnownedModel,
  isolation: Isolation,
  stores: StoreSettings,
): Promise<{ readonly folder: string; readonly manifest: PreparedManifest }> =>
  keepPrepared(files, stores, (to) => inWorker(files, to, isolation))

async function inWorker(files: UnownedModel, to: string, isolation: Isolation): Promise<PreparedManifest> {
  let close: () => Promise<void> = async () => {}
  try {
    return await new Promise<PreparedManifest>((resolve, reject) => {
      const onMessage = (message: FromWorker) => {
        if (message.kind === 'prepared') resolve(message.manifest)
        else if (message.kind === 'failed') reject(fromWireError(message.error))
      }
      const onDeath = (reason: string) => reject(new EasError('not_ready', `Cannot prepare the model: ${reason}`))
      const host = startHost[isolation]({}, { onMessage, onDeath })
      close = () => host.close()
      host.post({ kind: 'prepare', files, to })
    })
  } finally {
    await close()
  }
}
