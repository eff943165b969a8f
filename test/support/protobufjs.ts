import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

/** protobufjs over the published files: the reference that our own codecs are held against. */

const folder = fileURLToPath(new URL('../../proto/', import.meta.url))

/** The message `name` of `<file>.proto`, with the names of the fields as they stand there. */
export function protobufType(file: string, name: string): protobuf.Type {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => (target.startsWith(folder) ? target : folder + target)
  root.loadSync(`${file}.proto`, { keepCase: true })
  return root.lookupType(name)
}

/** Bytes of a message given in protobuf's JSON. */
export const encodeWith = (type: protobuf.Type, json: unknown): Uint8Array =>
  // `fromObject` takes any object; what it does not know it leaves out.
  new Uint8Array(type.encode(type.fromObject(json as Record<string, unknown>)).finish())

/** A message in protobuf's JSON. */
export const decodeWith = (type: protobuf.Type, bytes: Uint8Array): unknown =>
  type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: String })
