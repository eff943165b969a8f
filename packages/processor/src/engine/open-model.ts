import type { FoundModel } from '@eas/models'
import { createSession, type OpenableModel, type SessionOptions } from '../session.ts'
import { createEntrySession } from './entry-session.ts'
import { type LoadedModel, loadedSession } from './loaded-model.ts'
import { loweringOf } from './lowering.ts'

/** Weights from which rearranging them delays the first answer by more than a session costs anyway. */
const prepackBytesMin = 32 * 1024 * 1024

/**
 * Opens a model's files, lowering them to ONNX where they are of another format.
 *
 * @param startsQuickly Rather a session now than a fast one; where that is a difference, it is `isProvisional`.
 * @throws {EasError} `not_ready` with the reason when the model cannot be loaded.
 */
export async function openModel(
  files: FoundModel,
  { startsQuickly, ...options }: SessionOptions & { readonly startsQuickly: boolean },
): Promise<LoadedModel> {
  const { prepared } = files
  const skipsPrepacking = startsQuickly && (prepared?.prepackBytes ?? 0) >= prepackBytesMin
  const model: OpenableModel = prepared
    ? { onnx: prepared.path, isOptimised: true, skipsPrepacking }
    : { onnx: files.path, isOptimised: false }
  const entry = prepared?.entryPath === undefined ? undefined : await readEntry(prepared.entryPath)
  if (entry && prepared?.isWhole) return loadedSession(await createEntrySession(entry, model, options))
  const lowering = await loweringOf(files).catch(async (thrown: unknown) => {
    const { refusedLoad } = await import('./lowered-model.ts')
    throw refusedLoad(thrown)
  })
  if (!lowering) return loadedSession(await createSession(model, options))
  const { lowerModel } = await import('./lowered-model.ts')
  return lowerModel(lowering, options, entry && { entry, model })
}

async function readEntry(path: string) {
  const { entryFrom } = await import('./entry-file.ts')
  return entryFrom(path)
}
