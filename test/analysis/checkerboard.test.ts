import { describe, expect, it } from 'vitest';
import {
  analyzeCheckerboard,
  type CheckerboardOptions,
  nextEvenKernel,
} from '../../src/analysis/checkerboard.js';
import { bilinearWeights, icnr } from '../../src/analysis/initialisers.js';
import { ArgumentError } from '../../src/errors.js';
import { toHalf } from '../../src/half.js';
import {
  flat,
  ones,
  randomWeight,
  scatterTransposed,
  separable,
  shuffledConvolution,
  type Weight,
} from './layers.js';

const verdict = (w: Parameters<typeof analyzeCheckerboard>[0], o: CheckerboardOptions) =>
  analyzeCheckerboard(w, o).verdict;

describe('analyzeCheckerboard: the known cases', () => {
  it.each([2, 3, 4, 5])(
    'bilinear weights are clean at stride %i, whether the kernel is divisible or not',
    (stride) => {
      const r = analyzeCheckerboard(bilinearWeights({ stride, channels: 3 }), { stride });
      expect(r.verdict).toBe('clean');
      expect(r.peak.db).toBeLessThan(-120);
      expect(r.remedy).toBeUndefined();
      for (const g of r.phaseGain) expect(g).toBeCloseTo(1, 6);
    },
  );

  it('bilinear k5 s3 and k9 s5 overlap unevenly all the same', () => {
    expect(analyzeCheckerboard(bilinearWeights({ stride: [3] }), { stride: 3 }).overlap.phases).toEqual([
      2, 2, 1,
    ]);
    expect(analyzeCheckerboard(bilinearWeights({ stride: [5] }), { stride: 5 }).overlap.phases).toEqual([
      2, 2, 2, 2, 1,
    ]);
    expect(analyzeCheckerboard(bilinearWeights({ stride: 3 }), { stride: 3 }).overlap.even).toBe(false);
  });

  it('k3 s2 [½, 1, ½] is clean although it overlaps 2:1', () => {
    const r = analyzeCheckerboard(separable([0.5, 1, 0.5]), { stride: 2 });
    expect(r.verdict).toBe('clean');
    expect(r.overlap.ratio).toBe(4);
    expect(r.ripple).toBe(0);
  });

  it('random k4 s2 is flagged although 4 % 2 = 0', () => {
    const r = analyzeCheckerboard(randomWeight([16, 8, 4, 4]), { stride: 2, padding: 1 });
    expect(r.verdict).toBe('learned');
    expect(r.overlap.even).toBe(true);
    expect(r.remedy!.name).toBe('equalizePhaseGain');
  });

  it('ones k3 s2 is structural: 2:1 per axis, 4:1 in area, −9.5 dB', () => {
    expect(analyzeCheckerboard(ones(3), { stride: 2 }).overlap).toMatchObject({ phases: [2, 1], ratio: 2 });
    const r = analyzeCheckerboard(ones(3, 3), { stride: 2 });
    expect(r.verdict).toBe('structural');
    expect(r.overlap).toMatchObject({ phases: [4, 2, 2, 1], ratio: 4, even: false });
    expect(r.spectrum.db.map((d) => Math.round(d * 100) / 100)).toEqual([0, -9.54, -9.54, -19.08]);
    expect(r.ripple).toBeCloseTo(4 / 2.25 - 1, 6);
  });

  it('weights 1-D of the finding: [.3, −.2, .9, .1] has gains 1.2 and −0.1', () => {
    const r = analyzeCheckerboard(
      { data: Float64Array.of(0.3, -0.2, 0.9, 0.1), dims: [1, 1, 4] },
      { stride: 2 },
    );
    expect(Array.from(r.gain.matrices).map((g) => Math.round(g * 1e9) / 1e9)).toEqual([1.2, -0.1]);
    expect(r.verdict).toBe('learned');
  });

  it('ICNR is clean, random sub-pixel weights are not', () => {
    const o = { stride: 2, padding: 1, kind: 'pixel-shuffle' } as const;
    const start = icnr(randomWeight([8, 6, 3, 3]), { upscaleFactor: 2 });
    const r = analyzeCheckerboard(start, o);
    expect(r).toMatchObject({ verdict: 'clean', icnrDistance: 0, outChannels: 8, inChannels: 6 });
    expect(analyzeCheckerboard(randomWeight([32, 6, 3, 3]), o)).toMatchObject({ verdict: 'learned' });
    const t = icnr(randomWeight([6, 8, 2, 2]), { upscaleFactor: 3, kind: 'conv-transpose' });
    expect(analyzeCheckerboard(t, { stride: 3 })).toMatchObject({ verdict: 'clean', icnrDistance: 0 });
  });

  it('dilation 2 at stride 2 has holes, so has a kernel shorter than its stride', () => {
    const r = analyzeCheckerboard(ones(3, 3), { stride: 2, dilation: 2 });
    expect(r).toMatchObject({ verdict: 'holes', holes: 3, remedy: { name: 'dilation' } });
    expect(r.overlap.phases).toEqual([9, 0, 0, 0]);
    expect(verdict(ones(2, 2), { stride: 3 })).toBe('holes');
    expect(verdict(ones(4, 4), { stride: 2, dilation: 3 })).toBe('clean');
    expect(nextEvenKernel(3, 2)).toBe(4);
    expect(nextEvenKernel(3, 2, 2)).toBeUndefined();
  });

  it('stride 1 has no phases', () => {
    expect(analyzeCheckerboard(randomWeight([4, 4, 3, 3]), { stride: 1 })).toMatchObject({
      verdict: 'clean',
      ripple: 0,
    });
  });

  it('weights of nothing but zero are clean', () => {
    expect(
      analyzeCheckerboard({ data: new Float32Array(16), dims: [1, 1, 4, 4] }, { stride: 2 }).verdict,
    ).toBe('clean');
  });
});

describe('analyzeCheckerboard against a layer that is run', () => {
  const mean = [0.7, -0.2, 0.4, 1.1];
  const cases: [string, Weight, CheckerboardOptions & { stride: number }][] = [
    ['k4 s2 p1', randomWeight([4, 3, 4, 4]), { stride: 2, padding: 1 }],
    ['k5 s3 p2 op1', randomWeight([4, 2, 5, 5]), { stride: 3, padding: 2, outputPadding: 1 }],
    ['k3 s2 d3', randomWeight([4, 2, 3, 3]), { stride: 2, dilation: 3 }],
    ['k4 s2 g2', randomWeight([4, 2, 4, 4]), { stride: 2, groups: 2 }],
  ];

  it.each(cases)('%s: gains, spectrum and ripple are those of its output on a flat image', (_, w, o) => {
    const r = analyzeCheckerboard(w, { ...o, mean });
    const y = scatterTransposed(flat(mean, 16), w, o as never);
    const s = o.stride;
    const [channels, h, width] = y.dims as [number, number, number];
    const first = s * Math.ceil(h / 2 / s);
    // One cell of s×s outputs in the middle, per channel.
    const cell = Array.from({ length: s * s }, (_, p) =>
      Array.from(
        { length: channels },
        (_, c) => y.data[(c * h + first + Math.floor(p / s)) * width + first + (p % s)]!,
      ),
    );
    const [P, out, columns] = r.gain.dims as [number, number, number];
    expect([P, out]).toEqual([s * s, channels]);
    const perGroup = out / r.groups;
    for (let p = 0; p < P; p++)
      for (let c = 0; c < out; c++) {
        let g = 0;
        for (let i = 0; i < columns; i++)
          g += r.gain.matrices[(p * out + c) * columns + i]! * mean[Math.floor(c / perGroup) * columns + i]!;
        expect(g).toBeCloseTo(cell[p]![c]!, 5);
      }
    const norm = (v: readonly number[]) => Math.hypot(...v);
    const centre = cell[0]!.map((_, c) => cell.reduce((a, p) => a + p[c]! / P, 0));
    expect(r.ripple).toBeCloseTo(
      Math.max(...cell.map((p) => norm(p.map((v, c) => v - centre[c]!)))) / norm(centre),
      5,
    );
    for (let u = 0; u < P; u++) {
      const re = centre.map(
        (_, c) =>
          cell.reduce(
            (a, p, q) =>
              a +
              p[c]! *
                Math.cos((2 * Math.PI * (Math.floor(u / s) * Math.floor(q / s) + (u % s) * (q % s))) / s),
            0,
          ) / P,
      );
      const im = centre.map(
        (_, c) =>
          cell.reduce(
            (a, p, q) =>
              a +
              p[c]! *
                Math.sin((2 * Math.PI * (Math.floor(u / s) * Math.floor(q / s) + (u % s) * (q % s))) / s),
            0,
          ) / P,
      );
      expect(r.spectrum.db[u]).toBeCloseTo(20 * Math.log10(norm([...re, ...im]) / norm(centre)), 3);
    }
  });

  it.each(cases)('%s: the overlap map counts what reaches each output, borders included', (_, w, o) => {
    const r = analyzeCheckerboard(w, { ...o, inputSize: 7 });
    const one: Weight = {
      dims: [1, 1, ...w.dims.slice(2)],
      data: new Float32Array(w.dims[2]! * w.dims[3]!).fill(1),
    };
    const y = scatterTransposed(flat([1], 7), one, { ...o, groups: 1 } as never);
    expect(r.overlap.map.dims).toEqual(y.dims.slice(1));
    expect(Array.from(r.overlap.map.counts)).toEqual(Array.from(y.data));
  });

  it('pixel shuffle: gains are those of convolution and shuffle', () => {
    const w = randomWeight([18, 4, 3, 3]);
    const r = analyzeCheckerboard(w, { stride: 3, padding: 1, kind: 'pixel-shuffle', mean });
    const y = shuffledConvolution(flat(mean, 8), w, 3, 1);
    for (let p = 0; p < 9; p++)
      for (let c = 0; c < 2; c++) {
        let g = 0;
        for (let i = 0; i < 4; i++) g += r.gain.matrices[(p * 2 + c) * 4 + i]! * mean[i]!;
        expect(g).toBeCloseTo(y.data[(c * 24 + 12 + Math.floor(p / 3)) * 24 + 12 + (p % 3)]!, 5);
      }
  });

  it('no mean is worse than the worst', () => {
    const w = randomWeight([6, 5, 4, 4], 3);
    const r = analyzeCheckerboard(w, { stride: 2 });
    // Deviations of any unit mean, by the root mean square over phases, stay below σ_max.
    const [P, out, columns] = r.gain.dims as [number, number, number];
    const G = r.gain.matrices;
    let most = 0;
    let meanMost = 0;
    for (let t = 0; t < 4000; t++) {
      const m = Array.from(randomWeight([columns], 100 + t).data);
      const length = Math.hypot(...m);
      let apart = 0;
      let along = 0;
      for (let c = 0; c < out; c++) {
        const y = Array.from({ length: P }, (_, p) =>
          m.reduce((a, v, i) => a + (v / length) * G[(p * out + c) * columns + i]!, 0),
        );
        const centre = y.reduce((a, b) => a + b / P, 0);
        along += centre * centre;
        for (const v of y) apart += (v - centre) ** 2 / P;
      }
      most = Math.max(most, Math.sqrt(apart));
      meanMost = Math.max(meanMost, Math.sqrt(along));
    }
    expect(most / meanMost).toBeLessThanOrEqual(r.worstRipple * 1.1);
    expect(most / meanMost).toBeGreaterThan(r.worstRipple * 0.85);
  });

  it('image rejection at frequency 0 is the worst line of its axis', () => {
    const w = randomWeight([1, 1, 5], 9);
    const r = analyzeCheckerboard(w, { stride: 3, mean: [1] });
    expect(r.imageRejection[0]!.frequency[0]).toBe(0);
    expect(r.imageRejection[0]!.db[0]).toBeCloseTo(r.peak.db, 6);
    const zoh = analyzeCheckerboard(ones(2), { stride: 2 });
    // The box of 2: |sin(π(f+1)/2) / sin(πf/2)| images, none at 0, as strong as the signal at ½.
    expect(zoh.imageRejection[0]!.db[0]).toBeLessThan(-150);
    expect(zoh.imageRejection[0]!.db.at(-1)).toBeCloseTo(0, 6);
  });

  it('reads float64 and float16', () => {
    const w = randomWeight([2, 2, 4, 4]);
    const base = analyzeCheckerboard(w, { stride: 2 }).peak.db;
    const half = { dims: w.dims, type: 'float16', data: Uint16Array.from(w.data, toHalf) };
    expect(
      analyzeCheckerboard({ dims: w.dims, data: Float64Array.from(w.data) }, { stride: 2 }).peak.db,
    ).toBe(base);
    expect(analyzeCheckerboard(half, { stride: 2 }).peak.db).toBeCloseTo(base, 1);
  });
});

describe('analyzeCheckerboard refuses', () => {
  const w = randomWeight([4, 4, 3, 3]);
  const bad = { ...w, data: Float32Array.from(w.data) };
  bad.data[17] = NaN;
  bad.data[40] = Infinity;
  it.each([
    ['stride 0', () => analyzeCheckerboard(w, { stride: 0 }), /stride must be a positive integer .*got 0/],
    ['no stride', () => analyzeCheckerboard(w, {} as never), /stride must be/],
    ['a fractional stride', () => analyzeCheckerboard(w, { stride: 1.5 }), /stride must be/],
    [
      'a stride of a billion',
      () => analyzeCheckerboard(w, { stride: 1e9 }),
      /stride must give at most 65536 phases/,
    ],
    [
      'rank 2',
      () => analyzeCheckerboard({ data: w.data, dims: [4, 36] }, { stride: 2 }),
      /3 to 5 dimensions, got \[4, 36\]/,
    ],
    [
      'rank 6',
      () => analyzeCheckerboard({ data: w.data, dims: [4, 4, 3, 3, 1, 1] }, { stride: 2 }),
      /3 to 5 dimensions/,
    ],
    [
      'an empty axis',
      () => analyzeCheckerboard({ data: w.data, dims: [4, 0, 3, 3] }, { stride: 2 }),
      /no empty axis/,
    ],
    [
      'integers',
      () => analyzeCheckerboard({ data: new Int8Array(16), dims: [1, 1, 4, 4] }, { stride: 2 }),
      /weight.type must be one of float32/,
    ],
    [
      'weights that are not finite',
      () => analyzeCheckerboard(bad, { stride: 2 }),
      /2 of 144 elements that are not, the first NaN at 17/,
    ],
    [
      'groups that do not divide',
      () => analyzeCheckerboard(w, { stride: 2, groups: 3 }),
      /groups must divide/,
    ],
    [
      'output padding of the stride',
      () => analyzeCheckerboard(w, { stride: 2, outputPadding: 2 }),
      /outputPadding must be smaller/,
    ],
    [
      'a mean of other length',
      () => analyzeCheckerboard(w, { stride: 2, mean: [1] }),
      /one number per input channel, 4/,
    ],
    [
      'a mean of NaN',
      () => analyzeCheckerboard(w, { stride: 2, mean: [1, 2, NaN, 4] }),
      /mean must be finite/,
    ],
    ['a mean of zero', () => analyzeCheckerboard(w, { stride: 2, mean: [0, 0, 0, 0] }), /other than zero/],
    [
      'a limit of NaN',
      () => analyzeCheckerboard(w, { stride: 2, limit: NaN }),
      /limit must be a finite number/,
    ],
    [
      'padding that leaves nothing',
      () => analyzeCheckerboard(w, { stride: 2, padding: 9, inputSize: 3 }),
      /padding must leave an output/,
    ],
    [
      'a map of all memory',
      () => analyzeCheckerboard(w, { stride: 2, inputSize: 100_000 }),
      /overlap map of up to/,
    ],
    [
      'dilation with a shuffle',
      () => analyzeCheckerboard(w, { stride: 2, dilation: 2, kind: 'pixel-shuffle' }),
      /dilation must be left out/,
    ],
    [
      'channels that cannot be shuffled',
      () => analyzeCheckerboard(randomWeight([6, 4, 3, 3]), { stride: 2, kind: 'pixel-shuffle' }),
      /multiple of 4/,
    ],
    [
      'an unknown kind',
      () => analyzeCheckerboard(w, { stride: 2, kind: 'conv' as never }),
      /kind must be one of/,
    ],
    [
      'an unknown option',
      () => analyzeCheckerboard(w, { stride: 2, paddding: 1 } as never),
      /did you mean padding\?/,
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});
