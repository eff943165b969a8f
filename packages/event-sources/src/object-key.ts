/**
 * A key as S3 writes it into notifications: form-encoded, a space as `+`.
 * @returns `undefined` for escapes that are none.
 * @see Amazon S3 "Event message structure": "the key is URL encoded"
 */
export function formDecoded(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** Characters that no URL encoder leaves as they are: a key with one of them is not encoded. */
const neverEncoded = /[^A-Za-z0-9\-_.~!*'();:@&=+$,/?#[\]%]/

/**
 * What the key in an event may be when its source does not say whether it encodes keys: the likeliest first. Where the
 * text allows one reading only, there is one.
 */
export function possibleKeys(key: string): readonly [string, ...string[]] {
  const isPlain = neverEncoded.test(key) || !/[%+]/.test(key) || /%(?![0-9A-Fa-f]{2})/.test(key)
  if (isPlain) return [key]
  const percentDecoded = percentDecode(key)
  if (percentDecoded === undefined) return [key]
  const readings = new Set([percentDecoded, key, formDecoded(key) ?? key])
  return [...readings] as [string, ...string[]] // a set of at least one
}

function percentDecode(key: string): string | undefined {
  try {
    return decodeURIComponent(key)
  } catch {
    return undefined
  }
}
