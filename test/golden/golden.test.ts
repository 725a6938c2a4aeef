/** The package against PyTorch's own answers; test/golden/generate.py made them. No Python is needed here. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interpolateThresholdSync, type MaskRle } from '../../src/index.js';
import { differsOnPurpose } from '../support/differences.js';
import { compareGolden, GOLDEN_FILES, goldenFile, goldenInput, goldenRerun } from '../support/golden.js';

const [onlyFile, onlyIndex] = (process.env.UPSAMPLING_GOLDEN ?? '').split(':');

describe.each(GOLDEN_FILES.filter((name) => !onlyFile || name === onlyFile))('%s', (name) => {
  const { source, cases } = goldenFile(name);
  const byOp = new Map<string, number[]>();
  for (const [i, c] of cases.entries())
    if (!onlyIndex || i === Number(onlyIndex)) byOp.set(c.op, [...(byOp.get(c.op) ?? []), i]);
  it.each([...byOp])(`%s is as in ${source}`, (_, list) => {
    const problems = list.flatMap((i) => {
      const { problem } = compareGolden(cases[i]!);
      if (differsOnPurpose(cases[i]!))
        return problem === undefined ? [`${i} does as PyTorch does after all`] : [];
      const { op, inputs, options } = cases[i]!;
      return problem === undefined
        ? []
        : [`${op} ${JSON.stringify({ inputs, options })}: ${problem}\n  ${goldenRerun(name, i)}`];
    });
    expect(problems.slice(0, 5).join('\n'), `${problems.length} of ${list.length} cases`).toBe('');
  });
});

describe('COCO run lengths', () => {
  const path = new URL('coco.json', import.meta.url);
  const { source, cases } = JSON.parse(readFileSync(path, 'utf8')) as {
    source: string;
    cases: { dims: [number, number]; scale: number; threshold: number; seed: number; counts: string }[];
  };
  it.each(cases.map((c) => [`${c.dims.join('×')} ×${c.scale} above ${c.threshold}`, c] as const))(
    `%s are as in ${source}`,
    (_, { dims, scale, threshold, seed, counts }) => {
      const x = goldenInput({ type: 'float32', dims: [1, 1, ...dims], seed });
      const size = dims.map((d) => d * scale);
      const [[runs]] = interpolateThresholdSync(x, { size, threshold, rle: 'string' }) as [[MaskRle]];
      expect(runs).toEqual({ size, counts });
    },
  );
});

it('the vectors are at least 2,000 cases', () => {
  const count = GOLDEN_FILES.reduce((n, name) => n + goldenFile(name).cases.length, 0);
  expect(count).toBeGreaterThanOrEqual(2000);
});
