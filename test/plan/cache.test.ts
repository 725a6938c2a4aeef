import { describe, expect, it } from 'vitest';
import { planned } from '../../src/plan/cache.js';
import { interpolateSync } from '../../src/torch/interpolate.js';
import { tensor } from '../support/operator.js';

const shape = (dims: number[], type = 'float32') => ({ type, dims });

describe('the cache of plans', () => {
  it('makes a plan once for one signature', () => {
    let made = 0;
    const call = (options: object) => planned('once', [shape([1, 2])], options, () => ({ n: ++made }));
    const first = call({ size: [3, 4], mode: 'a' });
    expect(call({ size: [3, 4], mode: 'a' })).toBe(first);
    expect(call({ size: [3, 4], mode: 'a', out: {}, threads: 2, signal: {} })).toBe(first);
    expect(made).toBe(1);
  });

  it.each([
    ['another size', 'op', [1, 2], { size: [4, 3] }],
    ['a size that joins to the same digits', 'op', [1, 2], { size: [34] }],
    ['another option of the same value', 'op', [1, 2], { sizf: [3, 4] }],
    ['other dims', 'op', [2, 1], { size: [3, 4] }],
    ['more dims', 'op', [1, 2, 1], { size: [3, 4] }],
    ['another operator', 'po', [1, 2], { size: [3, 4] }],
    ['one option more', 'op', [1, 2], { size: [3, 4], flag: false }],
  ] as const)('tells apart %s', (_, op, dims, options) => {
    const known = planned('op', [shape([1, 2])], { size: [3, 4] }, () => ({}));
    expect(planned(op, [shape([...dims])], options, () => ({}))).not.toBe(known);
    expect(planned('op', [shape([1, 2])], { size: [3, 4] }, () => ({}))).toBe(known);
  });

  it('tells types apart, and whether there is a bias', () => {
    const plan = (type: string, options: object) => planned('op', [shape([5], type)], options, () => ({}));
    expect(plan('uint8', {})).not.toBe(plan('int8', {}));
    expect(plan('uint8', { bias: {} })).not.toBe(plan('uint8', { bias: undefined }));
    expect(plan('uint8', { bias: {} })).toBe(plan('uint8', { bias: { other: 1 } }));
  });

  it('plans calls anew whose options are not plain', () => {
    const options = { window: { y: 1 } };
    expect(planned('op', [shape([6])], options, () => ({}))).not.toBe(
      planned('op', [shape([6])], options, () => ({})),
    );
  });

  it('keeps no call that was refused, and checks a call that differs from a good one', () => {
    const x = tensor([1, 1, 2, 2], [1, 2, 3, 4]);
    for (let i = 0; i < 2; i++) {
      expect(interpolateSync(x, { size: 3 }).dims).toEqual([1, 1, 3, 3]);
      expect(() => interpolateSync(x, { size: 0 })).toThrow(/size must be/);
      expect(() => interpolateSync(x, { size: 3, sise: 3 } as never)).toThrow(/did you mean size/);
    }
  });

  it('is bounded', () => {
    for (let i = 0; i < 5000; i++) planned('many', [shape([i])], { size: i }, () => ({}));
    let made = 0;
    planned('many', [shape([0])], { size: 0 }, () => ({ n: ++made }));
    expect(made).toBe(1);
  });
});
