/** What the fused operators add to a resize: run lengths, an own size per image, memory, NaN and ties worked by hand. */
import { describe, expect, it } from 'vitest';
import {
  interpolate,
  interpolateArgmax,
  interpolateArgmaxSync,
  interpolateQuantizeSync,
  interpolateSoftmaxSync,
  interpolateSync,
  interpolateThreshold,
  interpolateThresholdSync,
} from '../src/index.js';
import type { MaskRle } from '../src/torch/mask-runs.js';
import { random } from './support/random.js';

const float = (dims: number[], seed = 1) => {
  const r = random(seed);
  return {
    data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.next() * 2 - 1),
    dims,
  };
};

/** COCO's rleFrString, written from its C source (pycocotools 2.0). */
function runsOf(text: string): number[] {
  const runs: number[] = [];
  for (let p = 0; p < text.length; ) {
    let [x, k, more] = [0, 0, true];
    while (more) {
      const c = text.charCodeAt(p++) - 48;
      x |= (c & 31) << (5 * k++);
      more = (c & 32) !== 0;
      if (!more && (c & 16) !== 0) x |= -1 << (5 * k);
    }
    runs.push(runs.length > 2 ? x + runs[runs.length - 2]! : x);
  }
  return runs;
}

function maskOf({ size, counts }: MaskRle): number[] {
  const [h, w] = size;
  const list = typeof counts === 'string' ? runsOf(counts) : counts;
  const columns = list.flatMap((n, i) => new Array<number>(n).fill(i & 1));
  expect(columns.length).toBe(h * w);
  return Array.from({ length: h * w }, (_, i) => columns[(i % w) * h + Math.floor(i / w)]!);
}

describe('the best class', () => {
  it('has the bits of interpolate at every factor, zeros of both signs included', () => {
    // Odd factors put outputs exactly on pixels; a width that grows more than the height, and the other way round.
    for (const size of [
      [40, 600],
      [24, 200],
      [200, 120],
      [15, 45],
    ]) {
      const x = float([1, 7, 8, 40], size[1]!);
      const r = random(7);
      x.data = x.data.map((v) => (r.chance(0.4) ? r.pick([0, -0]) : v));
      const { classes, scores } = interpolateArgmaxSync(x, { size, mode: 'bilinear', scores: true });
      const whole = interpolateSync(x, { size, mode: 'bilinear' }).data as Float32Array;
      const pixels = size[0]! * size[1]!;
      for (let p = 0; p < pixels; p++) {
        let best = 0;
        for (let c = 1; c < 7; c++) if (whole[c * pixels + p]! > whole[best * pixels + p]!) best = c;
        if (classes.data[p] !== best || !Object.is(scores!.data[p], whole[best * pixels + p]))
          expect([p, classes.data[p], scores!.data[p]]).toEqual([p, best, whole[best * pixels + p]]);
      }
    }
  });
});

describe('run lengths', () => {
  it('are those of a mask worked by hand', () => {
    const x = { data: Float32Array.of(-1, 1, 1, 1, -1, -1), dims: [1, 1, 2, 3] };
    const [[rle]] = interpolateThresholdSync(x, { size: [2, 3], rle: true }) as [[MaskRle]];
    expect(rle).toEqual({ size: [2, 3], counts: [1, 2, 1, 1, 1] });
    const [[text]] = interpolateThresholdSync(x, { size: [2, 3], rle: 'string' }) as [[MaskRle]];
    // By hand from rleToString of pycocotools 2.0: 1 2 1, then 1 - 2 = -1 and 1 - 1 = 0.
    expect(text.counts).toBe('121O0');
  });

  it('decode to the masks, also as strings, with boxes, for a batch', async () => {
    const x = float([2, 3, 9, 11]);
    const o = { size: [40, 57], mode: 'bilinear', keep: [2, 0], crop: [0, 0.5, 9, 10.25] } as const;
    const masks = interpolateThresholdSync(x, o).data as Uint8Array;
    for (const rle of [true, 'string'] as const)
      for (const runs of [
        interpolateThresholdSync(x, { ...o, rle }),
        await interpolateThreshold(x, { ...o, rle }),
      ])
        expect(runs.flat().flatMap(maskOf)).toEqual(Array.from(masks));
  });
});

describe('targets', () => {
  it('give each image its own size', async () => {
    const x = float([2, 5, 6, 7]);
    const targets = [{ size: [9, 20] }, { size: [31, 4], crop: [1, 0.5, 6, 7] }];
    const each = targets.map((t, n) => ({
      image: { data: x.data.subarray(n * 210, (n + 1) * 210), dims: [1, 5, 6, 7] },
      options: { ...t, mode: 'bilinear' as const },
    }));
    const maps = await interpolateArgmax(x, { targets, mode: 'bilinear' });
    expect(maps.map((m) => m.dims)).toEqual([
      [9, 20],
      [31, 4],
    ]);
    for (const [n, { image, options }] of each.entries())
      expect(maps[n]!.data).toEqual(interpolateArgmaxSync(image, options).data);
    expect(interpolateArgmaxSync(x, { targets, mode: 'bilinear' })).toEqual(maps);
    const scored = await interpolateArgmax(x, { targets, mode: 'bilinear', scores: true });
    expect(scored[1]!.scores!.dims).toEqual([31, 4]);
    expect(interpolateQuantizeSync(x, { targets, mode: 'bilinear' })[0]!.dims).toEqual([5, 9, 20]);
    expect(interpolateSoftmaxSync(x, { targets, mode: 'bilinear' })[1]!.dims).toEqual([5, 31, 4]);
    expect(interpolateThresholdSync(x, { targets, mode: 'bilinear' })[1]!.dims).toEqual([5, 31, 4]);
  });
});

describe('interpolateArgmax', () => {
  it('gives a pixel to the first of equals, to a number before NaN, to the background when all are NaN', () => {
    const x = {
      data: Float32Array.of(NaN, NaN, 1, -Infinity, 2, NaN, 1, -Infinity, 2, -3, 0, NaN),
      dims: [1, 3, 1, 4],
    };
    expect(Array.from(interpolateArgmaxSync(x, { size: [1, 4] }).data as Uint8Array)).toEqual([1, 2, 0, 0]);
    const none = { data: new Float32Array(4).fill(NaN), dims: [1, 2, 1, 2] };
    const { classes, scores, margin } = interpolateArgmaxSync(none, {
      size: [1, 2],
      background: 7,
      scores: 'softmax',
      margin: true,
    });
    expect([classes, scores!, margin!].map((t) => Array.from(t.data as Uint8Array))).toEqual([
      [7, 7],
      [NaN, NaN],
      [NaN, NaN],
    ]);
  });

  it('keeps to 20 MB beyond the result at 1080p, and equals resize then argmax', async () => {
    const x = float([1, 150, 128, 128]);
    const out = { data: new Uint8Array(1080 * 1920), dims: [1, 1080, 1920] };
    interpolateArgmaxSync(x, { size: [64, 64], mode: 'bilinear' });
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 1);
    await interpolateArgmax(x, { size: [1080, 1920], mode: 'bilinear', out });
    clearInterval(watch);
    most = Math.max(most, process.memoryUsage().rss - before);
    expect(most).toBeLessThan(20e6);
    // One band of the whole, from the resize itself.
    const part = { data: x.data.filter((_, i) => i % 16384 < 128 * 10), dims: [1, 150, 10, 128] };
    const rows = await interpolate(part, { size: [80, 1920], mode: 'bilinear' });
    const classes = interpolateArgmaxSync(part, { size: [80, 1920], mode: 'bilinear' }).data;
    const y = rows.data as Float32Array;
    for (let p = 0; p < 80 * 1920; p++) {
      let best = 0;
      for (let c = 1; c < 150; c++) if (y[c * 80 * 1920 + p]! > y[best * 80 * 1920 + p]!) best = c;
      if (classes[p] !== best) expect(classes[p], `pixel ${p}`).toBe(best);
    }
  });
});

describe('a fractional crop', () => {
  it('undoes letterboxing without a shift', () => {
    // A ramp letterboxed into 16 rows with 1.5 pixels of padding above and below: the crop gives the ramp back.
    const inner = 13;
    const x = { data: Float32Array.from({ length: 16 }, (_, i) => i + 0.5 - 1.5), dims: [1, 1, 16, 1] };
    const levels = interpolateQuantizeSync(x, {
      size: [26, 1],
      mode: 'bilinear',
      crop: [1.5, 0, 14.5, 1],
      to: 'uint16',
      range: [0, inner],
    });
    const expected = Array.from({ length: 26 }, (_, i) => Math.round(((i + 0.5) / 2 / inner) * 65535));
    for (const [i, v] of expected.entries())
      expect(Math.abs((levels.data[i] as number) - v)).toBeLessThanOrEqual(1);
  });

  it('of everything is no crop', () => {
    const x = float([1, 2, 6, 9]);
    for (const mode of ['nearest-exact', 'bilinear', 'bicubic', 'area'] as const) {
      const o = { size: [13, 20], mode } as const;
      const classes = interpolateArgmaxSync(x, { ...o, crop: [0, 0, 6, 9] }).data;
      const y = interpolateSync(x, o).data as Float32Array;
      expect(classes).toEqual(Uint8Array.from({ length: 260 }, (_, p) => Number(y[260 + p]! > y[p]!)));
    }
  });
});
