/**
 * Results that no cache holds are written past the caches, part by part. A batch of them has the bits of its images one
 * by one, which are small enough to go by way of the caches and are what parity checks.
 */
import { afterEach, expect, it } from 'vitest';
import { runtime } from '../../src/runtime.js';
import type { Tensor } from '../../src/tensor.js';
import { interpolateSync } from '../../src/torch/interpolate.js';
import { makeTensor } from '../support/tensors.js';

const { isa, threads } = runtime;
afterEach(() => {
  runtime.setIsa(isa);
  runtime.setThreads(threads);
});

const IMAGES = 8;
/** Of the input; the last row, the last pixel and the start of every row but the first lie within vectors. */
const [HEIGHT, WIDTH, CHANNELS] = [127, 129, 61];

it.each([
  ['nearest', 'nchw'],
  ['nearest', 'nhwc'],
  ['bilinear', 'nchw'],
  ['bilinear', 'nhwc'],
  ['bicubic', 'nchw'],
  ['bicubic', 'nhwc'],
] as const)('a large result has the bits of its parts: %s, %s', (mode, layout) => {
  const of = (images: number, h: number, w: number) =>
    layout === 'nchw' ? [images, CHANNELS, h, w] : [images, h, w, CHANNELS];
  const size = [2 * HEIGHT, 2 * WIDTH] as const;
  const x = makeTensor({ type: 'float32', dims: of(IMAGES, HEIGHT, WIDTH), seed: 1 });
  const part = (t: Tensor, length: number, i: number) =>
    (t.data as Float32Array).subarray(i * length, (i + 1) * length);
  const inLength = x.data.length / IMAGES,
    outLength = 4 * inLength;
  const parts = Array.from({ length: IMAGES }, (_, i) =>
    interpolateSync(
      { type: 'float32', dims: of(1, HEIGHT, WIDTH), data: part(x, inLength, i) },
      { size, mode, layout },
    ),
  );
  // Memory that was never touched goes by way of the caches.
  const out: Tensor = {
    type: 'float32',
    dims: of(IMAGES, ...size),
    data: new Float32Array(IMAGES * outLength),
  };
  for (const name of runtime.isas)
    for (const count of [1, 2]) {
      runtime.setIsa(name);
      runtime.setThreads(count);
      (out.data as Float32Array).fill(Number.NaN);
      interpolateSync(x, { size, mode, layout, out });
      parts.forEach((p, i) => {
        const got = part(out, outLength, i),
          want = p.data as Float32Array;
        const same = Buffer.from(got.buffer, got.byteOffset, got.byteLength).equals(
          Buffer.from(want.buffer, want.byteOffset, want.byteLength),
        );
        expect(same, `image ${i}, ${name}, ${count} threads`).toBe(true);
      });
    }
});
