import { defineConfig } from 'vitest/config';

const report = process.env.UPSAMPLING_TEST_REPORT;

// Forks, not threads: a crash of the addon ends one worker with a report instead of the whole run.
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // The samples of one operator take 60 s alone, and several times that beside other work.
    testTimeout: 600_000,
    hookTimeout: 60_000,
    // What .ci/run counts.
    ...(report === undefined ? {} : { reporters: ['default', ['json', { outputFile: report }]] }),
  },
});
