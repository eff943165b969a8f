import { combinerNames } from './combiner.ts'
import {
  buckets,
  character,
  flag,
  idTable,
  integer,
  numbers,
  oneOf,
  optionalFlag,
  optionalText,
  text,
  texts,
} from './config-key.ts'

const max = Number.MAX_SAFE_INTEGER

/** Keys that several operators share. */
export const stub_type = flag(false, 'An intermediate result: other features may read it, the model does not.')
export const separator = character('\u001d', 'Between the values of a text.')
export const value_type = text(
  '',
  'Type before bucketizing; an integer type without a bucketizer gives the integers as ids.',
)
export const need_prefix = flag(false, 'Puts `<feature_name>_` before every text.')
export const defaultValue = (initial: string) =>
  text(
    initial,
    'Stands for a missing value, before bucketizing and never normalized; `""` is no value, in a sequence `0`.',
  )
export const valueDim = (initial: number | undefined) =>
  integer(initial, 0, 65_536, 'Values kept, from the first; 0 keeps all.', { aliases: ['value_dimension'] })
export const normalizer = optionalText('`method=log10|zscore|minmax|expression,…`, applied to every value.')
export const combiner = oneOf(combinerNames, 'sum', 'Several values into one; `""` keeps them.')
export const reference = (meaning: string, aliases: readonly string[] = []) =>
  text('', meaning, { required: true, aliases })
export const expression = reference('The input, `<side>:<name>`.')
export const needDiscrete = optionalFlag(
  'The value found is text, not a number; default: when a bucketizer of texts is set.',
  {
    aliases: ['need_discrete'],
  },
)

/** At most one of these. */
export const bucketizerKeys = {
  hash_bucket_size: buckets('Hash of the text, modulo this.'),
  num_buckets: buckets('The integer itself; out of range is 0.'),
  vocab_list: texts('Position in the list; of a word that stands twice, the last.', 0),
  vocab_dict: idTable('Id by word.'),
  vocab_file: optionalText('File of words, or of `word id` lines.'),
  boundaries: numbers('How many of these are at most the value, as float32.', { aliases: ['bucketize_boundaries'] }),
  default_bucketize_value: integer(1, 0, max, 'Id of a word that no vocabulary knows.'),
}

/** Of operators whose values are texts. */
export const textKeys = { separator, value_type, need_prefix, stub_type, ...bucketizerKeys }
/** Of operators whose values are numbers. */
export const numberKeys = { separator, value_type, stub_type, normalizer, ...bucketizerKeys }
