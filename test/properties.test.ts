/** Laws that hold for every input, tried on random ones by fast-check. A counterexample that failed once becomes an example. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as root from '../src/index.js';
import { type AxisSpec, axisTaps, type Coordinates, type Filter } from '../src/plan/axis.js';
import { windowAxis, windowExtent, windowOutSize } from '../src/plan/window.js';
import { allocate, type Tensor } from '../src/tensor.js';
import { random } from './support/random.js';
import { permute } from './support/webnn.js';

const RUNS = { numRuns: 60, seed: 20261122 };

const size = fc.integer({ min: 1, max: 24 });
const seed = fc.integer({ min: 1, max: 1e9 });
const axes = fc.integer({ min: 1, max: 3 });

/** A tensor of values in -1 … 1. */
function tensor(
  dims: readonly number[],
  s: number,
  type: 'float32' | 'float64' | 'uint8' = 'float64',
): Tensor {
  const r = random(s);
  const t = allocate('test', type, dims);
  for (let i = 0; i < t.data.length; i++)
    t.data[i] = type === 'uint8' ? r.int(0, 255) : Math.fround(r.next() * 2 - 1);
  return t;
}

const numbers = (t: Tensor): number[] => Array.from(t.data as Float64Array, Number);
const dot = (a: Tensor, b: Tensor): number => {
  const y = numbers(b);
  return numbers(a).reduce((sum, v, i) => sum + v * y[i]!, 0);
};
const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

/** Image n of a batch. */
function image(t: Tensor, n: number): Tensor {
  const length = product(t.dims.slice(1));
  return {
    ...t,
    dims: [1, ...t.dims.slice(1)],
    data: t.data.slice(n * length, (n + 1) * length) as Tensor['data'],
  };
}

function close(got: Tensor, want: Tensor, tolerance: number): void {
  expect(got.dims).toEqual(want.dims);
  const w = numbers(want);
  for (const [i, v] of numbers(got).entries())
    if (!(Math.abs(v - w[i]!) <= tolerance)) expect(v, `element ${i}`).toBe(w[i]);
}

function same(got: Tensor, want: Tensor): void {
  expect(got.type).toBe(want.type);
  expect(got.dims).toEqual(want.dims);
  expect(got.data).toEqual(want.data);
}

type Sync = (...args: unknown[]) => Tensor;
/** maxPool2dSync and so on, by its number of axes. */
const named = (stem: string, n: number): Sync =>
  (root as unknown as Record<string, Sync>)[`${stem}${n}dSync`]!;

describe('tap tables', () => {
  const filter: fc.Arbitrary<Filter> = fc.constantFrom<Filter[]>(
    { kind: 'nearest', rounding: 'prefer-floor' },
    { kind: 'nearest', rounding: 'prefer-ceil' },
    { kind: 'nearest', rounding: 'floor' },
    { kind: 'nearest', rounding: 'ceil' },
    { kind: 'linear' },
    { kind: 'cubic', a: -0.75 },
    { kind: 'cubic', a: -0.5 },
    { kind: 'area' },
    { kind: 'antialias', base: 'linear', a: 0 },
    { kind: 'antialias', base: 'cubic', a: -0.5 },
  );
  const coordinates: fc.Arbitrary<Coordinates> = fc.constantFrom<Coordinates[]>(
    { kind: 'half-pixel' },
    { kind: 'align-corners' },
    { kind: 'asymmetric' },
    { kind: 'half-pixel-symmetric' },
    { kind: 'half-pixel-or-corner' },
    { kind: 'half-pixel-to-floor' },
    { kind: 'crop', start: 0.2, end: 0.9 },
    { kind: 'crop', start: -0.5, end: 1.5 },
    { kind: 'align-corners-step' },
  );
  const spec: fc.Arbitrary<AxisSpec> = fc
    .record({
      inSize: size,
      outSize: size,
      filter,
      coordinates,
      border: fc.constantFrom('clamp' as const, 'exclude' as const),
      given: fc.boolean(),
    })
    .map(({ given, ...s }) => ({
      ...s,
      precision: 'float64' as const,
      // A factor whose floor gives the output size, as dialects make it.
      ...(given ? { scale: (s.outSize + 0.4) / s.inSize } : {}),
    }));

  it('name real pixels, and weights sum to 1', () =>
    fc.assert(
      fc.property(spec, (s) => {
        const t = axisTaps(s);
        for (let o = 0; o < t.outSize; o++) {
          let sum = 0;
          for (let k = 0; k < t.taps; k++) {
            expect(t.index[k * t.outSize + o]).toBeGreaterThanOrEqual(0);
            expect(t.index[k * t.outSize + o]).toBeLessThan(t.inSize);
            if (k < t.count[o]!) sum += t.weight[k * t.outSize + o]!;
          }
          expect(t.count[o]).toBeGreaterThanOrEqual(1);
          expect(Math.abs(sum - 1)).toBeLessThan(1e-9);
        }
      }),
      { ...RUNS, numRuns: 400 },
    ));

  it('are mirrored where the coordinates are', () =>
    fc.assert(
      fc.property(spec, (s) => {
        fc.pre(s.filter.kind !== 'nearest');
        fc.pre(
          s.coordinates.kind === 'half-pixel-symmetric' ||
            (s.scale === undefined && ['half-pixel', 'align-corners'].includes(s.coordinates.kind)),
        );
        fc.pre(s.coordinates.kind !== 'align-corners' || s.outSize > 1);
        const t = axisTaps(s);
        const row = (o: number) => {
          const dense = new Array<number>(t.inSize).fill(0);
          for (let k = 0; k < t.count[o]!; k++)
            dense[t.index[k * t.outSize + o]!]! += t.weight[k * t.outSize + o]!;
          return dense;
        };
        for (let o = 0; o < t.outSize; o++) {
          const other = row(t.outSize - 1 - o).reverse();
          for (const [i, w] of row(o).entries()) expect(Math.abs(w - other[i]!)).toBeLessThan(1e-9);
        }
      }),
      { ...RUNS, numRuns: 300 },
    ));

  it('copy an axis of equal sizes', () =>
    fc.assert(
      fc.property(
        size,
        filter,
        fc.constantFrom('half-pixel', 'align-corners', 'asymmetric'),
        (n, f, kind) => {
          const t = axisTaps({
            inSize: n,
            outSize: n,
            filter: f,
            coordinates: { kind } as Coordinates,
            precision: 'float64',
          });
          for (let o = 0; o < n; o++) {
            let own = 0;
            for (let k = 0; k < t.count[o]!; k++) if (t.index[k * n + o] === o) own += t.weight[k * n + o]!;
            expect(Math.abs(own - 1)).toBeLessThan(1e-9);
          }
        },
      ),
      RUNS,
    ));
});

describe('windows', () => {
  const window = fc.record({
    kernel: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 5 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    padBegin: fc.integer({ min: 0, max: 3 }),
    padEnd: fc.integer({ min: 0, max: 3 }),
  });
  it('read the inputs that exist, in order, and no others', () =>
    fc.assert(
      fc.property(size, window, fc.boolean(), (inSize, w, ceil) => {
        fc.pre(inSize + w.padBegin + w.padEnd >= windowExtent(w));
        const a = windowAxis(inSize, w, windowOutSize(inSize, w, ceil));
        for (let o = 0; o < a.outSize; o++) {
          const all = Array.from({ length: w.kernel }, (_, k) => o * w.stride - w.padBegin + k * w.dilation);
          const real = all.filter((i) => i >= 0 && i < inSize);
          expect(Array.from({ length: a.count[o]! }, (_, k) => a.first[o]! + k * w.dilation)).toEqual(real);
          expect(a.padded[o]).toBe(all.filter((i) => i < inSize + w.padEnd).length);
        }
      }),
      { ...RUNS, numRuns: 300 },
    ));
});

describe('pooling and unpooling', () => {
  it('unpooling puts every winner back and zeros elsewhere; pooling again changes nothing', () =>
    fc.assert(
      fc.property(
        axes,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        seed,
        (n, k, cells, s) => {
          const dims = [2, 3, ...new Array<number>(n).fill(k * cells)];
          const x = tensor(dims, s, 'float32');
          for (let i = 0; i < x.data.length; i++) x.data[i] = Math.abs(x.data[i] as number) + 0.5;
          const pooled = named(`maxPool`, n);
          const withIndices = (
            root as unknown as Record<string, (...a: unknown[]) => { output: Tensor; indices: Tensor }>
          )[`maxPool${n}dWithIndicesSync`]!;
          const { output, indices } = withIndices(x, { kernelSize: k });
          same(pooled(x, { kernelSize: k }), output);
          const back = named('maxUnpool', n)(output, indices, { kernelSize: k });
          expect(back.dims).toEqual(dims);
          let winners = 0;
          for (const [i, v] of numbers(back).entries())
            if (v !== 0) {
              expect(v).toBe(x.data[i]);
              winners++;
            }
          expect(winners).toBe(output.data.length);
          same(pooled(back, { kernelSize: k }), output);
        },
      ),
      RUNS,
    ));
});

describe('convolutions', () => {
  const layer = fc.record({
    n: axes,
    groups: fc.integer({ min: 1, max: 3 }),
    inChannels: fc.integer({ min: 1, max: 4 }),
    outChannels: fc.integer({ min: 1, max: 4 }),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    padding: fc.integer({ min: 0, max: 2 }),
    extra: fc.integer({ min: 0, max: 5 }),
    seed,
  });
  it('the transposed convolution is the adjoint of the convolution: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩', () =>
    fc.assert(
      fc.property(layer, (l) => {
        const extent = (l.kernel - 1) * l.dilation + 1;
        const inSize = Math.max(extent - 2 * l.padding, 1) + l.extra;
        fc.pre(inSize + 2 * l.padding >= extent);
        const x = tensor([2, l.inChannels * l.groups, ...new Array<number>(l.n).fill(inSize)], l.seed);
        const w = tensor(
          [l.outChannels * l.groups, l.inChannels, ...new Array<number>(l.n).fill(l.kernel)],
          l.seed + 1,
        );
        const o = { stride: l.stride, padding: l.padding, dilation: l.dilation, groups: l.groups };
        const ax = named('conv', l.n)(x, w, o);
        const y = tensor(ax.dims, l.seed + 2);
        const outputPadding = (inSize + 2 * l.padding - extent) % l.stride;
        const aty = named('convTranspose', l.n)(y, w, { ...o, outputPadding });
        expect(aty.dims).toEqual(x.dims);
        const [left, right] = [dot(ax, y), dot(x, aty)];
        expect(Math.abs(left - right)).toBeLessThan(1e-9 * (1 + product(ax.dims)));
      }),
      { ...RUNS, numRuns: 120 },
    ));
});

describe('shuffles', () => {
  it('undo each other', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom('nchw' as const, 'nhwc' as const),
        seed,
        (r, c, h, w, layout, s) => {
          const dims = layout === 'nchw' ? [2, c * r * r, h, w] : [2, h, w, c * r * r];
          const x = tensor(dims, s, 'uint8');
          const large = root.pixelShuffleSync(x, { upscaleFactor: r, layout });
          same(root.pixelUnshuffleSync(large, { downscaleFactor: r, layout }), x);
        },
      ),
      RUNS,
    ));
});

/** Operators on one input, by what they need: [name, the call, whether bits must agree]. */
type Unary = readonly [name: string, run: (x: Tensor, layout: 'nchw' | 'nhwc') => Tensor, exact: boolean];
const UNARY: readonly Unary[] = [
  ...(['nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'] as const).map(
    (mode): Unary => [
      `interpolate ${mode}`,
      (x, layout) => root.interpolateSync(x, { mode, size: [7, 9], layout }),
      mode.startsWith('nearest'),
    ],
  ),
  [
    'interpolate antialias',
    (x, layout) => root.interpolateSync(x, { mode: 'bilinear', antialias: true, size: [3, 2], layout }),
    false,
  ],
  ['maxPool2d', (x, layout) => root.maxPool2dSync(x, { kernelSize: 2, stride: 1, padding: 1, layout }), true],
  [
    'avgPool2d',
    (x, layout) => root.avgPool2dSync(x, { kernelSize: 3, stride: 2, padding: 1, layout }),
    false,
  ],
  ['adaptiveAvgPool2d', (x, layout) => root.adaptiveAvgPool2dSync(x, { outputSize: [2, 3], layout }), false],
  [
    'conv2d',
    (x, layout) =>
      root.conv2dSync(x, tensor([5, x.dims[layout === 'nchw' ? 1 : 3]!, 3, 3], 7, 'float32'), {
        padding: 1,
        layout,
      }),
    false,
  ],
  [
    'convTranspose2d',
    (x, layout) =>
      root.convTranspose2dSync(x, tensor([x.dims[layout === 'nchw' ? 1 : 3]!, 4, 3, 2], 7, 'float32'), {
        stride: 2,
        layout,
      }),
    false,
  ],
  [
    'gridSample',
    (x, layout) => {
      const grid = tensor([1, 4, 5, 2], 11, 'float32');
      const whole = allocate('test', 'float32', [x.dims[0]!, 4, 5, 2]);
      for (let i = 0; i < whole.data.length; i++) whole.data[i] = grid.data[i % grid.data.length]!;
      return root.gridSampleSync(x, whole, { layout });
    },
    false,
  ],
];

describe.each(UNARY)('%s', (_, run, exact) => {
  const shape = fc.record({
    n: fc.integer({ min: 1, max: 3 }),
    c: fc.constantFrom(1, 2, 3, 5, 7, 17),
    h: fc.integer({ min: 2, max: 12 }),
    w: fc.integer({ min: 2, max: 40 }),
    seed,
  });
  it('in nchw is a permutation of itself in nhwc', () =>
    fc.assert(
      fc.property(shape, ({ n, c, h, w, seed }) => {
        const x = tensor([n, c, h, w], seed, 'float32');
        const first = run(x, 'nchw');
        const last = permute(run(permute(x, [0, 2, 3, 1]), 'nhwc'), [0, 3, 1, 2]);
        if (exact) same(last, first);
        else close(last, first, 1e-4);
      }),
      RUNS,
    ));
  it('treats every image of a batch alike', () =>
    fc.assert(
      fc.property(
        shape,
        fc.constantFrom('nchw' as const, 'nhwc' as const),
        ({ n, c, h, w, seed }, layout) => {
          const x = tensor(layout === 'nchw' ? [n, c, h, w] : [n, h, w, c], seed, 'float32');
          const whole = run(x, layout);
          for (let i = 0; i < n; i++)
            if (exact) same(image(whole, i), run(image(x, i), layout));
            else close(image(whole, i), run(image(x, i), layout), 1e-5);
        },
      ),
      RUNS,
    ));
});

describe('one axis', () => {
  const row = fc.record({
    n: fc.integer({ min: 1, max: 2 }),
    c: fc.integer({ min: 1, max: 5 }),
    w: fc.integer({ min: 3, max: 50 }),
    seed,
  });
  const flat = (t: Tensor): Tensor => ({ ...t, dims: [t.dims[0]!, t.dims[1]!, 1, ...t.dims.slice(2)] });
  const cases: readonly (readonly [string, (x: Tensor) => Tensor, (x: Tensor) => Tensor, number])[] = [
    [
      'interpolate',
      (x) => root.interpolateSync(x, { mode: 'linear', size: 17 }),
      (x) => root.interpolateSync(x, { mode: 'bilinear', size: [1, 17] }),
      1e-6,
    ],
    [
      'interpolate nearest',
      (x) => root.interpolateSync(x, { size: 17 }),
      (x) => root.interpolateSync(x, { size: [1, 17] }),
      0,
    ],
    [
      'maxPool',
      (x) => root.maxPool1dSync(x, { kernelSize: 3, stride: 2, padding: 1 }),
      (x) => root.maxPool2dSync(x, { kernelSize: [1, 3], stride: [1, 2], padding: [0, 1] }),
      0,
    ],
    [
      'avgPool',
      (x) => root.avgPool1dSync(x, { kernelSize: 3, stride: 2, padding: 1 }),
      (x) => root.avgPool2dSync(x, { kernelSize: [1, 3], stride: [1, 2], padding: [0, 1] }),
      1e-6,
    ],
    [
      'conv',
      (x) => root.conv1dSync(x, tensor([4, x.dims[1]!, 3], 5, 'float32'), { stride: 2, padding: 1 }),
      (x) =>
        root.conv2dSync(x, tensor([4, x.dims[1]!, 1, 3], 5, 'float32'), { stride: [1, 2], padding: [0, 1] }),
      1e-5,
    ],
    [
      'convTranspose',
      (x) => root.convTranspose1dSync(x, tensor([x.dims[1]!, 4, 3], 5, 'float32'), { stride: 2 }),
      (x) => root.convTranspose2dSync(x, tensor([x.dims[1]!, 4, 1, 3], 5, 'float32'), { stride: [1, 2] }),
      1e-5,
    ],
  ];
  it.each(cases)('%s is a slice of two', (_, one, two, tolerance) =>
    fc.assert(
      fc.property(row, ({ n, c, w, seed }) => {
        const x = tensor([n, c, w], seed, 'float32');
        close(flat(one(x)), two(flat(x)), tolerance);
      }),
      RUNS,
    ),
  );
});

// Bytes and float16 begin where words do not; results larger than the caches are written in another way.
describe.each([
  ['uint8', Uint8Array, 1, 4000],
  ['uint8', Uint8Array, 2, 4000],
  ['float16', Uint16Array, 2, 2000],
] as const)('a large %s result', (type, Elements, offset, rows) => {
  it(`is the same ${offset} bytes into its buffer`, () => {
    const [h, w] = [rows / 4, 4096];
    const x = { type, data: new Elements(h * w), dims: [1, h, w, 1] };
    for (let i = 0; i < x.data.length; i++) x.data[i] = (i * 7) & 0xff;
    const length = rows * 2 * w;
    const buffer = new ArrayBuffer(length * Elements.BYTES_PER_ELEMENT + 16);
    new Uint8Array(buffer).fill(1); // memory that is in use
    const out = { type, data: new Elements(buffer, offset, length), dims: [1, rows, 2 * w, 1] };
    root.interpolateSync(x, { mode: 'nearest', layout: 'nhwc', size: [rows, 2 * w], out });
    const again = root.interpolateSync(x, { mode: 'nearest', layout: 'nhwc', size: [rows, 2 * w] });
    expect(
      Buffer.compare(
        Buffer.from(buffer, offset, again.data.byteLength),
        Buffer.from(again.data.buffer, again.data.byteOffset, again.data.byteLength),
      ),
    ).toBe(0);
    expect(new Uint8Array(buffer, 0, offset).every((b) => b === 1)).toBe(true);
  });
});
