/** Every pair of conventions, there and back; a picture worked by hand; numbers that no pooling gives. */
import { describe, expect, it } from 'vitest';
import { INDEX_CONVENTIONS } from '../../src/plan/convert-indices.js';
import { convertIndices } from '../../src/torch/convert-indices.js';
import { maxPool2dWithIndicesSync } from '../../src/torch/max-pool2d.js';
import { makeTensor } from '../support/tensors.js';

const ints = (values: readonly number[], dims: readonly number[]) => ({
  data: Int32Array.from(values),
  dims,
});

describe('convertIndices', () => {
  it('numbers a picture as each framework does', () => {
    // Two channels of 2×4, pooled 2×2. Winners: channel 0 at (1, 0) and (0, 3), channel 1 at (0, 1) and (1, 2).
    const pytorch = ints([4, 3, 1, 6], [1, 2, 1, 2]);
    const options = { from: 'pytorch', dims: [1, 2, 2, 4], kernelSize: 2 } as const;
    const numbers = (to: (typeof INDEX_CONVENTIONS)[number]) =>
      Array.from(convertIndices(pytorch, { ...options, to }).data as Iterable<number>, Number);
    expect(numbers('pytorch')).toEqual([4, 3, 1, 6]);
    expect(numbers('onnx')).toEqual([4, 3, 9, 14]);
    expect(numbers('tensorflow')).toEqual([8, 6, 3, 13]);
    expect(numbers('tensorflow-batch')).toEqual([8, 6, 3, 13]);
    expect(numbers('xnnpack')).toEqual([2, 1, 1, 2]);
  });

  it.each(['nchw', 'nhwc'] as const)('goes there and back between all conventions in %s', (layout) => {
    const dims = layout === 'nchw' ? [2, 3, 9, 7] : [2, 9, 7, 3];
    const window = { kernelSize: [3, 2], stride: [2, 3], padding: 1, dilation: [2, 1], layout };
    const x = makeTensor({ type: 'float32', dims, seed: 5, fill: 'ties' });
    const { indices } = maxPool2dWithIndicesSync(x, window);
    for (const a of INDEX_CONVENTIONS)
      for (const b of INDEX_CONVENTIONS) {
        const there = convertIndices(indices, { from: 'pytorch', to: a, dims, ...window });
        const further = convertIndices(there, { from: a, to: b, dims, ...window });
        const back = convertIndices(further, { from: b, to: 'pytorch', dims, ...window });
        expect(back.data, `${a} → ${b}`).toEqual(indices.data.slice());
        expect(further.type).toBe(b === 'pytorch' || b === 'xnnpack' ? 'int32' : 'int64');
      }
  });

  it('works along one axis and three', () => {
    for (const [dims, given] of [
      [
        [2, 3, 8],
        [2, 3, 2],
      ],
      [
        [1, 2, 4, 4, 4],
        [1, 2, 2, 2, 2],
      ],
    ] as const) {
      const size = given.reduce<number>((a, b) => a * b, 1);
      const onnx = convertIndices(ints(new Array(size).fill(5), given), {
        from: 'pytorch',
        to: 'onnx',
        dims,
      });
      expect(convertIndices(onnx, { from: 'onnx', to: 'pytorch', dims }).data).toEqual(
        new Int32Array(size).fill(5),
      );
    }
  });

  it.each([
    [
      'a plane that is not its own',
      { from: 'onnx', to: 'pytorch' },
      [16, 16],
      /winners as onnx numbers them, got 16 at position 0/,
    ],
    ['a negative number', { from: 'pytorch', to: 'onnx' }, [0, -1], /got -1 at position 1/],
    ['another channel', { from: 'tensorflow', to: 'onnx' }, [1, 1], /got 1 at position 0/],
    [
      'a cell outside its window',
      { from: 'pytorch', to: 'xnnpack', kernelSize: 2 },
      [0, 9],
      /must lie in the window of their output, got 9 at position 1/,
    ],
    ['no window', { from: 'pytorch', to: 'xnnpack' }, [0, 0], /kernelSize must be given/],
    ['an unknown convention', { from: 'torch', to: 'onnx' }, [0, 0], /from must be one of pytorch, onnx/],
    ['a misspelt option', { from: 'pytorch', to: 'onnx', kernel: 2 }, [0, 0], /unknown option "kernel"/],
    [
      'dims of another rank',
      { from: 'pytorch', to: 'onnx', dims: [2, 4, 4] },
      [0, 0],
      /dims must have the rank of the indices, 4, got 3/,
    ],
    [
      'dims with other channels',
      { from: 'pytorch', to: 'onnx', dims: [1, 3, 4, 4] },
      [0, 0],
      /dims must have batch and channels/,
    ],
    ['no dims', { from: 'pytorch', to: 'onnx', dims: undefined }, [0, 0], /dims must be the positive dims/],
  ] as const)('refuses %s', (_, options, values, message) => {
    const call = () =>
      convertIndices(ints(values, [1, 2, 1, 1]), { dims: [1, 2, 4, 4], ...options } as never);
    expect(call).toThrow(message);
    expect(call).toThrow(/^convertIndices: /);
  });
});
