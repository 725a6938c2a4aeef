/** Beside TensorFlow.js: `dataSync` and `shape` are a tensor of ours in nhwc, and our results make tensors of theirs. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  convertIndices,
  convTranspose2d,
  interpolate,
  interpolateArgmax,
  maxPool2dWithIndices,
  maxUnpool2d,
} from '../../src/index.js';
import { resize } from '../../src/onnx.js';
import { makeTensor } from '../support/tensors.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
  await tf.ready();
});

type Shape4 = [number, number, number, number];
const floats = (dims: Shape4, seed = 1) =>
  tf.tensor4d(makeTensor({ type: 'float32', dims, seed }).data as Float32Array, dims);
/** One of theirs as one of ours: no copy on the cpu backend. */
const ours = (t: tf.Tensor) => ({ data: t.dataSync(), dims: t.shape });
const back = (t: { data: unknown; dims: number[] }) => tf.tensor(t.data as Float32Array, t.dims);

function apart(a: { data: unknown; dims: readonly number[] }, b: tf.Tensor): number {
  expect([...a.dims]).toEqual(b.shape);
  const [x, y] = [a.data as Float32Array, b.dataSync()];
  return x.reduce((worst, v, i) => Math.max(worst, Math.abs(v - y[i]!)), 0);
}

describe('tf.image.resizeBilinear', () => {
  for (const size of [
    [15, 20],
    [4, 5],
    [1, 13],
  ] as [number, number][]) {
    const dims: Shape4 = [2, 7, 9, 3];
    const at = size.join('×');

    it(`onto ${at}, halfPixelCenters: our bilinear`, async () => {
      const x = floats(dims);
      const y = await interpolate(ours(x), { size, mode: 'bilinear', layout: 'nhwc' });
      expect(apart(y, tf.image.resizeBilinear(x, size, false, true))).toBeLessThan(1e-6);
    });

    it(`onto ${at}, alignCorners: our alignCorners`, async () => {
      const x = floats(dims, 2);
      const y = await interpolate(ours(x), { size, mode: 'bilinear', alignCorners: true, layout: 'nhwc' });
      expect(apart(y, tf.image.resizeBilinear(x, size, true, false))).toBeLessThan(1e-6);
    });

    it(`onto ${at}, neither: ONNX’s asymmetric`, async () => {
      const x = floats(dims, 3);
      const [y] = await resize(
        [ours(x), undefined, undefined, { data: BigInt64Array.from(size, BigInt), dims: [2] }],
        { mode: 'linear', coordinate_transformation_mode: 'asymmetric', axes: [1, 2] },
      );
      expect(apart(y!, tf.image.resizeBilinear(x, size, false, false))).toBeLessThan(1e-6);
    });
  }
});

describe('tf.image.resizeNearestNeighbor', () => {
  it('without options: our nearest', async () => {
    const x = floats([1, 7, 9, 4], 4);
    const y = await interpolate(ours(x), { size: [15, 20], mode: 'nearest', layout: 'nhwc' });
    expect(apart(y, tf.image.resizeNearestNeighbor(x, [15, 20]))).toBe(0);
  });
});

describe('there and back', () => {
  it('a class map of tfjs logits', async () => {
    const logits = floats([1, 8, 12, 6], 5);
    const map = await interpolateArgmax(ours(logits), {
      size: [32, 48],
      mode: 'bilinear',
      layout: 'nhwc',
      classType: 'int32',
    });
    const theirs = tf.argMax(tf.image.resizeBilinear(logits, [32, 48], false, true), 3);
    expect(apart(map, theirs)).toBe(0);
    expect(back(map).dtype).toBe('int32');
  });

  it('our pooling with indices beside tf.maxPool, and unpooled', async () => {
    const x = floats([2, 8, 6, 5], 6);
    const pooled = await maxPool2dWithIndices(ours(x), { kernelSize: 2, layout: 'nhwc' });
    expect(apart(pooled.output, tf.maxPool(x, 2, 2, 'valid'))).toBe(0);
    // TensorFlow numbers the winners through all axes of the image: gathering by them gives the maxima.
    const flat = convertIndices(pooled.indices, {
      from: 'pytorch',
      to: 'tensorflow-batch',
      dims: [2, 8, 6, 5],
      layout: 'nhwc',
    });
    const picked = tf.gather(tf.reshape(x, [-1]), tf.tensor1d(Int32Array.from(flat.data, Number), 'int32'));
    expect(apart({ ...pooled.output, dims: [picked.size] }, picked)).toBe(0);
    // Unpooled, every maximum stands where it was in the image, and the rest is 0.
    const u = back(await maxUnpool2d(pooled.output, pooled.indices, { kernelSize: 2, layout: 'nhwc' }));
    const stays = tf.logicalOr(tf.equal(u, 0), tf.equal(u, x));
    expect(tf.all(stays).dataSync()[0]).toBe(1);
    expect(tf.sum(tf.cast(tf.notEqual(u, 0), 'int32')).dataSync()[0]).toBe(picked.size);
  });

  it('conv2dTranspose, its kernel (h, w, out, in) as ours (in, out, h, w)', async () => {
    const x = floats([1, 5, 7, 6], 7);
    const w = floats([4, 4, 3, 6], 8);
    const y = await convTranspose2d(ours(x), ours(tf.transpose(w, [3, 2, 0, 1])), {
      stride: 2,
      padding: 1,
      layout: 'nhwc',
    });
    expect(apart(y, tf.conv2dTranspose(x, w, [1, 10, 14, 3], 2, 'same'))).toBeLessThan(1e-5);
  });
});
