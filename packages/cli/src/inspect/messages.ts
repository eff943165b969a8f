import { easyrecPredict, pbLogData, tfPredict, torchPredict, torchrecPredict } from '@eas/protocol'

/** A kind of recorded bytes. */
export interface MessageRow {
  /** The message as `proto/` names it, and whose it is. */
  readonly title: string
  readonly decode: (bytes: Uint8Array) => object
  /**
   * The size of the bytes that would be written for what was read: less than came when some of it was not understood,
   * a little more where a shape was left out.
   */
  readonly understoodBytes: (bytes: Uint8Array) => number
}

function row<M extends object>(
  title: string,
  decode: (bytes: Uint8Array) => M,
  encode: (message: M) => Uint8Array,
): MessageRow {
  return { title, decode, understoodBytes: (bytes) => encode(decode(bytes)).length }
}

/**
 * Every message that is read, tried in this order. TorchEasyRec's before the shorter ones that look alike: a message that
 * is one of several to the letter is shown as the first.
 */
export const messageRows = {
  'torch-request': row(
    'PredictRequest of the PyTorch processor',
    torchPredict.decodeRequest,
    torchPredict.encodeRequest,
  ),
  'tf-request': row('PredictRequest of the TensorFlow processor', tfPredict.decodeRequest, tfPredict.encodeRequest),
  'torchrec-request': row(
    'PBRequest of the TorchEasyRec processor',
    torchrecPredict.decodeRequest,
    torchrecPredict.encodeRequest,
  ),
  'easyrec-request': row(
    'PBRequest of the EasyRec processor',
    easyrecPredict.decodeRequest,
    easyrecPredict.encodeRequest,
  ),
  'torch-response': row(
    'PredictResponse of the PyTorch processor',
    torchPredict.decodeResponse,
    torchPredict.encodeResponse,
  ),
  'tf-response': row('PredictResponse of the TensorFlow processor', tfPredict.decodeResponse, tfPredict.encodeResponse),
  'torchrec-response': row(
    'PBResponse of the TorchEasyRec processor',
    torchrecPredict.decodeResponse,
    torchrecPredict.encodeResponse,
  ),
  'easyrec-response': row(
    'PBResponse of the EasyRec processor',
    easyrecPredict.decodeResponse,
    easyrecPredict.encodeResponse,
  ),
  'pb-log-data': row('PBLogData, a TorchEasyRec request as it is logged', pbLogData.decode, pbLogData.encode),
} as const satisfies Record<string, MessageRow>

export type MessageRowName = keyof typeof messageRows
export const messageRowNames = Object.keys(messageRows) as MessageRowName[] // the keys of the table are its type

export type Fit = 'all' | 'part' | 'none'

/**
 * Whether the bytes are the message to the letter, or with parts that it has no field for, or not at all. Readers pass
 * over what they do not know, so that bytes of which less than half is understood are called something else.
 */
export function fitOf(name: MessageRowName, bytes: Uint8Array): Fit {
  try {
    const understood = messageRows[name].understoodBytes(bytes)
    return understood >= bytes.length ? 'all' : understood >= bytes.length / 2 ? 'part' : 'none'
  } catch {
    return 'none'
  }
}

/**
 * Whether a decoded message has more in it than numbers and a name: a tensor, a feature, an item. One without is seldom
 * what was meant: a TensorFlow input often is, to the letter, the packed `output_filter` of a torch request.
 */
export const hasContent = (message: object): boolean =>
  Object.values(message).some((field) =>
    field instanceof Map
      ? field.size > 0
      : Array.isArray(field)
        ? field.some((element) => typeof element !== 'number')
        : typeof field === 'object',
  )
