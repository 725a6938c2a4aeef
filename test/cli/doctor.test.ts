/** `upsampling doctor` as a process. */
import { expect, it } from 'vitest';
import { runtime } from '../../src/index.js';
import { upsampling } from '../support/cli.js';

it('says what is here and why', () => {
  const r = upsampling(['doctor'], { env: { UPSAMPLING_THREADS: '3', UPSAMPLING_ISA: 'baseline' } });
  expect(r.code).toBe(0);
  expect(r.out).toMatch(new RegExp(`^upsampling +${runtime.version.replaceAll('.', '\\.')}$`, 'm'));
  expect(r.out).toMatch(new RegExp(`^node +${process.version}`, 'm'));
  expect(r.out).toMatch(/^threads +3 \(UPSAMPLING_THREADS=3\)$/m);
  expect(r.out).toMatch(/^instruction set +baseline of .*\(UPSAMPLING_ISA=baseline\)$/m);
  expect(r.out).toMatch(/^openmp +(yes|no)$/m);
  expect(r.out).toMatch(/^addon path +\S*upsampling\.node$/m);
});

it('speaks JSON', () => {
  const facts = JSON.parse(upsampling(['doctor', '--json']).out) as Record<string, unknown>;
  expect(facts.upsampling).toBe(runtime.version);
  expect(facts['addon path']).toMatch(/upsampling\.node$/);
});

it('reports an instruction set that the machine lacks, with code 1', () => {
  const r = upsampling(['doctor'], { env: { UPSAMPLING_ISA: 'quantum' } });
  expect(r.code).toBe(1);
  expect(r.out).toMatch(/UPSAMPLING_ISA must be one of .* got "quantum"/);
});
