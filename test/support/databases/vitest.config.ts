import { defineConfig } from 'vitest/config'

/** `npm run test:stores`: object stores and databases that are the programs themselves. See README.md for what must be installed. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/support/databases/*.stores.ts', 'test/contract/storage-real.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
})
