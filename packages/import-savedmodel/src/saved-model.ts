import { decodeMessage, type InputSpec, type Message, refuse } from '@eas/onnx'
import { readAssets } from './assets.ts'
import { checked } from './checked.ts'
import { readAhead, readCheckpoint } from './checkpoint.ts'
import type { ModelDirectory } from './folder.ts'
import { type GraphDef, toGraphDef } from './graph-def.ts'
import { type GraphFile, type LoweredGraph, lowerGraph, type Port } from './lower-graph.ts'
import { savedModelType } from './messages.ts'
import { objectGraphKey, variablesOfObjects } from './object-graph.ts'
import { findResources, type Resources, type Restored } from './resources.ts'
import { asRequested, defaultSignature, type Signature, type SignatureTensor, toSignatures } from './signature.ts'
import { shardName } from './tensor-bundle.ts'
import { parseMessage } from './text-format.ts'
import { type ReadAhead, Weights } from './weights.ts'

export interface ImportSavedModelOptions {
  /** Default: `serving_default`, else the only one, else the first by name. */
  readonly signature?: string
  /** Aliases of the outputs to lower, as `output_filter` names them. Default: all of the signature. */
  readonly outputs?: readonly string[]
  /** Shapes beyond what the signature says, by alias: of inputs of unknown rank, or with sizes that are to be fixed. */
  readonly inputs?: readonly InputSpec[]
  /** Where a file of the model lies, relative to the ONNX file. Default: in its directory, `variables/variables.data-…`. */
  readonly location?: (file: string) => string
}

/** What a SavedModel can be asked for. */
export interface SavedModelDescription {
  /** By name, in order of name. */
  readonly signatures: ReadonlyMap<string, Signature>
  /** Name of the one that a request without a name means; absent when the model has none. */
  readonly default: string | undefined
}

/** A SavedModel whose graph is read; each signature can be lowered. */
export interface SavedModel extends SavedModelDescription {
  /** @throws {ImportRefusal} With every reason found why the signature cannot be lowered. */
  lower(options?: ImportSavedModelOptions): LoweredSignature
}

export interface LoweredSignature extends LoweredGraph {
  /** What requests are made of; `inputs` and `outputs` are those of the ONNX model behind the prologue. */
  readonly signature: Signature
}

/** Bytes of `saved_model.pb`: what protobuf can hold at most. */
const maxGraphBytes = 2 ** 31 - 1

/** What TensorFlow Serving and the EAS processor load. */
const servingTag = 'serve'

/** The MetaGraph to serve, and the names of the directory's files. */
async function readMetaGraph(
  directory: ModelDirectory,
): Promise<{ readonly meta: Message; readonly files: ReadonlySet<string>; readonly file: GraphFile }> {
  const files = new Set(await directory.list())
  const name = ['saved_model.pb', 'saved_model.pbtxt'].find((n) => files.has(n))
  if (!name) {
    if ([...files].some((f) => f.startsWith('export.meta') || /^export-\d+-of-\d+/.test(f))) {
      throw refuse(
        'the directory is a SessionBundle, which TensorFlow 1.0 replaced',
        'export.meta',
        'Export the model as a SavedModel',
      )
    }
    throw refuse('the directory has no saved_model.pb', '', 'Name the directory that holds saved_model.pb')
  }
  const source = await directory.open(name)
  if (source.size > maxGraphBytes) throw refuse(`${name} has ${source.size} bytes`, name)
  const bytes = await source.read(0, source.size)
  const text = (): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const message = checked(
    () => (name.endsWith('.pb') ? decodeMessage(savedModelType, bytes) : parseMessage(savedModelType, text())),
    `${name} cannot be read`,
  )
  const graphs: readonly Message[] = message.meta_graphs
  const tagsOf = (m: Message): readonly string[] => m.meta_info_def?.tags ?? []
  const meta =
    graphs.find((m) => tagsOf(m).length === 1 && tagsOf(m)[0] === servingTag) ??
    graphs.find((m) => tagsOf(m).includes(servingTag))
  if (!meta?.graph_def) {
    const found = graphs.map((m) => `[${tagsOf(m).join(', ')}]`.slice(0, 100)).join(' ')
    throw refuse(
      `the model has no graph for serving, only those tagged ${found || 'nothing'}`,
      name,
      'Export the model with the tag serve',
    )
  }
  return { meta, files, file: { bytes, location: name } }
}

/**
 * Reads a SavedModel: its graph, the index of its checkpoint, its vocabularies. Variables stay where they are.
 * @throws {ImportRefusal} When a file is missing or damaged, or no graph is tagged `serve`.
 */
export async function openSavedModel(directory: ModelDirectory): Promise<SavedModel> {
  const { meta, files, file } = await readMetaGraph(directory)
  const signatures = toSignatures(meta.signature_def)
  const graph = checked(() => toGraphDef(meta.graph_def), 'the graph cannot be read')
  const bundle = await readCheckpoint(directory, files)
  const found = findResources(graph, startsOf(meta))
  const ahead = bundle ? await readAhead(directory, bundle, graph, found) : new Map()
  const resources = withObjects(graph, found, meta.object_graph_def, ahead)
  const assets = await readAssets(directory, files, meta)
  return {
    signatures,
    default: defaultSignature(signatures),
    lower({ signature: name = defaultSignature(signatures), inputs = [], outputs, location = inPlace } = {}) {
      const signature = chosen(signatures, name)
      const locate = (shard: number): string => location(`variables/${shardName(shard, bundle?.shards ?? 1)}`)
      const weights = new Weights(resources, bundle, locate, ahead, assets)
      const from = { ...file, location: location(file.location) }
      const lowered = lowerGraph(graph, weights, fed(signature, inputs), fetched(signature, outputs), from)
      return { ...lowered, signature: asRequested(signature) }
    },
  }
}

/** The signatures of a SavedModel; `describeSignature` says one as an empty request is answered. Reads its graph only. */
export async function describeSavedModel(directory: ModelDirectory): Promise<SavedModelDescription> {
  const { meta } = await readMetaGraph(directory)
  const signatures = toSignatures(meta.signature_def)
  return { signatures, default: defaultSignature(signatures) }
}

/**
 * Lowers one signature of a SavedModel. Variables become external data: ranges of the checkpoint's shards, read by nobody
 * until the model is opened.
 * @throws {ImportRefusal} With every reason found why it cannot be.
 */
export async function importSavedModel(
  directory: ModelDirectory,
  options: ImportSavedModelOptions = {},
): Promise<LoweredSignature> {
  return (await openSavedModel(directory)).lower(options)
}

function chosen(signatures: ReadonlyMap<string, Signature>, name: string | undefined): Signature {
  const signature = name === undefined ? undefined : signatures.get(name)
  if (signature) return signature
  const known = [...signatures.keys()].map((s) => JSON.stringify(s)).join(', ')
  throw refuse(
    name === undefined
      ? 'the model has no signature'
      : `the model has no signature ${JSON.stringify(name.slice(0, 100))}, only ${known}`,
    '',
    'Export the model with a signature',
  )
}

/** What is restored, and what the objects of the model hold besides. */
function withObjects(graph: GraphDef, found: Resources, saved: Message | undefined, ahead: ReadAhead): Resources {
  const [checkpointed] = ahead.get(objectGraphKey)?.strings ?? []
  if (!saved || !checkpointed) return found
  const held = [...variablesOfObjects(graph, saved, checkpointed)].map(([key, tensor]): [string, Restored] => [
    key,
    { key: tensor, slice: '' },
  ])
  return { ...found, variables: new Map([...held, ...found.variables]) }
}

const inPlace = (file: string): string => file

const toPort = (name: string, { tensor, dtype, shape }: SignatureTensor): Port => ({ name, tensor, dtype, shape })

const fed = ({ inputs }: Signature, specs: readonly InputSpec[]): Port[] =>
  [...inputs].map(([name, tensor], i) => {
    const spec = specs.find(({ input }) => input === name || input === i)
    return spec ? { ...toPort(name, tensor), shape: spec.shape } : toPort(name, tensor)
  })

function fetched({ name, outputs }: Signature, wanted: readonly string[] | undefined): Port[] {
  if (!wanted || wanted.length === 0) return [...outputs].map(([alias, tensor]) => toPort(alias, tensor))
  return wanted.map((alias) => {
    const tensor = outputs.get(alias)
    if (tensor) return toPort(alias, tensor)
    throw refuse(`the signature ${JSON.stringify(name)} has no output ${JSON.stringify(alias.slice(0, 100))}`)
  })
}

/** Nodes that restore and initialise: the saver's, and those that loading a SavedModel runs. */
function startsOf(meta: Message): string[] {
  const collections = new Map<string, Message>(
    (meta.collection_def as Message[]).map(({ key, value }) => [key ?? '', value ?? {}]),
  ) // a repeated message
  const listed = ['saved_model_main_op', 'legacy_init_op', 'saved_model_init_op', 'table_initializer'].flatMap(
    (key): readonly string[] => collections.get(key)?.node_list?.value ?? [],
  )
  const init = (meta.signature_def as Message[]).find(({ key }) => key === '__saved_model_init_op') // a repeated message
  const outputs: readonly Message[] = init?.value?.outputs ?? []
  const named = [...listed, ...outputs.map((o): string => o.value?.name ?? '')].map((n) => n.replace(/:\d+$/, ''))
  return [meta.saver_def?.restore_op_name ?? '', ...named]
}
