import { defineConfig } from 'vitest/config'

/** `npm run test:stores`: the drivers against real servers. They must be running; the test's message says how. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/contract/storage-real.ts'],
    testTimeout: 60_000,
  },
})
