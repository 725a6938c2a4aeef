/**
 * Results that no cache holds are written past the caches, part by part. A batch of them has the bits of its images one
 * by one, which are small enough to go by way of the caches and are what parity checks.
 */
import { afterEach, expect, it } from 'vitest';
import { runtime } from '../../src/runtime.js';
import type { Tensor } from '../../src/tensor.js';
import { interpolateSync } from '../../src/torch/interpolate.js';
import { pixelShuffleSync } from '../../src/torch/pixel-shuffle.js';
import { makeTensor } from '../support/tensors.js';

const { isa, threads } = runtime;
afterEach(() => {
  runtime.setIsa(isa);
  runtime.setThreads(threads);
});

const IMAGES = 8;
/** Of the input; the last row, the last pixel and the start of every row but the first lie within vectors. */
const [HEIGHT, WIDTH, CHANNELS] = [127, 129, 61];

type Layout = 'nchw' | 'nhwc';
const of = (layout: Layout, images: number, channels: number, h: number, w: number) =>
  layout === 'nchw' ? [images, channels, h, w] : [images, h, w, channels];

const resizes = (['nearest', 'bilinear', 'bicubic'] as const).flatMap((mode) =>
  (['nchw', 'nhwc'] as const).map((layout) => ({
    name: `${mode}, ${layout}`,
    inDims: (images: number) => of(layout, images, CHANNELS, HEIGHT, WIDTH),
    outDims: (images: number) => of(layout, images, CHANNELS, 2 * HEIGHT, 2 * WIDTH),
    run: (x: Tensor, out?: Tensor) =>
      interpolateSync(x, { size: [2 * HEIGHT, 2 * WIDTH], mode, layout, ...(out && { out }) }),
  })),
);
const shuffle = {
  name: 'pixel shuffle',
  inDims: (images: number) => [images, 9 * 13, HEIGHT, 3 * WIDTH],
  outDims: (images: number) => [images, 13, 3 * HEIGHT, 9 * WIDTH],
  run: (x: Tensor, out?: Tensor) => pixelShuffleSync(x, { upscaleFactor: 3, ...(out && { out }) }),
};

it.each([...resizes, shuffle])('a large result has the bits of its parts: $name', (operator) => {
  const x = makeTensor({ type: 'float32', dims: operator.inDims(IMAGES), seed: 1 });
  const outDims = operator.outDims(IMAGES);
  const part = (t: Tensor, i: number) => {
    const length = t.data.length / IMAGES;
    return (t.data as Float32Array).subarray(i * length, (i + 1) * length);
  };
  const parts = Array.from({ length: IMAGES }, (_, i) =>
    operator.run({ type: 'float32', dims: operator.inDims(1), data: part(x, i) }),
  );
  // Memory that was never touched goes by way of the caches.
  const out: Tensor = {
    type: 'float32',
    dims: outDims,
    data: new Float32Array(outDims.reduce((a, b) => a * b)),
  };
  for (const name of runtime.isas)
    for (const count of [1, 2]) {
      runtime.setIsa(name);
      runtime.setThreads(count);
      (out.data as Float32Array).fill(Number.NaN);
      operator.run(x, out);
      parts.forEach((p, i) => {
        const got = part(out, i),
          want = p.data as Float32Array;
        const same = Buffer.from(got.buffer, got.byteOffset, got.byteLength).equals(
          Buffer.from(want.buffer, want.byteOffset, want.byteLength),
        );
        expect(same, `image ${i}, ${name}, ${count} threads`).toBe(true);
      });
    }
});
