import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Collects this thread's garbage at once: for what leaves much behind and is followed by little that would have it collected.
 * Takes some milliseconds.
 * @see https://nodejs.org/docs/latest-v20.x/api/v8.html#v8setflagsfromstringflags
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc') // what the flag gives to new contexts
  setFlagsFromString('--no-expose-gc')
  collect()
}
