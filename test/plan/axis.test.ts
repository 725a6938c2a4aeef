/**
 * The table that every resize mode becomes. Both backends read it, so parity cannot see an error in it; three proofs that do
 * not share its code can: properties, rows of PyTorch, and pixels from the continuous definition.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AxisSpec, type AxisTaps, axisTaps, type Filter } from '../../src/plan/axis.js';
import { interpolateSync as onReference } from '../../src/reference.js';
import type { DataType, Layout } from '../../src/tensor.js';
import { type InterpolateOptions, interpolatePlan, interpolateSync } from '../../src/torch/interpolate.js';
import { product } from '../support/operator.js';
import { random } from '../support/random.js';

const FILTERS: readonly Filter[] = [
  { kind: 'nearest', rounding: 'prefer-ceil' },
  { kind: 'nearest', rounding: 'prefer-floor' },
  { kind: 'linear' },
  { kind: 'cubic', a: -0.75 },
  { kind: 'area' },
  { kind: 'antialias', base: 'linear', a: 0 },
  { kind: 'antialias', base: 'cubic', a: -0.5 },
];
const SIZES = [1, 2, 3, 4, 5, 7, 8, 16, 31, 64, 100];
const half = { kind: 'half-pixel' } as const;
const corners = { kind: 'align-corners' } as const;

const table = (inSize: number, outSize: number, filter: Filter, more: Partial<AxisSpec> = {}): AxisTaps =>
  axisTaps({ inSize, outSize, filter, coordinates: half, precision: 'float64', ...more });

/** The taps of one output as a dense row of weights. */
function row(t: AxisTaps, o: number): number[] {
  const dense = new Array<number>(t.inSize).fill(0);
  for (let k = 0; k < t.count[o]!; k++) dense[t.index[k * t.outSize + o]!]! += t.weight[k * t.outSize + o]!;
  return dense;
}

describe('properties', () => {
  it.each(product({ filter: FILTERS, coordinates: [half, corners] }))(
    'indices are pixels, no weight is zero, weights sum to 1: $filter $coordinates',
    ({ filter, coordinates }) => {
      for (const inSize of SIZES)
        for (const outSize of SIZES) {
          const t = table(inSize, outSize, filter, { coordinates, precision: 'float32' });
          expect(t.index.every((i) => i >= 0 && i < inSize)).toBe(true);
          for (let o = 0; o < outSize; o++) {
            let sum = 0;
            let zeros = 0;
            for (let k = 0; k < t.count[o]!; k++) {
              if (t.weight[k * outSize + o] === 0) zeros++;
              sum += t.weight[k * outSize + o]!;
            }
            if (zeros > 0 || Math.abs(sum - 1) > t.count[o]! * 2 ** -24)
              expect.fail(`${inSize} -> ${outSize} at ${o}: ${zeros} weights are zero, their sum is ${sum}`);
          }
        }
    },
  );

  it.each(FILTERS.filter((f) => f.kind !== 'nearest').map((f) => [f.kind, f] as const))(
    'a mirrored input gives the mirrored output: %s',
    (_, filter) => {
      for (const inSize of SIZES)
        for (const outSize of SIZES) {
          const t = table(inSize, outSize, filter);
          for (let o = 0; o < outSize; o++) {
            const mirrored = row(t, outSize - 1 - o).reverse();
            expect(row(t, o).every((w, i) => Math.abs(w - mirrored[i]!) < 1e-12)).toBe(true);
          }
        }
    },
  );

  it('nearest with ties up mirrors nearest with ties down', () => {
    for (const inSize of SIZES)
      for (const outSize of SIZES) {
        const up = table(inSize, outSize, { kind: 'nearest', rounding: 'prefer-ceil' });
        const down = table(inSize, outSize, { kind: 'nearest', rounding: 'prefer-floor' });
        for (let o = 0; o < outSize; o++) expect(up.index[o]).toBe(inSize - 1 - down.index[outSize - 1 - o]!);
      }
  });

  it.each(product({ filter: FILTERS, coordinates: [half, corners] }))(
    'equal sizes copy, to the bit: $filter $coordinates',
    ({ filter, coordinates }) => {
      for (const size of SIZES) {
        const t = table(size, size, filter, { coordinates });
        for (let o = 0; o < size; o++) expect(row(t, o).every((w, i) => w === (i === o ? 1 : 0))).toBe(true);
      }
    },
  );

  it.each(FILTERS)('an axis that keeps its size, and one of one pixel, is moved: $kind', (filter) => {
    for (const size of SIZES) {
      const same = table(size, size, filter),
        one = table(1, size, filter);
      expect([same.taps, ...same.weight]).toEqual(new Array(size + 1).fill(1));
      expect([...same.index]).toEqual(Array.from({ length: size }, (_, o) => o));
      expect([one.taps, ...one.weight]).toEqual(new Array(size + 1).fill(1));
    }
  });

  it('survives structuredClone', () => {
    const t = table(5, 9, { kind: 'linear' });
    expect(structuredClone(t)).toEqual(t);
  });
});

/** The pixel at a fractional position, from the definition of the mode: no table, no clamped index. */
const definitions: Record<
  string,
  (f: (x: number) => number, inSize: number, outSize: number, o: number) => number
> = {
  // Straight lines between pixel centres, constant beyond the outer two.
  linear(f, inSize, outSize, o) {
    const x = Math.min(Math.max(((o + 0.5) / outSize) * inSize - 0.5, 0), inSize - 1);
    let best = 0;
    for (let i = 0; i < inSize; i++) best += f(i) * Math.max(0, 1 - Math.abs(x - i));
    return best;
  },
  // Keys' kernel over an image continued by its edge pixels.
  cubic(f, inSize, outSize, o) {
    const x = ((o + 0.5) / outSize) * inSize - 0.5;
    let sum = 0;
    for (let i = Math.floor(x) - 3; i <= Math.floor(x) + 3; i++)
      sum += f(Math.min(Math.max(i, 0), inSize - 1)) * keys(x - i, -0.75);
    return sum;
  },
  // The mean of the pixels that the output cell touches.
  area(f, inSize, outSize, o) {
    const seen: number[] = [];
    for (let i = 0; i < inSize; i++)
      if ((i + 1) * outSize > o * inSize && i * outSize < (o + 1) * inSize) seen.push(f(i));
    return seen.reduce((a, b) => a + b, 0) / seen.length;
  },
  // A triangle as wide as an output pixel, weighed over the pixels that exist.
  antialias(f, inSize, outSize, o) {
    const step = Math.max(inSize / outSize, 1);
    const x = ((o + 0.5) / outSize) * inSize - 0.5;
    let [sum, weights] = [0, 0];
    for (let i = 0; i < inSize; i++) {
      const w = Math.max(0, 1 - Math.abs(x - i) / step);
      sum += w * f(i);
      weights += w;
    }
    return sum / weights;
  },
};

/** Keys' convolution kernel (IEEE ASSP 29(6), 1981) as its two polynomials, expanded. */
function keys(t: number, a: number): number {
  const d = Math.abs(t);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  if (d < 2) return a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
  return 0;
}

describe('pixels from the continuous definition', () => {
  const cases = {
    linear: { kind: 'linear' },
    cubic: { kind: 'cubic', a: -0.75 },
    area: { kind: 'area' },
    antialias: { kind: 'antialias', base: 'linear', a: 0 },
  } as const;
  it.each(Object.entries(cases))('%s', (name, filter) => {
    const r = random(11);
    for (const inSize of SIZES)
      for (const outSize of SIZES) {
        const pixels = Array.from({ length: inSize }, () => r.next() * 2 - 1);
        const t = table(inSize, outSize, filter);
        for (let o = 0; o < outSize; o++) {
          const got = row(t, o).reduce((s, w, i) => s + w * pixels[i]!, 0);
          const expected = definitions[name]!((i) => pixels[i]!, inSize, outSize, o);
          if (Math.abs(got - expected) > 1e-12)
            expect.fail(`${inSize} -> ${outSize} at ${o}: expected ${expected}, got ${got}`);
        }
      }
  });

  it('a ramp stays a ramp between its ends', () => {
    // Keys' kernel does so for a = -1/2 only.
    for (const filter of [cases.linear, { kind: 'cubic', a: -0.5 } as const])
      for (const outSize of [17, 23, 40]) {
        const t = table(10, outSize, filter);
        for (let o = 0; o < outSize; o++) {
          const x = ((o + 0.5) / outSize) * 10 - 0.5;
          if (x < 1 || x > 8) continue;
          const got = row(t, o).reduce((s, w, i) => s + w * i, 0);
          expect(Math.abs(got - x)).toBeLessThan(1e-12);
        }
      }
  });
});

interface Golden {
  readonly version: string;
  readonly nearest: readonly {
    mode: 'nearest' | 'nearest-exact';
    type: DataType;
    dims: number[];
    layout: Layout;
    size: number[] | null;
    scale: number | null;
    row: number[];
  }[];
  readonly values: readonly {
    options: {
      mode: 'bilinear';
      size?: number[];
      scale_factor?: number[];
      recompute_scale_factor?: boolean;
      align_corners?: boolean;
      antialias?: boolean;
    };
    dims: number[];
    x: number[];
    outDims: number[];
    y: number[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL('../golden/axis.json', import.meta.url), 'utf8')) as Golden;

describe(`rows of ${golden.version}`, () => {
  it('nearest and nearest-exact read the same pixels where float32 decides', () => {
    expect(golden.nearest.length).toBeGreaterThan(60);
    for (const { mode, type, dims, layout, size, scale, row: expected } of golden.nearest) {
      const options = {
        mode,
        layout,
        ...(size === null ? { scaleFactor: [1, scale!] } : { size }),
      };
      const axes = interpolatePlan('interpolate', { type, dims }, options).axes;
      expect([...axes[axes.length - 1]!.index], JSON.stringify({ type, dims, ...options })).toEqual(expected);
    }
  });

  it.each(golden.values.map((v) => [JSON.stringify(v.options), v] as const))('%s', (_, v) => {
    const { mode, size, scale_factor, recompute_scale_factor, align_corners, antialias } = v.options;
    const options: InterpolateOptions = {
      mode,
      size,
      scaleFactor: scale_factor,
      recomputeScaleFactor: recompute_scale_factor,
      alignCorners: align_corners,
      antialias,
    };
    const input = { type: 'float32', data: Float32Array.from(v.x), dims: v.dims };
    for (const run of [interpolateSync, onReference]) {
      const got = run(input, options);
      expect(got.dims).toEqual(v.outDims);
      for (const [i, y] of v.y.entries()) expect(Math.abs((got.data[i] as number) - y)).toBeLessThan(2e-6);
    }
  });
});

describe('non-finite pixels', () => {
  it.each(['bilinear', 'bicubic'] as const)(
    '%s: an infinity reaches the outputs that weigh it, no other',
    (mode) => {
      for (const [from, to, alignCorners] of [
        [5, 9, true],
        [4, 8, false],
        [6, 11, true],
        [7, 3, false],
      ] as const) {
        const width = axisTaps({
          inSize: from,
          outSize: to,
          coordinates: alignCorners ? corners : half,
          filter: mode === 'bilinear' ? { kind: 'linear' } : { kind: 'cubic', a: -0.75 },
          precision: 'float32',
        });
        for (let at = 0; at < from; at++) {
          const data = new Float32Array(from).fill(1);
          data[at] = Infinity;
          const y = interpolateSync({ data, dims: [1, 1, 1, from] }, { mode, size: [1, to], alignCorners });
          for (let o = 0; o < to; o++)
            expect(Number.isFinite(y.data[o] as number)).toBe(row(width, o)[at] === 0);
        }
      }
    },
  );
});
