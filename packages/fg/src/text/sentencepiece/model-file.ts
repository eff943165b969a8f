import { TokenizerError, tokenizerLimits } from '../tokenizer.ts'
import { type Field, readFields } from './protobuf.ts'

/** `ModelProto.SentencePiece.Type` */
export const pieceTypes = { NORMAL: 1, UNKNOWN: 2, CONTROL: 3, USER_DEFINED: 4, UNUSED: 5, BYTE: 6 } as const
/** `TrainerSpec.ModelType` */
export const modelTypes = { UNIGRAM: 1, BPE: 2, WORD: 3, CHAR: 4 } as const

export interface Piece {
  readonly bytes: Uint8Array
  readonly score: number
  readonly type: number
}

/** What of a `.model` file encoding needs, with the defaults of the .proto. */
export interface ModelFile {
  readonly pieces: readonly Piece[]
  readonly model_type: number
  readonly byte_fallback: boolean
  readonly treat_whitespace_as_suffix: boolean
  readonly precompiled_charsmap: Uint8Array
  readonly add_dummy_prefix: boolean
  readonly remove_extra_whitespaces: boolean
  readonly escape_whitespaces: boolean
}

/**
 * @throws {TokenizerError} for bytes that are no message, and for more pieces than `tokenizerLimits` has.
 * @see https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
 */
export function readModelFile(bytes: Uint8Array): ModelFile {
  const pieces: Piece[] = []
  let trainer: ReadonlyMap<number, Field> = new Map()
  let normalizer: ReadonlyMap<number, Field> = new Map()
  for (const [number, value] of readFields(bytes)) {
    if (number === 1) {
      if (pieces.length >= tokenizerLimits.pieces)
        throw new TokenizerError('Cannot read sentencepiece model: too many pieces')
      pieces.push(readPiece(bytesOf(value)))
    } else if (number === 2) trainer = new Map([...trainer, ...readFields(bytesOf(value))])
    else if (number === 3) normalizer = new Map([...normalizer, ...readFields(bytesOf(value))])
  }
  const charsmap = normalizer.get(2)
  return {
    pieces,
    model_type: numberOf(trainer.get(3), modelTypes.UNIGRAM),
    treat_whitespace_as_suffix: numberOf(trainer.get(24), 0) !== 0,
    byte_fallback: numberOf(trainer.get(35), 0) !== 0,
    precompiled_charsmap: charsmap === undefined ? new Uint8Array() : bytesOf(charsmap),
    add_dummy_prefix: numberOf(normalizer.get(3), 1) !== 0,
    remove_extra_whitespaces: numberOf(normalizer.get(4), 1) !== 0,
    escape_whitespaces: numberOf(normalizer.get(5), 1) !== 0,
  }
}

function readPiece(bytes: Uint8Array): Piece {
  const fields = new Map(readFields(bytes))
  const piece = fields.get(1)
  const score = fields.get(2)
  const text = piece === undefined ? new Uint8Array() : bytesOf(piece)
  if (text.length > tokenizerLimits.pieceBytes) {
    throw new TokenizerError(`Cannot read sentencepiece model: a piece of ${text.length} bytes`)
  }
  return {
    bytes: text,
    score: score instanceof Uint8Array && score.length === 4 ? float32(score) : 0,
    type: numberOf(fields.get(3), pieceTypes.NORMAL),
  }
}

const float32 = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true)

function bytesOf(field: Field): Uint8Array {
  if (field instanceof Uint8Array) return field
  throw new TokenizerError('Cannot read sentencepiece model: a number where bytes belong')
}

const numberOf = (field: Field | undefined, fallback: number): number => (typeof field === 'number' ? field : fallback)
