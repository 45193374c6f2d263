import { defineConfig } from 'vitest/config';

/** The browser tests: one fixture and one server for all files, one file after another, long limits for the models. */
export default defineConfig({
  cacheDir: '../node_modules/.vite-e2e',
  test: {
    root: new URL('.', import.meta.url).pathname,
    include: ['*.test.ts'],
    globalSetup: ['setup.ts'],
    environment: 'node',
    testTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 600_000,
    // Once more where a loaded machine made a browser late; the report still names the first failure.
    retry: 1,
    pool: 'threads',
    maxWorkers: 1,
    fileParallelism: false,
    bail: process.env.E2E_BAIL ? 1 : 0,
  },
});
