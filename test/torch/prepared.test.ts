/** Prepared operators: the results of the plain ones, whatever happens around them. */
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.js';
import { runtime } from '../../src/runtime.js';
import type { Tensor } from '../../src/tensor.js';
import { convTranspose2dSync, prepareConvTranspose2d } from '../../src/torch/conv-transpose2d.js';
import { conv2d, conv2dSync, prepareConv2d } from '../../src/torch/conv2d.js';
import { prepareResizeConv2d, resizeConv2dSync } from '../../src/torch/resize-conv2d.js';
import { makeTensor } from '../support/tensors.js';

const make = (dims: number[], seed = 1): Tensor => makeTensor({ type: 'float32', dims, seed });
const values = (t: Tensor) => Array.from(t.data as Float32Array);
const same = (got: Tensor, want: Tensor) => expect(values(got)).toEqual(values(want));
/** Small planes, channels first, may be summed in another order: test/parity.test.ts holds the bounds of single values. */
const close = (got: Tensor, want: Tensor) => {
  expect(got.dims).toEqual(want.dims);
  const all = values(want);
  expect(values(got).filter((v, i) => !(v === all[i] || Math.abs(v - all[i]!) < 1e-4))).toEqual([]);
};

describe('a prepared operator', () => {
  const weight = make([16, 8, 3, 3], 2);
  const bias = make([16], 3);
  const x = make([2, 8, 20, 21], 4);

  it('gives the plain one’s results, for inputs of several sizes: its bits, but for small planes', async () => {
    const p = prepareConv2d(weight, { bias, padding: 1, stride: 2 });
    for (const dims of [
      [2, 8, 40, 41],
      [2, 8, 20, 21],
      [1, 8, 3, 50],
      [8, 9, 9],
    ]) {
      const input = make(dims, 5);
      const plain = conv2dSync(input, weight, { bias, padding: 1, stride: 2 });
      expect(p.outputDims(dims)).toEqual(plain.dims);
      const first = p.runSync(input);
      (dims.length === 4 && dims[2]! >= 40 ? same : close)(first, plain);
      same(await p.run(input), first);
    }
  });

  it('does so for transposed and resized ones, few weights and weights that are not finite', () => {
    const t = make([8, 16, 4, 4], 6);
    const options = { stride: 2, padding: 1, bias };
    same(prepareConvTranspose2d(t, options).runSync(x), convTranspose2dSync(x, t, options));
    for (const mode of ['nearest', 'bilinear'] as const) {
      const p = prepareResizeConv2d(weight, { scaleFactor: 2, mode, padding: 1, stride: 1 });
      for (const dims of [
        [1, 8, 20, 21],
        [1, 8, 1, 2],
        [1, 8, 7, 3],
      ]) {
        const input = make(dims, 7);
        close(p.runSync(input), resizeConv2dSync(input, weight, { scaleFactor: 2, mode, padding: 1 }));
      }
    }
    const few = make([1, 1, 2, 2], 8);
    const small = make([1, 1, 2, 2], 9);
    expect(values(prepareConvTranspose2d(few, { stride: 2 }).runSync(small))).toEqual(
      values(convTranspose2dSync(small, few, { stride: 2 })),
    );
    const broken = make([16, 8, 3, 3], 10);
    (broken.data as Float32Array)[7] = Infinity;
    expect(values(prepareConv2d(broken, { padding: 1 }).runSync(x))).toEqual(
      values(conv2dSync(x, broken, { padding: 1 })),
    );
  });

  it('comes to the same where some taps only read padding', () => {
    const wide = make([20, 36, 5, 5], 13);
    for (const layout of ['nchw', 'nhwc'] as const)
      for (const batch of [1, 3, 40])
        for (const [h, w] of [
          [1, 1],
          [2, 1],
          [1, 30],
        ] as const) {
          const dims = (c: number) => (layout === 'nchw' ? [batch, c, h, w] : [batch, h, w, c]);
          const options = { padding: 2, layout };
          const forward = make(dims(36), 14);
          close(prepareConv2d(wide, options).runSync(forward), conv2dSync(forward, wide, options));
          const back = make(dims(20), 15);
          close(
            prepareConvTranspose2d(wide, { ...options, stride: 2 }).runSync(back),
            convTranspose2dSync(back, wide, { ...options, stride: 2 }),
          );
        }
  });

  it('does so below and above the size from which tiles are transformed', () => {
    const wide = make([24, 20, 3, 3], 11);
    for (const layout of ['nchw', 'nhwc'] as const) {
      const options = { padding: 1, layout };
      const p = prepareConv2d(wide, options);
      for (const [h, w] of [
        [3, 4],
        [40, 41],
        [9, 200],
      ] as const) {
        const input = make(layout === 'nchw' ? [20, h, w] : [h, w, 20], 12);
        (layout === 'nhwc' || h * w > 1000 ? same : close)(
          p.runSync(input),
          conv2dSync(input, wide, options),
        );
      }
    }
  });

  it('keeps a copy: later changes of the weights do not reach it', () => {
    const own = make([16, 8, 3, 3], 2);
    const p = prepareConv2d(own);
    const before = values(p.runSync(x));
    (own.data as Float32Array).fill(0);
    expect(values(p.runSync(x))).toEqual(before);
  });

  it('stays right when the instruction set changes', () => {
    const best = runtime.isa;
    for (const made of runtime.isas) {
      runtime.setIsa(made);
      const p = prepareConv2d(weight, { bias });
      const expected = values(conv2dSync(x, weight, { bias }));
      for (const isa of runtime.isas) {
        runtime.setIsa(isa);
        expect(values(p.runSync(x)), `${made} then ${isa}`).toEqual(expected);
      }
    }
    runtime.setIsa(best);
  });

  it('serves calls that overlap, also while it is disposed of', async () => {
    const p = prepareConv2d(weight, { bias, padding: 1 });
    const expected = values(await conv2d(x, weight, { bias, padding: 1 }));
    const calls = Array.from({ length: 8 }, () => p.run(x));
    expect(p.bytes).toBeGreaterThan(0);
    p.dispose();
    for (const y of await Promise.all(calls)) expect(values(y)).toEqual(expected);
    expect(p.bytes).toBe(0);
  });

  it('cannot be used after dispose()', async () => {
    const p = prepareConv2d(weight);
    p[Symbol.dispose]();
    p.dispose();
    for (const use of [() => p.runSync(x), () => p.outputDims([1, 8, 9, 9])])
      expect(use).toThrow(/^prepareConv2d: a prepared operator must not be used after dispose\(\)$/);
    await expect(p.run(x)).rejects.toBeInstanceOf(ArgumentError);
  });

  it('refuses what does not fit', () => {
    const p = prepareConv2d(weight);
    expect(() => p.runSync(make([1, 7, 9, 9]))).toThrow(/^prepareConv2d: input.dims must be of 8 channels/);
    expect(() => p.runSync(x, { pading: 1 } as never)).toThrow(/unknown option "pading"/);
    expect(() => prepareConv2d(weight, { out: x } as never)).toThrow(/unknown option "out"/);
    expect(() => p.runSync(x, { out: x })).toThrow(/out must/);
  });
});

it('workers may end with prepared operators in use', async () => {
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const source = `
    import(${JSON.stringify(index)}).then(({ prepareConv2d }) => {
      const weight = { data: new Float32Array(64 * 64 * 9).fill(1), dims: [64, 64, 3, 3] };
      const x = { data: new Float32Array(64 * 96 * 96).fill(1), dims: [1, 64, 96, 96] };
      const p = prepareConv2d(weight, { padding: 1 });
      for (let i = 0; i < 20; i++) p.run(x);
      require('node:worker_threads').parentPort.postMessage(p.bytes);
    });`;
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(source, { eval: true });
    const bytes = await new Promise<number>((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
    });
    expect(bytes).toBeGreaterThan(64 * 64 * 9 * 4);
    await worker.terminate();
  }
});
