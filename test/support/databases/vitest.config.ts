import { defineConfig } from 'vitest/config'

/** Suites that need real database servers on this machine; see README.md. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/support/databases/*.stores.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
})
