import { describe, expect, it } from 'vitest';
import { analyzeCheckerboard } from '../../src/analysis/checkerboard.js';
import { icnr } from '../../src/analysis/initialisers.js';
import {
  appendBoxFilter,
  checkerboardRemedies,
  equalizePhaseGain,
  projectIcnr,
  toResizeConv,
} from '../../src/analysis/remedies.js';
import { toHalf } from '../../src/half.js';
import { resizeConv2dSync } from '../../src/index.js';
import { ones, randomWeight, scatterTransposed, type Weight } from './layers.js';

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (v, i) => v - b[i]!));

describe('equalizePhaseGain', () => {
  it.each(['additive', 'scale'] as const)('%s: no line is left, the mean gain stays', (method) => {
    for (const [dims, o] of [
      [[5, 4, 4, 4], { stride: 2, padding: 1 }],
      [[5, 4, 3, 3], { stride: 2 }],
      [[4, 2, 5], { stride: 3, groups: 2 }],
      [[12, 3, 3, 3], { stride: 2, padding: 1, kind: 'pixel-shuffle' }],
      [[2, 2, 4, 4, 4], { stride: 2 }],
    ] as const) {
      const w = randomWeight([...dims], 4);
      const before = analyzeCheckerboard(w, o);
      const fixed = equalizePhaseGain(w, { ...o, method });
      const after = analyzeCheckerboard(fixed, o);
      expect(before.verdict).not.toBe('clean');
      expect(after.verdict).toBe('clean');
      expect(after.peak.db).toBeLessThan(method === 'additive' ? -120 : -60);
      expect(fixed.dims).toEqual(w.dims);
      const total = (d: ArrayLike<number>) => Array.from(d).reduce((a, b) => a + b, 0);
      if (method === 'scale') continue;
      // Every phase of every pair of channels now has the mean gain: with even overlap the sum of all weights stays.
      if (before.overlap.even) expect(total(fixed.data as Float32Array)).toBeCloseTo(total(w.data), 4);
    }
  });

  it('additive is the smallest change that has equal gains', () => {
    const w = randomWeight([1, 1, 4], 5);
    const fixed = equalizePhaseGain(w, { stride: 2 });
    const least = distance(fixed.data as Float32Array, w.data);
    for (let seed = 0; seed < 200; seed++) {
      const other = equalizePhaseGain(
        { dims: w.dims, data: w.data.map((v, i) => v + 0.2 * randomWeight([4], seed).data[i]!) },
        { stride: 2 },
      );
      // Another filter of equal gains with the same mean gain.
      const shift =
        (Array.from(w.data).reduce((a, b) => a + b, 0) -
          Array.from(other.data as Float32Array).reduce((a, b) => a + b, 0)) /
        4;
      expect(
        distance(
          Array.from(other.data as Float32Array, (v) => v + shift),
          w.data,
        ),
      ).toBeGreaterThanOrEqual(least - 1e-6);
    }
  });

  it('float16 comes out as float16, clean to its rounding', () => {
    const w = randomWeight([8, 8, 4, 4]);
    const half = { dims: w.dims, type: 'float16', data: Uint16Array.from(w.data, toHalf) };
    const fixed = equalizePhaseGain(half, { stride: 2 });
    expect(fixed.type).toBe('float16');
    expect(analyzeCheckerboard(fixed, { stride: 2 }).peak.db).toBeLessThan(-50);
  });

  it('refuses holes, and scaling what is not there', () => {
    expect(() => equalizePhaseGain(ones(3, 3), { stride: 2, dilation: 2 })).toThrow(
      /none of its elements reaches phase 1/,
    );
    const w = { dims: [1, 1, 4], data: Float32Array.of(1, 1, 1, -1) };
    expect(() => equalizePhaseGain(w, { stride: 2, method: 'scale' })).toThrow(
      /phase 1 has none; take method additive/,
    );
    expect(() => equalizePhaseGain(w, { stride: 2, method: 'mul' as never })).toThrow(
      /method must be one of/,
    );
  });
});

describe('projectIcnr', () => {
  it('makes phases equal and is a projection', () => {
    for (const [dims, o] of [
      [[5, 4, 4, 4], { stride: 2 }],
      [[12, 3, 3, 3], { stride: 2, kind: 'pixel-shuffle' }],
    ] as const) {
      const once = projectIcnr(randomWeight([...dims]), o);
      expect(analyzeCheckerboard(once, o).icnrDistance).toBeLessThan(1e-12);
      expect(analyzeCheckerboard(once, o).verdict).toBe('clean');
      const twice = projectIcnr(once, o);
      expect(distance(twice.data as Float32Array, once.data as Float32Array)).toBeLessThan(1e-6);
    }
  });
  it('refuses a kernel that is not divisible', () => {
    expect(() => projectIcnr(ones(3, 3), { stride: 2 })).toThrow(
      /kernel divisible by the stride, got 3x3 and 2x2/,
    );
  });
});

describe('appendBoxFilter', () => {
  it.each([
    ['k4 s2 p1', randomWeight([3, 2, 4, 4]), { stride: 2, padding: 1 }],
    ['k3 s3', randomWeight([3, 2, 3, 3]), { stride: 3, padding: 1 }],
    ['k3 s2 d2, which has holes', randomWeight([3, 2, 3, 3]), { stride: 2, dilation: 2 }],
  ] as const)('%s: is the layer and a mean over its outputs, and clean', (_, w, o) => {
    const { weight, ...l } = appendBoxFilter(w, o);
    expect(analyzeCheckerboard(weight, l).peak.db).toBeLessThan(-120);
    const x = randomWeight([3, 7, 7], 2);
    const plain = scatterTransposed(x, w, o);
    const boxed = scatterTransposed(x, weight as Weight, {
      stride: o.stride,
      padding: l.padding[0]!,
      outputPadding: l.outputPadding[0]!,
    });
    expect(boxed.dims).toEqual(plain.dims);
    const [, h, width] = plain.dims as [number, number, number];
    const s = o.stride;
    const c = Math.ceil((s - 1) / 2);
    for (let y = s; y < h - s; y++)
      for (let z = s; z < width - s; z++) {
        let mean = 0;
        for (let a = 0; a < s; a++)
          for (let b = 0; b < s; b++) mean += plain.data[(y + c - a) * width + z + c - b]! / (s * s);
        expect(boxed.data[y * width + z]).toBeCloseTo(mean, 5);
      }
  });
  it('refuses a pixel shuffle', () => {
    expect(() => appendBoxFilter(randomWeight([4, 1, 3, 3]), { stride: 2, kind: 'pixel-shuffle' })).toThrow(
      /kind must be conv-transpose/,
    );
  });
});

/** nearest resize and conv2d, by definition. */
function resizeConv(x: Weight, w: Weight, s: number, pad: number): Weight {
  const [c, h, width] = x.dims as [number, number, number];
  const wide = { dims: [c, h * s, width * s], data: new Float64Array(c * h * s * width * s) };
  for (let i = 0; i < wide.data.length; i++) {
    const z = i % (width * s);
    const y = Math.floor(i / (width * s)) % (h * s);
    wide.data[i] =
      x.data[(Math.floor(i / (width * s * h * s)) * h + Math.floor(y / s)) * width + Math.floor(z / s)]!;
  }
  const [out, , kh, kw] = w.dims as [number, number, number, number];
  const data = new Float64Array(out * h * s * width * s);
  for (let o = 0; o < out; o++)
    for (let y = 0; y < h * s; y++)
      for (let z = 0; z < width * s; z++) {
        let sum = 0;
        for (let i = 0; i < c; i++)
          for (let a = 0; a < kh; a++)
            for (let b = 0; b < kw; b++) {
              const p = y + a - pad;
              const q = z + b - pad;
              if (p >= 0 && p < h * s && q >= 0 && q < width * s)
                sum += wide.data[(i * h * s + p) * width * s + q]! * w.data[((o * c + i) * kh + a) * kw + b]!;
            }
        data[(o * h * s + y) * width * s + z] = sum;
      }
  return { dims: [out, h * s, width * s], data } as unknown as Weight;
}

describe('toResizeConv', () => {
  it('finds the resize-convolution that a layer is', () => {
    // nearest ×2 and conv 3×3, written as a transposed convolution of kernel 4 and padding 1 by scattering an impulse.
    const k = randomWeight([2, 3, 3, 3], 7);
    const w: Weight = { dims: [3, 2, 4, 4], data: new Float32Array(96) };
    for (let i = 0; i < 3; i++) {
      const x: Weight = { dims: [3, 5, 5], data: new Float32Array(75) };
      x.data[i * 25 + 12] = 1;
      const y = resizeConv(x, k, 2, 1);
      for (let o = 0; o < 2; o++)
        for (let a = 0; a < 4; a++)
          for (let b = 0; b < 4; b++)
            w.data[((i * 2 + o) * 4 + a) * 4 + b] = y.data[(o * 10 + 3 + a) * 10 + 3 + b]!;
    }
    const r = toResizeConv(w, { stride: 2, padding: 1 });
    expect(r).toMatchObject({ padding: [1, 1], scaleFactor: [2, 2], mode: 'nearest' });
    expect(r.error).toBeLessThan(1e-6);
    expect(r.weight.dims).toEqual([2, 3, 3, 3]);
    for (let i = 0; i < 54; i++) expect(r.weight.data[i]).toBeCloseTo(k.data[i]!, 5);
  });

  it.each([
    ['k4 s2 p1', [3, 2, 4, 4], { stride: 2, padding: 1 }],
    ['k3 s2 p1', [3, 2, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }],
    ['k8 s4 p2', [2, 2, 8, 8], { stride: 4, padding: 2 }],
    ['k2 s2', [2, 2, 2, 2], { stride: 2 }],
  ] as const)('%s: its error is that of the impulse response, and no neighbour is better', (_, dims, o) => {
    const w = randomWeight([...dims], 8);
    const r = toResizeConv(w, o);
    const errorOf = (k: ArrayLike<number>) => {
      let apart = 0;
      let whole = 0;
      for (let i = 0; i < dims[0]; i++) {
        const x: Weight = { dims: [dims[0], 9, 9], data: new Float32Array(dims[0] * 81) };
        x.data[i * 81 + 40] = 1;
        const want = scatterTransposed(x, w, o);
        const got = resizeConv(x, { dims: r.weight.dims, data: k as Float32Array }, o.stride, r.padding[0]!);
        expect(want.dims).toEqual(got.dims);
        apart += distance(want.data, got.data) ** 2;
        whole += distance(want.data, new Float32Array(want.data.length)) ** 2;
      }
      return Math.sqrt(apart / whole);
    };
    const best = errorOf(r.weight.data as Float32Array);
    expect(r.error).toBeCloseTo(best, 5);
    for (let seed = 0; seed < 5; seed++) {
      const other = randomWeight([r.weight.data.length], 50 + seed).data;
      expect(errorOf((r.weight.data as Float32Array).map((v, i) => v + 0.01 * other[i]!))).toBeGreaterThan(
        best,
      );
    }
  });

  it('finds the ICNR start of a pixel shuffle to be nearest resizing and its sub-kernel, spread', () => {
    const k = randomWeight([2, 3, 3, 3], 4);
    const r = toResizeConv(icnr(k, { upscaleFactor: 2 }), { stride: 2, padding: 1, kind: 'pixel-shuffle' });
    expect(r.error).toBeLessThan(1e-6);
    expect(r).toMatchObject({ padding: [2, 2], weight: { dims: [2, 3, 5, 5] } });
    for (let i = 0; i < 6 * 25; i++) {
      const [y, x] = [Math.floor((i % 25) / 5), i % 5];
      const want = y % 2 === 0 && x % 2 === 0 ? k.data[Math.floor(i / 25) * 9 + (y / 2) * 3 + x / 2]! : 0;
      expect(r.weight.data[i]).toBeCloseTo(want, 5);
    }
  });

  it.each(['nearest', 'bilinear'] as const)(
    '%s: resizeConv2d runs the rewrite, and away from borders it is the layer',
    (mode) => {
      // A layer that is a resize-convolution: the response of one to each single input.
      const k = randomWeight([2, 2, 3, 3], 11);
      const w: Weight = { dims: [2, 2, 6, 6], data: new Float32Array(144) };
      for (let i = 0; i < 2; i++) {
        const impulse = { dims: [1, 2, 7, 7], data: new Float32Array(98) };
        impulse.data[i * 49 + 24] = 1;
        const y = resizeConv2dSync(impulse, k, { scaleFactor: 2, mode, padding: 1 });
        for (let o = 0; o < 2; o++)
          for (let a = 0; a < 36; a++)
            w.data[(i * 2 + o) * 36 + a] = y.data[
              (o * 14 + 4 + Math.floor(a / 6)) * 14 + 4 + (a % 6)
            ] as number;
      }
      const r = toResizeConv(w, { stride: 2, padding: 2, mode });
      expect(r.error).toBeLessThan(1e-5);
      const x = randomWeight([2, 9, 9], 12);
      const want = scatterTransposed(x, w, { stride: 2, padding: 2 });
      const { weight, scaleFactor, padding, groups } = r;
      const got = resizeConv2dSync({ dims: [1, 2, 9, 9], data: x.data }, weight, {
        scaleFactor,
        mode,
        padding: [...padding],
        groups,
      });
      expect(got.dims).toEqual([1, ...want.dims]);
      for (let i = 0; i < got.data.length; i++) {
        const [y, z] = [Math.floor((i % 324) / 18), i % 18];
        const inner = Math.min(y, z, 17 - y, 17 - z) >= (mode === 'nearest' ? 0 : 4);
        if (inner) expect(got.data[i]).toBeCloseTo(want.data[i]!, 4);
      }
    },
  );

  it('refuses kernels whose system would be too large', () => {
    expect(() => toResizeConv(randomWeight([1, 1, 300]), { stride: 150 })).toThrow(/kernel of at most 256/);
  });

  it('finds bilinear weights to be a bilinear resize', async () => {
    const { bilinearWeights } = await import('../../src/analysis/initialisers.js');
    const r = toResizeConv(bilinearWeights({ stride: 2, channels: 2, type: 'float64' }), {
      stride: 2,
      padding: 1,
      mode: 'bilinear',
    });
    expect(r.error).toBeLessThan(1e-12);
    expect(r.weight.dims).toEqual([2, 2, 3, 3]);
  });
});

describe('checkerboardRemedies', () => {
  it('measures each remedy of a random layer', () => {
    const list = checkerboardRemedies(randomWeight([4, 4, 4, 4]), { stride: 2, padding: 1 });
    expect(list.map((r) => r.name)).toEqual([
      'equalizePhaseGain',
      'box filter',
      'toResizeConv',
      'icnr',
      'bilinear',
    ]);
    for (const r of list) expect(r.verdict, r.name).toBe('clean');
    expect(list[0]!.change).toBeGreaterThan(0);
  });
  it('a layer of k3 s2 may take k4, one with holes the box', () => {
    expect(checkerboardRemedies(ones(3, 3), { stride: 2 }).map((r) => r.name)).toEqual([
      'equalizePhaseGain',
      'box filter',
      'toResizeConv',
      'bilinear',
      'next kernel',
    ]);
    const list = checkerboardRemedies(ones(3, 3), { stride: 2, dilation: 2 });
    expect(list).toMatchObject([{ name: 'box filter', verdict: 'clean' }]);
  });
  it('serves pixel shuffles', () => {
    const list = checkerboardRemedies(randomWeight([16, 4, 3, 3]), {
      stride: 2,
      padding: 1,
      kind: 'pixel-shuffle',
    });
    expect(list.map((r) => [r.name, r.verdict])).toEqual([
      ['equalizePhaseGain', 'clean'],
      ['toResizeConv', 'clean'],
      ['icnr', 'clean'],
    ]);
  });
});
