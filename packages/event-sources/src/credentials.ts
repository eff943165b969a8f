import { type Credentials, StoreError } from '@eas/storage'

/**
 * The credentials of the invocations that are under way. Function Compute hands a fresh set to each, and they expire; so
 * what reads a bucket asks here every time, and what has been given here is forgotten when the last invocation ends.
 */
export interface InvocationCredentials {
  /** For as long as `work` goes on, these are the credentials. `undefined`: the invocation brought none. */
  with<T>(credentials: Credentials | undefined, work: () => Promise<T>): Promise<T>
  /**
   * Those that came last, of an invocation that is still under way. All of an instance's are of the same role.
   * @throws {StoreError} `denied` when none has any.
   */
  current(): Credentials
}

export function invocationCredentials(): InvocationCredentials {
  const underWay = new Set<{ readonly credentials: Credentials }>()
  return {
    async with(credentials, work) {
      if (!credentials) return work()
      const invocation = { credentials }
      underWay.add(invocation)
      try {
        return await work()
      } finally {
        underWay.delete(invocation)
      }
    },
    current() {
      const last = [...underWay].at(-1)
      if (!last)
        throw new StoreError(
          'denied',
          'Cannot sign: no invocation under way has brought credentials; the function needs a role',
        )
      return last.credentials
    },
  }
}
