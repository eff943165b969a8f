import { readdirSync, readFileSync } from 'node:fs'

/** An event of `test/golden/events`; its README says what is in there. */
export interface EventFixture {
  readonly name: string
  readonly reads: 'aws' | 'aliyun' | 'google'
  /** How AWS hears about failures. */
  readonly reply?: string
  /** What a function is called with, a call each. */
  readonly events: readonly object[]
  /** What is sent over HTTP. */
  readonly requests: readonly { readonly headers: Readonly<Record<string, string>>; readonly body: object }[]
  /** Objects of the bucket `in` that it is about. */
  readonly keys: readonly string[]
}

const folder = new URL('../../golden/events/', import.meta.url)

export const eventFixtures: readonly EventFixture[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((file) => {
    // Our own files.
    const {
      event,
      events = event ? [event] : [],
      requests = [],
      ...rest
    } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    return { ...rest, events, requests, name: file.replace('.json', '') }
  })
