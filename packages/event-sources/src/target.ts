/**
 * A path as a client could have sent it. Some platforms hand it over decoded, some as it came, and few say which: what a
 * request line cannot hold is encoded, and the rest is kept. The signature is checked over more spellings than this one.
 */
export function legalPath(path: string): string {
  return path
    .replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replace(/[^!-~]+|["<>\\^`{|}?#]+/gu, (illegal) => encodeURIComponent(wellFormed(illegal)))
}

/** Path and query, where there is one. */
export const withQuery = (path: string, query: string): string => (query === '' ? path : `${path}?${query}`)

/**
 * A query from parameters in the order in which they came. One without a value and one with an empty value come alike, and
 * become the former.
 */
export const joinedQuery = (parameters: readonly (readonly [name: string, value: string])[]): string =>
  parameters.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&')

/** As Java's `URLEncoder` spells a decoded name or value, which is what the Java SDK signs. */
export const formEncoded = (text: string): string =>
  encodeURIComponent(wellFormed(text))
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** JSON can hold half a surrogate pair, which has no UTF-8. */
const wellFormed = (text: string) => Buffer.from(text, 'utf8').toString('utf8')
