import { createHash } from 'node:crypto'

const digestChars = 8

/**
 * A service's name as a cloud can have it: what is not `[A-Za-z0-9]` or in `also` becomes `-`, and what is too long is cut and told
 * from others by a digest of the whole.
 */
export function nameWithin(name: string, charsMax: number, also = ''): string {
  const illegal = new RegExp(`[^A-Za-z0-9${also}]+`, 'g')
  const legal = name.replace(illegal, '-').replace(/^-+|-+$/g, '')
  if (legal.length <= charsMax) return legal
  const digest = createHash('sha256').update(name).digest('hex').slice(0, digestChars)
  return `${legal.slice(0, charsMax - digestChars - 1).replace(/-+$/, '')}-${digest}`
}
