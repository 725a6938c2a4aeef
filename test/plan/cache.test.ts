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

  it('sees what the caller wrote to his options and dims between two calls', () => {
    const dims = [1, 1, 2, 2];
    const x = { data: new Float32Array(24).fill(1), dims };
    const size = [3, 4];
    const options = { size, mode: 'bilinear', out: undefined } as Record<string, unknown>;
    const call = () => interpolateSync(x, options as never);
    expect(call().dims).toEqual([1, 1, 3, 4]);
    size[1] = 5;
    expect(call().dims).toEqual([1, 1, 3, 5]);
    dims[1] = 6;
    expect(call().dims).toEqual([1, 6, 3, 5]);
    options.size = 2;
    expect(call().dims).toEqual([1, 6, 2, 2]);
    options.sise = 2;
    expect(call).toThrow(/did you mean size/);
    delete options.sise;
    options.mode = 'bilinea';
    expect(call).toThrow(/mode must be/);
    options.mode = 'nearest';
    options.signal = 1;
    expect(call).toThrow(/signal must be left out/);
  });

  it('takes options from spread, inherited and bare objects alike', () => {
    const x = tensor([1, 1, 2, 2], [1, 2, 3, 4]);
    const size = { size: 3 };
    const out = tensor([1, 1, 3, 3], new Array(9).fill(0));
    for (const options of [
      { ...size, ...{ out } },
      Object.create({ size: 3, out }),
      Object.assign(Object.create(null), { size: 3, out }),
    ])
      expect(interpolateSync(x, options)).toBe(out);
    expect(() => interpolateSync(x, Object.create({ size: 3, sise: 3 }))).toThrow(/did you mean size/);
  });

  it('is bounded', () => {
    for (let i = 0; i < 5000; i++) planned('many', [shape([i])], { size: i }, () => ({}));
    let made = 0;
    planned('many', [shape([0])], { size: 0 }, () => ({ n: ++made }));
    expect(made).toBe(1);
  });
});
