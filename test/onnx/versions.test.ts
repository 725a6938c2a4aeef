/** What the node tests of today's operator sets no longer hold: older sets, second outputs, the asynchronous forms. */
import { describe, expect, it } from 'vitest';
import * as onnx from '../../src/onnx.js';
import { tensor } from '../support/operator.js';

const values = (t: { data: unknown }) => Array.from(t.data as Float32Array, Number);
const scales = (...v: number[]) => ({ data: Float32Array.from(v), dims: [v.length] });

describe('operator set 10', () => {
  it('Resize nearest takes the ceiling where it shrinks and the floor where it grows', () => {
    const x = tensor([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
    const [y] = onnx.resizeSync([x, scales(1, 1, 0.6, 0.6)], {}, { opset: 10 });
    expect(values(y!)).toEqual([1, 3]);
    const [z] = onnx.resizeSync([tensor([1, 2], [1, 2]), scales(1, 2.5)], {}, { opset: 10 });
    expect(values(z!)).toEqual([1, 1, 1, 2, 2]);
  });
  it('Resize linear is asymmetric', () => {
    const x = tensor([1, 1, 2, 2], [1, 2, 3, 4]);
    const [y] = onnx.resizeSync([x, scales(1, 1, 2, 2)], { mode: 'linear' }, { opset: 10 });
    expect(values(y!)).toEqual([1, 1.5, 2, 2, 2, 2.5, 3, 3, 3, 3.5, 4, 4, 3, 3.5, 4, 4]);
  });
});

describe('operator set 11', () => {
  it('tf_half_pixel_for_nn floors (o + 1/2) / scale', () => {
    const attributes = {
      coordinate_transformation_mode: 'tf_half_pixel_for_nn',
      nearest_mode: 'floor',
    } as const;
    const inputs = [tensor([4], [1, 2, 3, 4]), undefined, scales(0.5)];
    expect(values(onnx.resizeSync(inputs, attributes, { opset: 11 })[0]!)).toEqual([2, 4]);
  });
});

describe('MaxPool', () => {
  const x = tensor([1, 2, 2, 3], [1, 9, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1]);
  it('numbers Indices over the whole tensor', () => {
    const [y, i] = onnx.maxPoolSync([x], { kernel_shape: [2, 3] }, { outputs: 2 });
    expect(values(y!)).toEqual([9, 6]);
    expect(i!.type).toBe('int64');
    expect(values(i!)).toEqual([1, 6]);
  });
  it('numbers them column by column with storage_order 1', () => {
    const [, i] = onnx.maxPoolSync([x], { kernel_shape: [2, 3], storage_order: 1 }, { outputs: 2 });
    expect(values(i!)).toEqual([2, 6]);
  });
  it('MaxUnpool brings its values back to where they were', () => {
    const big = tensor([1, 2, 2, 4], [1, 9, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1]);
    const pool = { kernel_shape: [2, 2], strides: [2, 2] };
    const [y, i] = onnx.maxPoolSync([big], pool, { outputs: 2 });
    const [back] = onnx.maxUnpoolSync([y, i], pool);
    expect(values(back!)).toEqual([0, 9, 0, 0, 0, 0, 0, 8, 8, 0, 6, 0, 0, 0, 0, 0]);
  });
});

describe('asynchronous forms', () => {
  const x = tensor([1, 1, 1, 2], [1, 2]);
  const inputs = [x, undefined, scales(1, 1, 1, 2)];
  it('give what the synchronous ones give, into out where it is given', async () => {
    const out = { data: new Float32Array(4), dims: [1, 1, 1, 4] };
    const [y] = await onnx.resize(inputs, {}, { out: [out] });
    expect(y!.data).toBe(out.data);
    expect(values(y!)).toEqual(values(onnx.resizeSync(inputs)[0]!));
  });
  it('reject with the reason of a signal', async () => {
    const reason = new Error('enough');
    await expect(onnx.resize(inputs, {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
  it('reject for mistakes, before anything is written', async () => {
    await expect(onnx.conv([x])).rejects.toThrow(/^conv: W must be a tensor/);
  });
});
