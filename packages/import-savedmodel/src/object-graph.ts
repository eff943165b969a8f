import { decodeMessage, type Message, ProtoError } from '@eas/onnx'
import type { GraphDef } from './graph-def.ts'
import { trackableGraphType } from './messages.ts'
import { resourceKey } from './resources.ts'

/**
 * Variables by the objects that hold them, as `tf.saved_model.load` restores them. Models that were saved around variables of
 * another framework's making (Keras 3 does) restore copies in their restore function, and capture the originals.
 */

/** Key of the checkpoint's tensor that holds the `TrackableObjectGraph`. */
export const objectGraphKey = '_CHECKPOINTABLE_OBJECT_GRAPH'

/**
 * @param saved The `SavedObjectGraph` of the MetaGraph.
 * @param checkpointed The bytes under `objectGraphKey`.
 * @returns Key of each variable that an object holds → key of its tensor in the checkpoint.
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/protobuf/saved_object_graph.proto
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/protobuf/trackable_object_graph.proto
 */
export function variablesOfObjects(graph: GraphDef, saved: Message, checkpointed: Uint8Array): Map<string, string> {
  const keys = tensorsOfObjects(saved.nodes, trackables(checkpointed))
  const found = new Map<string, string>()
  const seen = new Set<string>()
  for (const [id, key] of keys) {
    const name: string = saved.nodes[id]?.variable?.name ?? ''
    if (name === '') continue
    // A name that two variables have says nothing; what is captured does.
    if (seen.has(name)) found.delete(name)
    else found.set(name, key)
    seen.add(name)
  }
  const captures = new Map<string, readonly number[]>(
    saved.concrete_functions.map(({ key, value }: Message) => [key ?? '', value?.bound_inputs ?? []]),
  )
  for (const node of graph.nodes.values()) {
    const bound = captures.get(node.attrs.func('f')) ?? []
    const inputs = node.inputs.filter((i) => !i.startsWith('^'))
    for (const [i, id] of bound.entries()) {
      const handle = graph.nodes.get(inputs[inputs.length - bound.length + i] ?? '')
      const key = keys.get(id)
      if (handle?.op === 'VarHandleOp' && key !== undefined) found.set(resourceKey(handle), key)
    }
  }
  return found
}

function trackables(bytes: Uint8Array): readonly Message[] {
  try {
    return decodeMessage(trackableGraphType, bytes).nodes
  } catch (error) {
    if (error instanceof ProtoError) return []
    throw error
  }
}

/** Walks both graphs along children of the same names. @returns Position of a saved object → key of its tensor. */
function tensorsOfObjects(saved: readonly Message[], checkpointed: readonly Message[]): Map<number, string> {
  const keys = new Map<number, string>()
  const seen = new Set([0])
  const open: [saved: number, checkpointed: number][] = [[0, 0]]
  for (let pair = open.pop(); pair; pair = open.pop()) {
    const [id, other] = pair
    const attributes: readonly Message[] = checkpointed[other]?.attributes ?? []
    const key: string | undefined = attributes.find(({ name }) => name === 'VARIABLE_VALUE')?.checkpoint_key
    if (key) keys.set(id, key)
    const children = new Map<string, number>(
      (checkpointed[other]?.children ?? []).map((c: Message) => [c.local_name ?? '', c.node_id ?? 0]),
    )
    for (const { local_name = '', node_id = 0 } of (saved[id]?.children ?? []) as Message[]) {
      const child = children.get(local_name)
      if (child === undefined || seen.has(node_id)) continue
      seen.add(node_id)
      open.push([node_id, child])
    }
  }
  return keys
}
