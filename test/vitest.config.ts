import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['packages/*/src/**/*.test.ts', 'functions/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    // Tests that use ONNX Runtime itself keep it from reporting to its makers, as the processor does.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // Two cores are the smallest machine the suite must pass on; each file may start servers of its own.
    maxWorkers: 2,
  },
})
