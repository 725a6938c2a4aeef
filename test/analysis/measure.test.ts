import { describe, expect, it } from 'vitest';
import { analyzeCheckerboard } from '../../src/analysis/checkerboard.js';
import { measureCheckerboard } from '../../src/analysis/measure.js';
import { equalizePhaseGain } from '../../src/analysis/remedies.js';
import { random } from '../support/random.js';
import { flat, ones, randomWeight, scatterTransposed, type Weight } from './layers.js';

/** Noise whose power falls with frequency, as that of pictures does. */
function cloud(h: number, w: number, seed: number): Float32Array {
  const r = random(seed);
  const out = Float32Array.from({ length: h * w }, () => r.next() - 0.5);
  for (let i = 0; i < out.length; i++) if (i % w > 0) out[i]! += 0.9 * out[i - 1]!;
  for (let i = w; i < out.length; i++) out[i]! += 0.9 * out[i - w]!;
  return out;
}

describe('measureCheckerboard', () => {
  it('sees on a flat image what the analysis says', () => {
    const w = ones(3, 3);
    const y = scatterTransposed(flat([1], 32), w, { stride: 2, padding: 1, outputPadding: 1 });
    const inner: Weight = {
      dims: [48, 48],
      data: Float32Array.from(
        { length: 48 * 48 },
        (_, i) => y.data[(8 + Math.floor(i / 48)) * 64 + 8 + (i % 48)]!,
      ),
    };
    const m = measureCheckerboard(inner, { stride: 2 });
    expect(m.verdict).toBe('checkerboard');
    const r = analyzeCheckerboard(w, { stride: 2 });
    for (const [i, line] of m.lines.entries()) {
      expect(line.levelDb).toBeCloseTo(r.spectrum.db[i + 1]!, 1);
      expect(line.prominenceDb).toBeGreaterThan(60);
    }
  });

  it('tells a random layer on noise from the same layer with equal gains', () => {
    const w = randomWeight([2, 3, 4, 4], 3);
    const x: Weight = {
      dims: [2, 64, 64],
      data: Float32Array.from(randomWeight([2, 64, 64], 9).data, (v) => v + 1),
    };
    const o = { stride: 2, padding: 1 };
    expect(measureCheckerboard(scatterTransposed(x, w, o), { stride: 2 }).verdict).toBe('checkerboard');
    const fixed = scatterTransposed(x, equalizePhaseGain(w, o) as Weight, o);
    expect(measureCheckerboard(fixed, { stride: 2 }).verdict).toBe('clean');
  });

  it.each([2, 3, 4, 8])(
    'a picture without a pattern is clean at stride %i, with a faint one it is not',
    (stride) => {
      const picture = cloud(160, 200, stride);
      expect(measureCheckerboard({ data: picture, dims: [160, 200] }, { stride }).verdict).toBe('clean');
      const amplitude = 0.02 * stride * picture.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const marked = picture.map((v, i) => v + ((i % 200) % stride === 0 ? amplitude : 0));
      const m = measureCheckerboard({ data: marked, dims: [160, 200] }, { stride });
      expect(m.verdict).toBe('checkerboard');
      expect(m.peak!.bin[0]).toBe(0);
    },
  );

  it.each(['rows', 'columns'])('a picture of %s, whose power lies on one axis, is clean', (way) => {
    const noise = randomWeight([192], 6).data;
    const data = Float32Array.from(
      { length: 192 * 192 },
      (_, i) => noise[way === 'rows' ? Math.floor(i / 192) : i % 192]! + 0.001 * noise[(i * 7) % 191]!,
    );
    for (const stride of [2, 4])
      expect(
        measureCheckerboard({ data, dims: [192, 192] }, { stride })
          .lines.filter((l) => l.bin.includes(0))
          .every((l) => l.prominenceDb < 10),
      ).toBe(true);
  });

  it('reads pictures in nhwc, and integers', () => {
    const data = Uint8Array.from({ length: 48 * 48 * 3 }, (_, i) => 100 + 10 * (Math.floor(i / 3) % 2));
    const m = measureCheckerboard({ data, dims: [48, 48, 3] }, { stride: 2, layout: 'nhwc' });
    expect(m.peak!.bin).toEqual([0, 1]);
    expect(m.peak!.levelDb).toBeCloseTo(20 * Math.log10(5 / 105), 2);
  });

  it('a flat picture has nothing', () => {
    const m = measureCheckerboard({ data: new Float32Array(48 * 48).fill(7), dims: [48, 48] }, { stride: 4 });
    expect(m.verdict).toBe('clean');
    expect(m.peak!.prominenceDb).toBeCloseTo(0, 1);
    expect(
      measureCheckerboard({ data: new Float32Array(48 * 48), dims: [48, 48] }, { stride: 2 }).verdict,
    ).toBe('clean');
  });

  it.each([
    ['stride 0', () => measureCheckerboard(ones(48, 48), { stride: 0 }), /stride must be/],
    [
      'rank 1',
      () => measureCheckerboard({ data: new Float32Array(9), dims: [9] }, { stride: 2 }),
      /2 to 4 dimensions/,
    ],
    [
      'too small',
      () => measureCheckerboard({ data: new Float32Array(100), dims: [10, 10] }, { stride: 2 }),
      /at least 12x12 for stride 2x2, got 10x10/,
    ],
    [
      'NaN',
      () => measureCheckerboard({ data: new Float32Array(400).fill(NaN), dims: [20, 20] }, { stride: 2 }),
      /finite/,
    ],
    [
      'no channel',
      () => measureCheckerboard({ data: new Float32Array(0), dims: [0, 20, 20] }, { stride: 2 }),
      /at least one/,
    ],
    [
      'an unknown option',
      () => measureCheckerboard(ones(48, 48), { strides: 2 } as never),
      /did you mean stride/,
    ],
  ])('refuses %s', (_, call, message) => expect(call).toThrow(message));
});
