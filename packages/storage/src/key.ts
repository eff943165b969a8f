import { StoreError } from './store-error.ts'

/** S3, OSS and GCS allow 1,024 bytes of UTF-8 in a key. */
const maxKeyBytes = 1024

/**
 * Refuses keys that some store would read differently from another: empty ones, empty or dotted segments, which URLs and
 * file systems resolve, control characters, and text that is not Unicode.
 * @throws {StoreError} `invalid`.
 */
export function checkKey(key: string, url: string): void {
  const wrong =
    key === ''
      ? 'it is empty'
      : Buffer.byteLength(key) > maxKeyBytes
        ? `it is longer than ${maxKeyBytes} bytes`
        : // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
          /[\u0000-\u001f\u007f]/.test(key)
          ? 'it holds control characters'
          : /[\ud800-\udfff]/u.test(key)
            ? 'it is not Unicode'
            : key.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')
              ? 'it has an empty or dotted segment'
              : undefined
  if (wrong !== undefined) throw new StoreError('invalid', `Cannot use key ${JSON.stringify(key)} of ${url}: ${wrong}`)
}

/** A key as it stands in the path of a request: every byte but unreserved ones and `/` escaped, as SigV4 asks. */
export const encodeKey = (key: string): string => key.split('/').map(encodeSegment).join('/')

/** RFC 3986: encodeURIComponent leaves `!'()*` alone, which SigV4 wants escaped. */
export const encodeSegment = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Order of the UTF-8 bytes, which is that of code points; JavaScript's own order is that of UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
