import { describe, expect, it } from 'vitest';
import { analyzeCheckerboard } from '../../src/analysis/checkerboard.js';
import { bilinearWeights, icnr } from '../../src/analysis/initialisers.js';
import { interpolateSync } from '../../src/index.js';
import { randomWeight, scatterTransposed, shuffledConvolution } from './layers.js';

describe('bilinearWeights', () => {
  // upsample_filt of the FCN code, by hand: factor (k + 1) // 2, centre factor − 1 (odd) or factor − ½ (even).
  it.each([
    [[2], 4, [0.25, 0.75, 0.75, 0.25]],
    [[3], 5, [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3]],
    [[4], 8, [0.125, 0.375, 0.625, 0.875, 0.875, 0.625, 0.375, 0.125]],
    [[2], 3, [0.5, 1, 0.5]],
    [[1], 1, [1]],
  ])('stride %j kernel %i is %j', (stride, kernelSize, filter) => {
    const w = bilinearWeights({ stride, kernelSize, type: 'float64' });
    expect(w.dims).toEqual([1, 1, kernelSize]);
    for (const [i, v] of filter.entries()) expect(w.data[i]).toBeCloseTo(v, 15);
  });

  it('is diagonal over the channels, or one filter per channel with groups', () => {
    const w = bilinearWeights({ stride: 2, channels: 3 });
    expect(w.dims).toEqual([3, 3, 4, 4]);
    for (let i = 0; i < 3; i++)
      for (let o = 0; o < 3; o++) {
        const sum = (w.data as Float32Array)
          .subarray((i * 3 + o) * 16, (i * 3 + o + 1) * 16)
          .reduce((a, b) => a + b, 0);
        expect(sum).toBe(i === o ? 4 : 0);
      }
    expect(bilinearWeights({ stride: [2, 3], channels: 3, groups: 3 }).dims).toEqual([3, 1, 4, 5]);
    expect(bilinearWeights({ stride: [2, 2, 2] }).dims).toEqual([1, 1, 4, 4, 4]);
    expect(
      analyzeCheckerboard(bilinearWeights({ stride: 4, channels: 5, groups: 5 }), { stride: 4, groups: 5 })
        .verdict,
    ).toBe('clean');
  });

  it.each([2, 3, 4, 5])('interpolates bilinearly by the factor %i away from borders', (s) => {
    const x = randomWeight([1, 1, 9, 9], s);
    const w = bilinearWeights({ stride: s, type: 'float64' });
    const y = scatterTransposed({ dims: [1, 9, 9], data: x.data }, w as never, {
      stride: s,
      padding: Math.ceil((s - 1) / 2),
    });
    const want = interpolateSync(x, { scaleFactor: s, mode: 'bilinear' });
    const width = y.dims[2]!;
    expect(width).toBe(9 * s);
    for (let a = s; a < 8 * s; a++)
      for (let b = s; b < 8 * s; b++)
        expect(y.data[a * width + b]).toBeCloseTo(Number(want.data[a * 9 * s + b]), 5);
  });

  it.each([
    ['stride 0', () => bilinearWeights({ stride: 0 }), /stride must be/],
    ['kernel 0', () => bilinearWeights({ stride: 2, kernelSize: 0 }), /kernelSize must be/],
    [
      'other groups',
      () => bilinearWeights({ stride: 2, channels: 4, groups: 2 }),
      /groups must be 1 or channels, got 2 of 4/,
    ],
    ['four axes', () => bilinearWeights({ stride: [2, 2, 2, 2] }), /one to three axes/],
    [
      'a type of integers',
      () => bilinearWeights({ stride: 2, type: 'int8' as never }),
      /type must be one of/,
    ],
  ])('refuses %s', (_, call, message) => expect(call).toThrow(message));
});

describe('icnr', () => {
  it('is nearest resizing and a convolution at the first step', () => {
    const k = randomWeight([2, 3, 3, 3]);
    const x = randomWeight([3, 6, 6], 2);
    const y = shuffledConvolution(x, icnr(k, { upscaleFactor: 2 }) as never, 2, 1);
    const plain = shuffledConvolution(x, k, 1, 1);
    for (let c = 0; c < 2; c++)
      for (let a = 0; a < 12; a++)
        for (let b = 0; b < 12; b++)
          expect(y.data[(c * 12 + a) * 12 + b]).toBe(plain.data[(c * 6 + (a >> 1)) * 6 + (b >> 1)]);
  });

  it('repeats the sub-kernel in the layout of a transposed convolution', () => {
    const w = icnr(
      { data: Float32Array.of(1, 2, 3, 4), dims: [1, 1, 2, 2] },
      { upscaleFactor: [2, 1], kind: 'conv-transpose' },
    );
    expect(w.dims).toEqual([1, 1, 4, 2]);
    expect(Array.from(w.data as Float32Array)).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
  });

  it('keeps the type', () => {
    const w = icnr({ data: Uint16Array.of(0x3c00), dims: [1, 1, 1], type: 'float16' }, { upscaleFactor: 3 });
    expect(w).toMatchObject({
      type: 'float16',
      dims: [3, 1, 1],
      data: Uint16Array.of(0x3c00, 0x3c00, 0x3c00),
    });
  });

  it('refuses a factor of 0 and rank 2', () => {
    expect(() => icnr(randomWeight([1, 1, 1]), { upscaleFactor: 0 })).toThrow(/upscaleFactor must be/);
    expect(() => icnr(randomWeight([1, 1]), { upscaleFactor: 2 })).toThrow(/3 to 5 dimensions/);
  });
});
