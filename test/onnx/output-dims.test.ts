/** outputDims of upsampling/onnx against what the operators return, and against their errors. */
import { describe, expect, it } from 'vitest';
import * as onnx from '../../src/onnx.js';
import type { Tensor, TensorLike } from '../../src/tensor.js';
import { makeTensor } from '../support/tensors.js';

type Input = number[] | TensorLike | undefined;
type Sync = (inputs: readonly (TensorLike | undefined)[], attributes?: object, options?: object) => Tensor[];
type Dims = (inputs: readonly Input[], attributes?: object, options?: object) => number[][];

const ints = (...v: number[]) => ({ data: BigInt64Array.from(v, BigInt), dims: [v.length] });
const halves = (...v: number[]) => ({ data: Uint16Array.from(v), dims: [v.length], type: 'float16' });

const CASES: [keyof typeof onnx.outputDims, Input[], object?, object?][] = [
  ['resize', [[1, 3, 5, 7], undefined, undefined, ints(1, 3, 9, 14)]],
  [
    'resize',
    [[1, 3, 5, 7], undefined, { data: Float32Array.of(0.6, 2.5), dims: [2] }],
    { axes: [2, 3], mode: 'linear' },
  ],
  [
    'resize',
    [[1, 1, 7, 10], undefined, undefined, ints(9, 9)],
    { axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' },
  ],
  [
    'resize',
    // roi in float16: 0.25, 0, 0.75, 1.
    [[1, 1, 4, 4], halves(0x3400, 0, 0x3a00, 0x3c00), undefined, ints(3, 3)],
    { axes: [2, 3], mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' },
  ],
  ['upsample', [[1, 2, 3, 3], { data: Float32Array.of(1, 1, 2, 2.7), dims: [4] }]],
  ['maxPool', [[2, 3, 9, 11]], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }, { outputs: 2 }],
  ['averagePool', [[2, 3, 9]], { kernel_shape: [4], auto_pad: 'SAME_UPPER', strides: [2] }],
  [
    'maxUnpool',
    [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    { kernel_shape: [2, 2], strides: [2, 2] },
  ],
  ['maxUnpool', [[1, 2, 3, 4], [1, 2, 3, 4], ints(1, 2, 7, 9)], { kernel_shape: [2, 2], strides: [2, 2] }],
  ['conv', [[1, 4, 9, 9], [6, 2, 3, 3], [6]], { group: 2, dilations: [2, 2] }],
  [
    'convTranspose',
    [
      [1, 4, 5, 5],
      [4, 3, 3, 3],
    ],
    { strides: [2, 2], output_padding: [1, 1] },
  ],
  ['depthToSpace', [[1, 8, 2, 3]], { blocksize: 2, mode: 'CRD' }],
  ['spaceToDepth', [[1, 2, 4, 6]], { blocksize: 2 }],
  [
    'gridSample',
    [
      [1, 2, 4, 6],
      [1, 3, 5, 2],
    ],
  ],
];

describe('outputDims', () => {
  it.each(CASES.map((c, i) => [`${i}: ${c[0]}`, ...c] as const))(
    '%s',
    (_, name, inputs, attributes, options) => {
      const tensors = inputs.map((t, i) =>
        Array.isArray(t)
          ? makeTensor(
              name === 'maxUnpool' && i === 1
                ? { type: 'int64', dims: t, seed: 1, fill: 'index', below: 1 }
                : { type: 'float32', dims: t, seed: i },
            )
          : t,
      );
      if (name === 'maxUnpool') {
        // Every plane counts from its own start.
        const { data, dims } = tensors[1] as Tensor;
        const [h, w] = dims.slice(2) as [number, number];
        for (let i = 0; i < data.length; i++) data[i] = BigInt(Math.floor(i / (h * w)) * h * w * 4) as never;
      }
      const results = (onnx[`${name}Sync`] as Sync)(tensors, attributes, options);
      expect((onnx.outputDims[name] as Dims)(inputs, attributes, options)).toEqual(
        results.map((t) => t.dims),
      );
    },
  );

  it('covers every operator', () => {
    const operators = Object.keys(onnx).filter((n) => n.endsWith('Sync'));
    expect(Object.keys(onnx.outputDims).sort()).toEqual(operators.map((n) => n.slice(0, -4)).sort());
    expect([...new Set(CASES.map((c) => c[0]))].sort()).toEqual(Object.keys(onnx.outputDims).sort());
  });

  it('refuses what the operator refuses, and tensors that are only dims cannot be run', () => {
    const { outputDims } = onnx;
    expect(() =>
      outputDims.conv([
        [1, 4, 9, 9],
        [6, 3, 3, 3],
      ]),
    ).toThrow(/conv: X\.dims must be of 3 channels/);
    expect(() => outputDims.maxPool([[1, 1, -4, 4]], { kernel_shape: [2, 2] })).toThrow(
      /X\.dims must be non-negative/,
    );
    expect(() => outputDims.resize([[1, 1, 4, 4], undefined, undefined, [1, 1, 8, 8]])).toThrow(/sizes/);
    expect(() => onnx.maxPoolSync([[1, 1, 4, 4] as never], { kernel_shape: [2, 2] })).toThrow(/typed array/);
  });
});
