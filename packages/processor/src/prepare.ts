import { createReadStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { EasError, oneLine } from '@eas/base'
import {
  describeFile,
  describeModel,
  type FoundModel,
  manifestFormat,
  manifestName,
  modelOrigin,
  type PreparedManifest,
  platformName,
  preparedEntryName,
  preparedFolder,
  preparedModelName,
  preparedWeightsName,
  stampOf,
  type UnownedModel,
} from '@eas/models'
import { ImportRefusal, joinChunks, readModel } from '@eas/onnx'
import {
  openStore,
  type RetryRule,
  removeLeftovers,
  retrying,
  StoreError,
  type StoreSettings,
  uniqueName,
} from '@eas/storage'
import { entryToJson } from './engine/entry-file.ts'
import { type Entry, loweringOf } from './engine/lowering.ts'
import type { Machine } from './service-spec.ts'
import { type OpenableModel, onnxRuntimeVersion, optimiseModel } from './session.ts'

/** What ONNX Runtime computes in layouts of its own on processors with wide vectors. */
const layoutOps = new Set(['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'GlobalAveragePool'])

/** What ONNX Runtime rearranges the constant weights of, and its input that is them. */
const prepackedInput: { readonly [op: string]: number } = {
  MatMul: 1,
  Gemm: 1,
  FusedMatMul: 1,
  FusedGemm: 1,
  MatMulInteger: 1,
  MatMulIntegerToFloat: 1,
  DynamicQuantizeMatMul: 1,
  LSTM: 1,
  GRU: 1,
  Attention: 1,
}

/** For a file of a prepared model on its way to a store. */
const putRule: RetryRule = { attempts: 4, delayMs: 200, maxDelayMs: 5_000 }

/**
 * Makes the prepared form of a model in a folder that is there whole or not at all.
 *
 * @param to The folder; what is there is replaced.
 * @throws {EasError} `not_ready` when ONNX Runtime cannot load the model.
 */
export async function prepareModel(files: UnownedModel, to: string): Promise<PreparedManifest> {
  const making = `${to}.making`
  const folder = join(making, `prepared.${uniqueName()}`)
  await mkdir(folder, { recursive: true })
  // Of processes that were killed at it.
  await removeLeftovers(making)
  try {
    const of = await describeModel(files)
    const { version } = await stampOf(files.path, files.format)
    const { model, entry, isWhole } = await openableOf(files)
    const level = (await hasLayouts(files, model)) ? 'all' : 'extended'
    await optimiseModel(model, { folder, model: preparedModelName, weights: preparedWeightsName }, level)
    const onnxruntime = onnxRuntimeVersion()
    if (entry) await writeFile(join(folder, preparedEntryName), entryToJson(entry))
    const names = (await readdir(folder)).sort()
    const manifest: PreparedManifest = {
      format: manifestFormat,
      of,
      onnxruntime,
      platform: platformName(onnxruntime),
      level,
      prepackBytes: prepackBytes(await readFile(join(folder, preparedModelName))),
      isWhole,
      files: await Promise.all(names.map((name) => describeFile(folder, name))),
    }
    await writeFile(join(folder, manifestName), `${JSON.stringify(manifest, null, 1)}\n`)
    for (const name of [...names, manifestName]) await sync(join(folder, name))
    // One that lies here may have been replaced meanwhile; then nobody knows which of the two this is of.
    const isReplaced = version !== (await stampOf(files.path, files.format)).version
    if (isReplaced || (files.place === files.path && files.version !== version)) {
      throw new EasError('not_ready', 'Cannot prepare the model: it has been replaced meanwhile')
    }
    await rm(to, { recursive: true, force: true })
    await rename(folder, to)
    return manifest
  } finally {
    await rm(folder, { recursive: true, force: true })
    await rmdir(making).catch(() => {}) // unless another process is at it
  }
}

/**
 * Makes the prepared form of a model and puts it beside the model, wherever that is.
 *
 * @param model A file, a folder or a URL.
 * @returns The folder or URL it is in.
 * @throws {EasError} `not_ready` when the model cannot be loaded, or its place cannot be written to.
 */
export async function prepareBeside(
  model: string,
  baseDir: string,
  machine: Machine,
): Promise<{ readonly folder: string; readonly manifest: PreparedManifest }> {
  const { stores, cache, settings } = machine
  const deadlineMs = settings.downloadSeconds * 1000
  const location = { model_path: model, model_entry: undefined }
  const origin = modelOrigin(location, { baseDir, mounts: [], stores, cache, platform: undefined, deadlineMs })
  const files = await origin.open()
  try {
    return await keepPrepared(files, stores, (to) => prepareModel(files, to))
  } finally {
    files.release()
  }
}

/**
 * Puts the prepared form of a model beside it, wherever that is.
 * @param make Writes it to a folder of this machine.
 * @throws {EasError} what `make` throws; `not_ready` when the model's place cannot be written to.
 */
export async function keepPrepared(
  { place }: UnownedModel,
  stores: StoreSettings,
  make: (to: string) => Promise<PreparedManifest>,
): Promise<{ readonly folder: string; readonly manifest: PreparedManifest }> {
  const platform = platformName(onnxRuntimeVersion())
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) {
    const folder = preparedFolder(place, platform)
    return { folder, manifest: await make(folder) }
  }
  const { store, key } = openStore(place, stores)
  const folder = preparedFolder(key, platform)
  const scratch = await mkdtemp(join(tmpdir(), 'eas-prepare-'))
  try {
    const made = join(scratch, 'made')
    const manifest = await make(made)
    // The manifest goes last: what it speaks of is there.
    for (const name of [...manifest.files.map((file) => file.name), manifestName]) {
      const path = join(made, name)
      const { size } = await stat(path)
      await retrying(`write ${name}`, putRule, undefined, async () => {
        const stream = createReadStream(path)
        await store.put(`${folder}/${name}`, { size, stream }).finally(() => stream.destroy())
      })
    }
    return { folder: `${store.url}/${folder}`, manifest }
  } catch (thrown) {
    if (!(thrown instanceof StoreError)) throw thrown
    throw new EasError('not_ready', `Cannot keep the prepared model: ${thrown.message}`, { cause: thrown })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** What a model is prepared from. */
interface Openable {
  readonly model: OpenableModel
  /** How it is called, for a model that is not ONNX. */
  readonly entry: Entry | undefined
  readonly isWhole: boolean
}

/** The model as ONNX, lowered for the inputs it names itself. */
async function openableOf(files: FoundModel): Promise<Openable> {
  const standsAlone = !existsSync(join(dirname(files.path), recommenderFile))
  const lowering = await loweringOf(files)
  if (!lowering) return { model: { onnx: files.path, isOptimised: false }, entry: undefined, isWhole: standsAlone }
  try {
    const name = lowering.entryFor(undefined)
    if (name === undefined) {
      throw new EasError('not_implemented', 'Cannot prepare the model: only its requests say which nodes they ask for')
    }
    const { entry, model } = await lowering.lower(name, undefined)
    const isWhole = standsAlone && entry.guards.length === 0 && lowering.entries?.length === 1
    return {
      model: { onnx: { bytes: joinChunks(model), folder: lowering.folder }, isOptimised: false },
      entry,
      isWhole,
    }
  } catch (thrown) {
    if (!(thrown instanceof ImportRefusal)) throw thrown
    throw new EasError('not_ready', `Cannot prepare the model: ${oneLine(thrown.message, 2000)}`, { cause: thrown })
  } finally {
    lowering.close()
  }
}

/** Beside a model of TorchEasyRec lies what else its processor reads. */
const recommenderFile = 'fg.json'

async function hasLayouts({ path }: FoundModel, { onnx }: OpenableModel): Promise<boolean> {
  const bytes = typeof onnx === 'string' ? await readFile(path) : onnx.bytes
  return graphOf(bytes).node.some(({ op_type }) => layoutOps.has(op_type))
}

/** Bytes of the weights that a session of this graph rearranges. */
function prepackBytes(graphBytes: Uint8Array): number {
  const graph = graphOf(graphBytes)
  const sizes = new Map(graph.initializer.map(({ name, content }) => [name, sizeOf(content)]))
  return graph.node.reduce((sum, { op_type, input }) => {
    const index = Object.hasOwn(prepackedInput, op_type) ? prepackedInput[op_type] : undefined
    return sum + (index === undefined ? 0 : (sizes.get(input[index] ?? '') ?? 0))
  }, 0)
}

function graphOf(bytes: Uint8Array) {
  try {
    return readModel(bytes).graph
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EasError('not_ready', `Cannot load the model: it is no ONNX file, ${reason}`, { cause })
  }
}

type Content = ReturnType<typeof readModel>['graph']['initializer'][number]['content']
const sizeOf = (content: Content) =>
  'external' in content ? content.external.length : 'bytes' in content ? content.bytes.length : 0

async function sync(path: string): Promise<void> {
  const file = await open(path)
  await file.sync()
  await file.close()
}
