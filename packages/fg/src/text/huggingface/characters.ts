/**
 * Classes of characters as Rust's standard library and `regex` have them, as regular expression sources with flag `u`.
 * They differ from JavaScript's `\s` and `\w`.
 */
export const classes = {
  /** `char::is_whitespace` */
  space: '\\p{White_Space}',
  /** `\w` of the regex crate: UTS #18, annex C */
  word: '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d',
  /** `char::is_numeric` */
  numeric: '\\p{Nd}\\p{Nl}\\p{No}',
  /** `char::is_ascii_punctuation`, and Unicode's */
  punctuation: '!-\\/:-@\\[-`{-~\\p{P}',
} as const

/** Every byte as the printable character that byte-level vocabularies write for it: `bytes_char`. */
export const byteChars: readonly string[] = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173)
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
})()

const encoder = new TextEncoder()

export function toByteChars(text: string): string {
  // What is printable ASCII stands for itself.
  if (/^[!-~]*$/.test(text)) return text
  let chars = ''
  for (const byte of encoder.encode(text)) chars += byteChars[byte]
  return chars
}
